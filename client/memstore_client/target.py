"""Where a connection goes and with which rights: everything needed to open it, in this process or another."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from memstore.errors import InvalidInput
from memstore.wire.address import Address
from memstore_client.options import Tls, TransportOptions
from memstore_client.rpc import service_config

TOKEN_VARIABLE = "MEMSTORE_TOKEN"


@dataclass(frozen=True)
class Target:
    """A server to call. It can be pickled; channels cannot."""

    address: str
    """`host:port`, `[v6]:port` or `unix:/path`."""
    token: str | None = field(repr=False)
    """What the server asks for, or `None`."""
    tls: Tls | None
    """How to trust the server; `None` speaks plainly."""
    options: TransportOptions
    """Times, limits and retries."""

    @classmethod
    def of(cls, address: str, token: str | None, tls: Tls | bool | None, options: TransportOptions | None) -> Target:
        """Returns a target with its defaults: the token of MEMSTORE_TOKEN, and TLS for other machines only.

        Raises:
            InvalidInput: the address has no good form.
        """
        parsed = Address.parse(address)
        wanted = not parsed.is_local if tls is None else tls
        trust = wanted if isinstance(wanted, Tls) else Tls() if wanted else None
        return cls(str(parsed), token or os.environ.get(TOKEN_VARIABLE) or None, trust, options or TransportOptions())

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call bears."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    @property
    def credentials(self) -> grpc.ChannelCredentials | None:
        """What opens a secure channel; `None` for a plain one."""
        if self.tls is None:
            return None
        roots = self.tls.root_certificates
        return grpc.ssl_channel_credentials(None if roots is None else _pem(roots))

    @property
    def channel_options(self) -> list[tuple[str, int | str]]:
        """The dials of gRPC's channel."""
        options = self.options
        renamed = self.tls.server_name if self.tls else None
        return [
            ("grpc.max_receive_message_length", options.max_message_bytes),
            ("grpc.keepalive_time_ms", int(options.keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", int(options.keepalive_timeout_s * 1000)),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", int(options.longest_retry_s * 1000)),
            ("grpc.enable_retries", 1),
            ("grpc.service_config", service_config(options)),
            # Each connection has its own socket: a shared one would outlive the fork that a loader makes.
            ("grpc.use_local_subchannel_pool", 1),
            *([("grpc.ssl_target_name_override", renamed)] if renamed else []),
        ]


def _pem(path: Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(f"the certificates {path} cannot be read: {error.strerror}.", field="tls") from error
