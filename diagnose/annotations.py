"""The types that the annotations of checks and collectors allow."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any


@functools.cache
def hints(function: Callable[..., Any]) -> dict[str, tuple[Any, ...]]:
    """The types that each annotation of a function allows, by parameter.

    They are read when it is registered and again when it is called. Nearly all are names of types
    with `|` between them, and to look a name up costs a tenth of compiling it, as
    `inspect.get_annotations` does: 21 ms for all checks and collectors.
    """
    function = inspect.unwrap(function)
    scope = function.__globals__
    allowed = {}
    for parameter, annotation in function.__annotations__.items():
        names = str(annotation).split(" | ")
        try:
            allowed[parameter] = tuple(
                [types.NoneType if name == "None" else scope[name] for name in names]
            )
        except KeyError:
            evaluated = inspect.get_annotations(function, eval_str=True)
            return {name: _alternatives(type_) for name, type_ in evaluated.items()}
    return allowed


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return typing.get_args(annotation)
    return (annotation,)
