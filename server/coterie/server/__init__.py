"""The gRPC service around the engine: calls in, answers out, and the one writer of each dataset.

`app.serve` runs a server until it is told to stop; `app.start_server` starts one inside a running event loop.
"""
