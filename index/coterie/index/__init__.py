"""The engine of Coterie: exact, live audience segments over an in-memory Roaring-bitmap index.

Pure: no gRPC, no protobuf, no wall clock. `coterie.index.engine.Engine` is the way in.
"""
