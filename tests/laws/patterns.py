"""Each pattern of the checks and of the evidence, as its module uses it."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import checks
import diagnose
from diagnose.lazy_pattern import LazyPattern

OF_OUR_PAGES = "diagnose.render.explain"
"""Its patterns read our own pages, which nobody else writes."""
USES = ("search", "match", "fullmatch", "findall", "finditer", "split", "sub")
_LEFT_OUT = ("diagnose.redact", "diagnose.__main__", "diagnose.mcp.offered_tools")
"""The last one has no patterns, and imports the SDK of an extra."""
Method = Callable[[str], object]


def modules() -> Iterator[ModuleType]:
    for package in (checks, diagnose):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.startswith(_LEFT_OUT):
                yield importlib.import_module(found.name)


def patterns_in(value: Any, depth: int = 0) -> Iterator[re.Pattern[str]]:
    """The patterns in a value of a module: alone, in tables, in rows of tables."""
    if isinstance(value, LazyPattern):
        value = value.compiled
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
        return
    inner: Any = ()
    if isinstance(value, dict):
        inner = (*value, *value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        inner = value
    elif hasattr(value, "__struct_fields__") and not isinstance(value, type):
        inner = [getattr(value, field) for field in value.__struct_fields__]
    for child in inner if depth < 5 else ():
        yield from patterns_in(child, depth + 1)


@functools.cache
def methods_in(module: ModuleType) -> dict[str, set[str]]:
    """The methods that a module calls on each of its names."""
    called: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called.setdefault(node.value.id, set()).add(node.attr)
    return called


def written_in_calls(module: ModuleType) -> Iterator[tuple[re.Pattern[str], bool]]:
    """The patterns that stand in a call, as in `re.search("^a", text)`, and whether each is tried
    from the beginning of a text only."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        is_of_re = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in USES
        )
        if is_of_re and node.args and isinstance(node.args[0], ast.Constant):
            flags = re.MULTILINE if "MULTILINE" in ast.unparse(node) else 0
            pattern = re.compile(node.args[0].value, flags)
            yield pattern, node.func.attr in ("match", "fullmatch")


def runs() -> dict[str, Method]:
    """Each pattern as its module uses it: from the beginning of a text only, or from anywhere."""
    found: dict[tuple[str, int], tuple[str, Method]] = {}
    for module in modules():
        if module.__name__ == OF_OUR_PAGES:
            continue
        for name, value in vars(module).items():
            anchored = methods_in(module).get(name, set()) or {"search"}
            for pattern in patterns_in(value):
                is_anchored = anchored <= {"match", "fullmatch", "pattern"}
                method = pattern.fullmatch if is_anchored else pattern.search
                key = (pattern.pattern, pattern.flags)
                if key not in found or not is_anchored:
                    found[key] = (f"{module.__name__}.{name} {pattern.pattern[:60]}", method)
        for pattern, is_anchored in written_in_calls(module):
            method = pattern.fullmatch if is_anchored else pattern.search
            key = (pattern.pattern, pattern.flags)
            found.setdefault(key, (f"{module.__name__} {pattern.pattern[:60]}", method))
    return dict(found.values())


RUNS = runs()


def pattern_of(run: Method) -> re.Pattern[str]:
    return run.__self__  # type: ignore[attr-defined, no-any-return]
