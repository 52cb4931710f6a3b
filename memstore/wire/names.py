"""Resource names: `worlds/{world}` and `worlds/{world}/branches/{branch}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from memstore.errors import InvalidInput, Reason

_NAME = re.compile(r"worlds/(?P<world>[^/]+)(?:/branches/(?P<branch>[^/]+))?\Z")


@dataclass(frozen=True)
class WorldName:
    """A world, perhaps with one of its branches.

    >>> str(WorldName("museum", "night"))
    'worlds/museum/branches/night'
    >>> WorldName.parse("worlds/museum")
    WorldName(world='museum', branch='')
    """

    world: str
    """Name of the world."""
    branch: str = ""
    """Name of the branch, "" for the main one."""

    @classmethod
    def parse(cls, text: str, field: str = "name") -> WorldName:
        """Reads a name.

        Raises:
            InvalidInput: it has another form.
        """
        found = _NAME.match(text)
        if not found:
            raise InvalidInput(
                f"{field} must be worlds/{{world}} or worlds/{{world}}/branches/{{branch}}, got {text[:80]!r}.",
                reason=Reason.INVALID_NAME,
                field=field,
            )
        return cls(unquote(found["world"]), unquote(found["branch"] or ""))

    def __str__(self) -> str:
        # Names that no world can have are quoted, so that they are looked for and not found, here as embedded.
        world, branch = quote(self.world, safe=""), quote(self.branch, safe="")
        return f"worlds/{world}" + (f"/branches/{branch}" if branch else "")
