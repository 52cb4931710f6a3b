"""How arrays enter memstore: anything array-like comes in, a checked read-only NumPy array comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Real

from memstore.errors import InvalidInput, Reason

Vector = Sequence[float] | Real[np.ndarray, "3"]
"""Three numbers, as people write them."""
Points = Sequence[Sequence[float]] | Real[np.ndarray, "*n 3"]
"""Points in metres, as people write them."""


def as_array(
    value: object, dtype: Any, shape: tuple[int | None, ...], name: str, *, reason: Reason = Reason.INVALID_INPUT
) -> np.ndarray:
    """Returns `value` as a read-only, C-contiguous array of `dtype`, without a copy where it already is one.

    Args:
        value: anything with `__array__`, `__array_interface__` or `__dlpack__` (NumPy, torch, JAX, nested lists).
        dtype: the dtype wanted, `None` for the dtype it has; casts that change the kind of number are refused.
        shape: the shape wanted, `None` for any length.
        name: what the caller calls it, for the message.

    Raises:
        InvalidInput: the shape or dtype does not fit.
    """
    array = _to_numpy(value, name, reason)
    dtype = array.dtype if dtype is None else dtype
    wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
    fits = array.ndim == len(shape) and all(n is None or n == m for n, m in zip(shape, array.shape, strict=True))
    if not fits:
        raise InvalidInput(f"{name} must have shape {wanted}, got {array.shape}.", reason=reason, field=name)
    if array.dtype != np.dtype(dtype) and not np.can_cast(array.dtype, dtype, casting="same_kind"):
        raise InvalidInput(
            f"{name} must be {np.dtype(dtype).name}, got {array.dtype.name}; convert it with "
            f".astype({np.dtype(dtype).name!r}) if the values have the right meaning.",
            reason=reason,
            field=name,
        )
    _require_room(array, np.dtype(dtype), name, reason)
    return read_only(np.ascontiguousarray(array, dtype=dtype))


def _require_room(array: np.ndarray, dtype: np.dtype[Any], name: str, reason: Reason) -> None:
    """Raises InvalidInput where a narrower integer would wrap around."""
    if dtype.kind not in "iu" or np.can_cast(array.dtype, dtype) or not array.size:
        return
    smallest, largest, room = array.min(), array.max(), np.iinfo(dtype)
    if smallest < room.min or largest > room.max:
        raise InvalidInput(
            f"{name} must fit {dtype.name}, {room.min} to {room.max}, got values from {smallest} to {largest}; scale "
            "or convert it first.",
            reason=reason,
            field=name,
        )


def read_only(array: np.ndarray) -> np.ndarray:
    """Returns a view of `array` that cannot be written through."""
    view = array.view()
    view.flags.writeable = False
    return view


def _to_numpy(value: object, name: str, reason: Reason) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    try:
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array_interface__"):
            return np.from_dlpack(_on_host(value))
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise InvalidInput(f"{name} cannot be read as an array: {error}.", reason=reason, field=name) from error


def _on_host(value: Any) -> Any:
    """Returns a torch-like tensor without its graph and in host memory; other arrays as they are."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        return value.detach().cpu()
    return value


def bare(array: Any) -> Any:
    """Returns a read-only view as a bare ndarray: memory maps and fresh arrays share one compiled kernel."""
    if type(array) is np.ndarray and not array.flags.writeable:
        return array
    view = array.view(np.ndarray)
    view.flags.writeable = False
    return view
