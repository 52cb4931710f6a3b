"""Options in groups: a frozen dataclass of options that commands share stands for each of its fields."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from inspect import Parameter
from typing import Any, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Returns a command whose parameters that are dataclasses of options are spread into these options.

    Fields are annotated as parameters of typer commands are: `Annotated[int, typer.Option(...)]`, with a default.
    """
    signature = inspect.signature(command, eval_str=True)
    annotations = {name: each.annotation for name, each in signature.parameters.items()}
    groups: dict[str, Any] = {name: each for name, each in annotations.items() if is_dataclass(each)}

    @functools.wraps(command)
    def spread_command(**given: Any) -> None:
        taken = {
            name: group(**{each.name: given.pop(each.name) for each in fields(group)}) for name, group in groups.items()
        }
        command(**given, **taken)

    parameters = [one for each in signature.parameters.values() for one in _spread(each)]
    shown: Any = spread_command
    shown.__signature__ = signature.replace(parameters=parameters)
    shown.__annotations__ = {each.name: each.annotation for each in parameters} | {"return": None}
    return spread_command


def _spread(parameter: Parameter) -> Iterator[Parameter]:
    """Yields a parameter, or one for each field of the group that it is."""
    group = parameter.annotation
    if not is_dataclass(group):
        yield parameter.replace(kind=Parameter.KEYWORD_ONLY)
        return
    hints = get_type_hints(group, include_extras=True)
    for each in fields(group):
        yield Parameter(each.name, Parameter.KEYWORD_ONLY, default=_default(each), annotation=hints[each.name])


def _default(option: Field[Any]) -> Any:
    return Parameter.empty if option.default is MISSING else option.default
