"""The checker of annotations that `conftest.py` puts around every function of memstore while tests run."""

from collections.abc import Callable

from beartype import BeartypeConf, beartype

# The tower lets an int stand for a float, as type checkers do.
_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
SHAPES = {"Box", "HalfSpace", "Sphere", "ViewFrustum"}
SELECTIONS = {"And", "Frames", "Kinds", "Layers", "Made", "Not", "Or", "Ordinals", "PatchIds"}
OPERATIONS = {"Concatenate", "Duplicate", "Invert", "Relocate", "Stitch"}
DOORS = {"Camera", "Frame", "LatentSpec", "Query", "Transform"} | SHAPES | SELECTIONS | OPERATIONS
"""Values that take what people have, convert it and refuse nonsense in words: their own checks are under test."""


def checked(function: Callable) -> Callable:
    """Returns `function` with its annotations checked, but for the constructors of `DOORS`."""
    owner, _, name = function.__qualname__.rpartition(".")
    return function if name == "__init__" and owner in DOORS else _checked(function)
