"""The wire: values and errors as protocol buffers, without any transport. Shared by the service and the client."""

PROTOCOL_VERSION = 1
"""Raised when an older client can no longer be served."""
