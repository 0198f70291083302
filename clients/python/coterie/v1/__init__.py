"""The protobuf messages and gRPC stubs of `coterie.v1`, generated from `protos/` by `make proto`; never edited by hand."""
