"""What survives: the journal, the state store, snapshots and recovery.

Each module is imported by its own name; `parts` is imported by every stateful component, the rest only
from above the engine. Invariant: nothing here decides what state means, only that it comes back.
"""
