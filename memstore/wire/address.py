"""Where a server listens and a client calls: `host:port`, `[v6]:port` or `unix:/path`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from memstore.errors import InvalidInput

_HOST_PORT = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<host>[^:/\[\]]+)):(?P<port>\d{1,5})\Z")


@dataclass(frozen=True)
class Address:
    """One place to listen or call.

    >>> Address.parse("127.0.0.1:7070").is_local, Address.parse("0.0.0.0:7070").is_local
    (True, False)
    """

    host: str
    """Name or number of the interface, "" for a Unix socket."""
    port: int
    """TCP port; 0 lets a server take any that is free."""
    path: str = ""
    """Path of the Unix socket, "" for TCP."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Reads an address.

        Raises:
            InvalidInput: it has another form.
        """
        if text.startswith("unix:") and len(text) > len("unix:"):
            return cls("", 0, text.removeprefix("unix:"))
        found = _HOST_PORT.match(text)
        if not found or int(found["port"]) > 65_535:
            raise InvalidInput(
                f"an address must be host:port, [ipv6]:port or unix:/path, got {text!r}; for example 127.0.0.1:7070.",
                field="address",
            )
        return cls(found["v6"] or found["host"], int(found["port"]))

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
