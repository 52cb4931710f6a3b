"""Who did what, why, and in whose request: options of every command that leaves a step in the log."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Annotated

import typer

_PANEL = "For the log"


def login_name() -> str:
    """Returns the name of the person at the keyboard, "" where the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user, as in bare containers; until Python 3.13 a KeyError
        return ""


Author = Annotated[
    str,
    typer.Option(
        envvar="MEMSTORE_AUTHOR",
        help="Who; your login name by default.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
Message = Annotated[str, typer.Option("--message", "-m", help="Why.", show_default=False, rich_help_panel=_PANEL)]
RequestId = Annotated[
    str,
    typer.Option(
        help="Name of this request: run again under it, nothing is done twice.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


@dataclass(frozen=True)
class SignOptions:
    """Options of a step for the log."""

    message: Message = ""
    """Why."""
    author: Author = ""
    """Who."""
    request_id: RequestId = ""
    """Name of the request."""

    @property
    def signature(self) -> str:
        """Who, the login name where nobody is named."""
        return self.author or login_name()
