"""The law of linear time for what reads the words of containers outside the redaction: each pattern
of the checks and of the evidence, on the worst texts that its own grammar gives.

`tests/redact/test_linear.py` holds the redaction to it. A text that reaches these patterns has at
most 16 KiB: longer strings are cut where they are answered.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import checks
import diagnose
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import FAILURES
from diagnose.programs.families.table import FAMILIES
from diagnose.programs.log_message import LONGEST
from tests.redact.worst import Worst, worst_texts

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(600)]

KIB = 1024
LENGTHS = (4 * KIB, 8 * KIB, 16 * KIB)
FAST = 0.002
"""Seconds for 4 KiB that need no second look: even quadratic time would be 32 ms for 16 KiB."""
GROWTH = 2.7
"""Twice the length may take so much more time: 2, and what a busy machine adds. Quadratic time
takes 4."""
SHARDS = 8
LINE_S = 0.05
"""Seconds for the longest line that is compared with a known failure."""
OF_OUR_PAGES = "diagnose.render.explain"
"""Its patterns read our own pages, which nobody else writes."""
Method = Callable[[str], object]


def modules() -> Iterator[ModuleType]:
    for package in (checks, diagnose):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.startswith(("diagnose.redact", "diagnose.__main__")):
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
    for item in inner if depth < 5 else ():
        yield from patterns_in(item, depth + 1)


@functools.cache
def methods_in(module: ModuleType) -> dict[str, set[str]]:
    """The methods that a module calls on each of its names."""
    called: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called.setdefault(node.value.id, set()).add(node.attr)
    return called


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
    return dict(found.values())


RUNS = runs()


def pattern_of(run: Method) -> re.Pattern[str]:
    return run.__self__  # type: ignore[attr-defined, no-any-return]


def spent(run: Method, text: str, times: int = 1) -> float:
    """Seconds of the processor's time, the best of several."""
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()
        run(text)
        best = min(best, time.process_time() - begun)
    return best


def breaches(run: Method, worst: Worst) -> str | None:
    """How a text breaks the law, or None. What takes long at 1 KiB already is not tried longer."""
    short = spent(run, worst.text(KIB))
    if short > 0.05:
        return f"{short:.2f} s for 1 KiB of {worst!r}"
    if spent(run, worst.text(LENGTHS[0])) < FAST:
        return None
    took = [spent(run, worst.text(length), 3) for length in LENGTHS]
    grows = took[1] > GROWTH * took[0] and took[2] > GROWTH * took[1]
    return f"{[round(seconds, 3) for seconds in took]} s on {worst!r}" if grows else None


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_pattern_takes_linear_time_on_its_own_worst_texts(shard: int) -> None:
    found = {}
    for name, run in sorted(RUNS.items())[shard::SHARDS]:
        for worst in worst_texts(pattern_of(run), tries=1):
            if breach := breaches(run, worst):
                found[name] = breach
                break
    assert not found, "\n".join(f"{name}: {breach}" for name, breach in found.items())


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_known_failure_takes_no_time_on_a_line(shard: int) -> None:
    """A line is cut before it is compared with these rows, so that not the growth counts."""
    found = {}
    for failure in (*FAILURES, *FAMILIES)[shard::SHARDS]:
        texts = [worst.text(LONGEST) for worst in worst_texts(failure.compiled, tries=1)]
        took = max(spent(failure.compiled.search, text) for text in texts)
        if took > LINE_S:
            again = max(spent(failure.compiled.search, text, 3) for text in texts)
            found |= {failure.name: round(again, 3)} if again > LINE_S else {}
    assert not found


def test_the_law_covers_the_patterns_of_checks_and_evidence() -> None:
    assert len(RUNS) > 500
    assert any(name.startswith("checks.") for name in RUNS)
    assert any(name.startswith("diagnose.evidence.") for name in RUNS)
    assert any(name.startswith("diagnose.programs.") for name in RUNS)


@pytest.mark.parametrize("pattern", [r"\S+@\S+x", r'"(.*?)": (.*?)gone', r"\d+x"])
def test_the_law_catches_a_pattern_that_is_not_linear(pattern: str) -> None:
    run = re.compile(pattern).search
    assert any(breaches(run, worst) for worst in worst_texts(re.compile(pattern)))
