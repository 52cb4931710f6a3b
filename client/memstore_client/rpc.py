"""The methods of the service, read from its descriptors, with the retry policy that they imply."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from memstore.v1 import (
    edit_service_pb2,
    history_service_pb2,
    memory_service_pb2,
    system_service_pb2,
    world_service_pb2,
)
from memstore_client.options import TransportOptions

_MODULES = (world_service_pb2, memory_service_pb2, edit_service_pb2, history_service_pb2, system_service_pb2)


@dataclass(frozen=True)
class Rpc:
    """One method of one service."""

    service: str
    """Full name of the service."""
    name: str
    """Name of the method."""
    response: type[Message]
    """Class of what it returns."""
    may_repeat: bool
    """Whether it can be sent again without harm: it changes nothing, or bears a request id."""

    @property
    def path(self) -> str:
        """Path of the method on a channel."""
        return f"/{self.service}/{self.name}"


def _rpc_of(method: Any) -> Rpc:
    reads = method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    named = "request_id" in method.input_type.fields_by_name
    response = message_factory.GetMessageClass(method.output_type)
    return Rpc(method.containing_service.full_name, method.name, response, reads or named)


RPCS = {
    method.name: _rpc_of(method)
    for module in _MODULES
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""Every method by its name; names are unique over the services."""


def service_config(options: TransportOptions) -> str:
    """Returns gRPC's service config: methods that may be repeated are, when the server is UNAVAILABLE."""
    policy = {
        "maxAttempts": options.attempts,
        "initialBackoff": f"{options.first_retry_s}s",
        "maxBackoff": f"{options.longest_retry_s}s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    names = [{"service": rpc.service, "method": rpc.name} for rpc in RPCS.values() if rpc.may_repeat]
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": policy}]})
