"""Between protobuf messages and the engine's model: the only code that sees both.

Reading checks everything that can be judged without state and names the field at fault; writing never fails.
"""
