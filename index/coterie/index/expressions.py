"""The expression graph: and, or, at least k over conditions and segments, kept up to date by delta set algebra.

A node's bitmap holds the subjects whose truth differs from the empty profile's, as a condition's does; `not`
is a mark on a reference, never a node; a bridge is a node whose child is about the other subject kind. Equal
expressions are one node. Owns the nodes. Invariant: after `propagate`, each node's bitmap equals its operation
over its children's, except for those that wait because it was midway.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from pyroaring import BitMap

from coterie.index.bridges import Bridge
from coterie.index.model import SubjectKind
from coterie.index.nodes import Node, Operation, Ref, Root, Source, rank_of

_FAN = 16  # wider nodes become trees, so that one changed input does not read ten thousand others


class Graph:
    """All expression nodes of one dataset."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[Operation | Bridge, int, tuple[tuple[int, bool], ...]], Node] = {}
        self._bridges: dict[Node, Bridge] = {}
        self._parents: dict[int, list[Node]] = {}  # by id() of the source; sources live as long as they are used
        self._roots: dict[int, list[Root]] = {}
        self._over_bridges: set[Node] | None = None  # while they wait
        self._postponed: dict[Node, BitMap] = {}  # which of them are to be looked at for whom

    def __len__(self) -> int:
        return len(self._nodes)

    # ------------------------------------------------------------ building

    def node(self, operation: Operation, children: Sequence[Ref], k: int = 0) -> Ref:
        """Returns the expression over the children, making its nodes (bits not yet computed) where they are new."""
        if len(children) == 1 and operation is not Operation.AT_LEAST:
            return children[0]
        if operation is not Operation.AT_LEAST and len(children) > _FAN:
            step = -(-len(children) // _FAN)
            parts = [self.node(operation, children[i : i + step]) for i in range(0, len(children), step)]
            return self.node(operation, parts)
        return self._held(operation, tuple(children), k)

    def bridge(self, bridge: Bridge, child: Ref) -> Ref:
        """Returns what a bridge makes of an expression about the other subject kind."""
        return self._held(bridge, (child,), 0)

    def _held(self, operation: Operation | Bridge, children: tuple[Ref, ...], k: int) -> Ref:
        key = (operation, k, tuple((id(child.source), child.negated) for child in children))
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = self._make(operation, children, k)
        return Ref(node)

    def _make(self, operation: Operation | Bridge, children: tuple[Ref, ...], k: int) -> Node:
        rank = 1 + max(rank_of(child.source) for child in children)
        node = Node(operation, children, k, rank, _empty_truth(operation, children, k))
        if isinstance(operation, Bridge):
            operation.affiliation.use()
            self._bridges[node] = operation
        self._compute(node)
        for child in children:
            self._parents.setdefault(id(child.source), []).append(node)
            if isinstance(child.source, Node):
                child.source.uses += 1
        return node

    def use(self, ref: Ref) -> None:
        """Counts one more use of an expression from outside."""
        if isinstance(ref.source, Node):
            ref.source.uses += 1

    def release(self, ref: Ref) -> None:
        """Gives up one use of an expression; nodes nobody uses are dropped."""
        if isinstance(ref.source, Node):
            ref.source.uses -= 1
            self._drop_unused(ref.source)

    def _drop_unused(self, node: Node) -> None:
        if node.uses:
            return
        del self._nodes[node.operation, node.k, tuple((id(child.source), child.negated) for child in node.children)]
        bridge = self._bridges.pop(node, None)
        if bridge is not None:
            bridge.affiliation.release()
        for child in node.children:
            self._parents[id(child.source)].remove(node)
            if not self._parents[id(child.source)]:
                del self._parents[id(child.source)]
            if isinstance(child.source, Node):
                child.source.uses -= 1
                self._drop_unused(child.source)

    def attach(self, root: Root) -> None:
        """A root from now on follows its expression."""
        self._roots.setdefault(id(root.ref.source), []).append(root)
        self.use(root.ref)

    def detach(self, root: Root) -> None:
        """A root no longer follows its expression."""
        held = self._roots[id(root.ref.source)]
        held.remove(root)
        if not held:
            del self._roots[id(root.ref.source)]
        self.release(root.ref)

    def lift(self, root: Root) -> None:
        """Raises ranks above a root whose expression was swapped for a deeper one."""
        least = rank_of(root.ref.source) + 1
        pending: list[tuple[Root | Node, int]] = [(root, least)]
        while pending:
            source, rank = pending.pop()
            if source.rank >= rank:
                continue
            source.rank = rank
            pending += [(parent, rank + 1) for parent in self._parents.get(id(source), ())]
            pending += [(above, rank + 1) for above in self._roots.get(id(source), ())]

    def above(self, root: Root) -> tuple[list[Node], list[Root]]:
        """Returns the nodes and roots that depend on a root, itself included."""
        return self._above([root])

    def _above(self, sources: Iterable[Root | Node]) -> tuple[list[Node], list[Root]]:
        nodes: dict[Node, None] = {}
        roots: dict[Root, None] = {}
        pending = list(sources)
        while pending:
            source = pending.pop()
            if source in nodes or source in roots:
                continue
            (roots if isinstance(source, Root) else nodes)[source] = None  # type: ignore[index]
            pending += [*self._parents.get(id(source), ()), *self._roots.get(id(source), ())]
        return list(nodes), list(roots)

    def recompute(self, nodes: Iterable[Node]) -> None:
        """Computes nodes anew, children first: their truth for the empty profile, too, may have changed."""
        for node in sorted(nodes, key=lambda held: held.rank):
            node.empty = _empty_truth(node.operation, node.children, node.k)
            self._compute(node)

    def _compute(self, node: Node) -> None:
        bridge = self._bridges.get(node)
        differing = (
            BitMap.union(*(child.source.bits for child in node.children)) if bridge is None else bridge.everyone()
        )
        node.bits = self._evaluate(node, differing)

    # ------------------------------------------------------------ evaluating

    @staticmethod
    def _evaluate(node: Node, candidates: BitMap) -> BitMap:
        """Returns those candidates whose truth differs from the empty profile's."""
        if isinstance(node.operation, Bridge):
            child = node.children[0]
            truths = node.operation.truths(candidates, child.source.bits, opposite=child.empty)
        elif node.operation is Operation.AND:
            truths = candidates
            for source, negated in node.children:
                truths = truths - source.bits if source.empty != negated else truths & source.bits
        elif node.operation is Operation.OR:
            rest = candidates
            for source, negated in node.children:
                rest = rest & source.bits if source.empty != negated else rest - source.bits
            truths = candidates - rest
        else:
            reached = [BitMap() for _ in range(node.k)]  # reached[i]: at least i + 1 of the children so far
            for child in node.children:
                carry = child.of(candidates)
                for i, held in enumerate(reached):
                    reached[i], carry = held | carry, held & carry
            truths = reached[-1]
        return candidates - truths if node.empty else truths

    def propagate(
        self,
        changed: Iterable[tuple[Source, BitMap]],
        affiliated: dict[SubjectKind, BitMap] | None = None,
        *,
        midway: bool = False,
    ) -> dict[Root, BitMap]:
        """Runs changed truths up the graph, children first; returns the subjects whose truth flipped, by root.

        `affiliated` are the users whose account, and the accounts whose users, have changed: bridges look at them again.
        `midway`, some subjects stand at another instant than the others. A bridge would see both, so bridges and what
        stands over them stay as they are, for everyone, until the first run that is not midway; it catches up.
        """
        wave = _Wave(self._parents, self._roots)
        if midway:
            if self._over_bridges is None:
                self._over_bridges = set(self._above(self._bridges)[0])
        else:
            for node, ids in self._postponed.items():
                wave.look(node, ids)
            self._over_bridges, self._postponed = None, {}
        waits = self._over_bridges or ()
        for source, ids in changed:
            wave.notify(source, ids)
        if affiliated:
            for node, bridge in self._bridges.items():
                if _is_stirred(node, bridge, affiliated):
                    wave.look(node, affiliated[bridge.kind])
        while wave.waiting:
            node, ids = wave.next()
            if node in waits:
                self._postponed.setdefault(node, BitMap()).__ior__(ids)
                continue
            ids = self._evaluate(node, ids) ^ (node.bits & ids)
            if ids:
                node.bits ^= ids
                wave.notify(node, ids)
        return wave.flipped

    def refresh(self) -> None:
        """Computes every node anew."""
        self.recompute(self._nodes.values())


class _Wave:
    """One run up the graph: which nodes are to be looked at for whom, and which roots have flipped."""

    def __init__(self, parents: dict[int, list[Node]], roots: dict[int, list[Root]]) -> None:
        self._parents, self._roots = parents, roots
        self._candidates: dict[int, BitMap] = {}
        self._order: list[Node] = []
        self.waiting: list[tuple[int, int]] = []  # (rank, position), so that equal ranks need no comparison of nodes
        self.flipped: dict[Root, BitMap] = {}

    def notify(self, source: Source, ids: BitMap) -> None:
        """Some truths of a source, final for this run, have flipped."""
        above, beside = self._parents, self._roots
        for root in beside.get(id(source), ()):
            self.flipped[root] = ids  # a root follows one source alone
            if id(root) in above or id(root) in beside:  # most segments are nested nowhere
                self.notify(root, ids)
        for node in above.get(id(source), ()):
            self.look(node, node.operation.across(ids) if isinstance(node.operation, Bridge) else ids)

    def look(self, node: Node, ids: BitMap) -> None:
        """A node is to be looked at again for some subjects."""
        held = self._candidates.get(id(node))
        if held is not None:
            held |= ids
        elif ids:
            self._candidates[id(node)] = BitMap(ids)
            heappush(self.waiting, (node.rank, len(self._order)))
            self._order.append(node)

    def next(self) -> tuple[Node, BitMap]:
        """The lowest node that waits, and whom to look at."""
        node = self._order[heappop(self.waiting)[1]]
        return node, self._candidates.pop(id(node))


def _empty_truth(operation: Operation | Bridge, children: tuple[Ref, ...], k: int) -> bool:
    if isinstance(operation, Bridge):
        return operation.empty
    truths = sum(child.empty for child in children)
    return truths >= {Operation.AND: len(children), Operation.OR: 1}.get(operation, k)


def _is_stirred(node: Node, bridge: Bridge, affiliated: dict[SubjectKind, BitMap]) -> bool:
    """Whether a bridge must be looked at for who was re-affiliated: of ten thousand, most say nothing of them."""
    ids, others, child = affiliated.get(bridge.kind), affiliated.get(bridge.others), node.children[0]
    if ids is None or not bridge.asks_one or child.empty or ids.intersect(node.bits):
        return ids is not None
    return others is not None and others.intersect(child.source.bits)
