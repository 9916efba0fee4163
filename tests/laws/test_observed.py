"""The law about `observed=True`: who marks a check, and who may not.

A finding that repeats words takes its classes of error from them (`signs=signs(text)`, or those of
a log's tail); one about the host itself names the classes that such a fault brings. So the mark can
be read off the code of a check and of what it calls.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from typing import NamedTuple

from diagnose.model import Check
from tests.laws.house import CHECKS, ROOT


class _Code(NamedTuple):
    """The functions of a module of checks, those of a class by its name."""

    functions: dict[str, list[ast.FunctionDef]]
    homes: dict[str, str]
    """The modules of checks that its imported names are from."""


@functools.cache
def _code(module: str) -> _Code:
    path = ROOT / (module.replace(".", "/") + ".py")
    body = ast.parse(path.read_text()).body if path.is_file() else []
    code = _Code({}, {})
    for node in body:
        if isinstance(node, ast.FunctionDef):
            code.functions[node.name] = [node]
        elif isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            code.functions[node.name] = methods
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("checks."):
            code.homes.update((alias.name, node.module or "") for alias in node.names)
    return code


def _reached(check: Check) -> Iterator[ast.FunctionDef]:
    """The function of a check, and those of its family that it names, directly or not."""
    seen: set[tuple[str, str]] = set()
    waiting = [(check.function.__module__, check.function.__name__)]
    while waiting:
        module, name = place = waiting.pop()
        code = _code(module)
        if place in seen:
            continue
        seen.add(place)
        if name in code.homes:
            waiting.append((code.homes[name], name))
        for function in code.functions.get(name, ()):
            yield function
            names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            waiting += [(module, named) for named in names & (code.functions | code.homes).keys()]


def _repeats_words(function: ast.FunctionDef) -> bool:
    """Whether a finding made here has its classes of error from a text."""
    return any(
        (isinstance(part, ast.Call) and ast.unparse(part.func) == "signs")
        or (isinstance(part, ast.Attribute) and part.attr in ("signs", "kind"))
        for node in ast.walk(function)
        if isinstance(node, ast.keyword) and node.arg == "signs"
        for part in ast.walk(node.value)
    )


def test_a_check_is_marked_as_observed_if_it_repeats_words():
    """Where no other check can be the cause, nothing reads the mark, and none may stand."""
    caused = {id for check in CHECKS.values() for id in check.causes}
    effects = [check for check in CHECKS.values() if check.caused_by or check.id in caused]
    repeating = {check.id for check in effects if any(map(_repeats_words, _reached(check)))}
    assert len(repeating) > 20
    assert {check.id for check in CHECKS.values() if check.observed} == repeating
