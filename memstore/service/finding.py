"""From names in requests to worlds of the engine."""

from __future__ import annotations

from memstore.database import Database
from memstore.wire.names import WorldName
from memstore.world import World


def find_world(database: Database, name: str, commit: str = "", *, field: str = "world") -> World:
    """Returns the world of a resource name, pinned to `commit` unless that is "".

    Raises:
        InvalidInput: `name` has another form.
        NotFound: there is no such world, branch or commit.
    """
    wanted = WorldName.parse(name, field)
    world = database.world(wanted.world)
    if wanted.branch not in ("", world.branch_name):
        world = world.branch(wanted.branch)
    return world.at(commit) if commit else world
