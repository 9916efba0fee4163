"""The law of linear time for what reads the words of containers outside the redaction: each pattern
of the checks and of the evidence, on the worst texts that its own grammar gives.

`tests/redact/test_linear.py` holds the redaction to it. A text that reaches these patterns has at
most 16 KiB: longer strings are cut where they are answered.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator

import pytest

from diagnose.programs.failures import FAILURES
from diagnose.programs.families.table import FAMILIES
from diagnose.programs.log_message import LONGEST
from tests.laws.patterns import RUNS, Method, pattern_of
from tests.redact.worst import Worst, spent, worst_texts

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(600)]

KIB = 1024
LENGTHS = (4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB)
SHORT_LENGTHS = (2 * KIB, 4 * KIB, 8 * KIB)
"""Enough for quadratic time to show, which takes 5 s for 32 KiB."""
FAST = 0.002
"""Seconds for 4 KiB that need no second look: even quadratic time would be 32 ms for 16 KiB."""
GROWTH = 2.7
"""Twice the length may take so much more time: 2, and what a busy machine adds. Quadratic time
takes 4. Held over all lengths at once: one slow moment of a busy machine turns a single step into
3 or into 2.5."""
NOISE_S = 0.004
"""What the collection of garbage and the other work of the machine may add to a measurement."""
SHARDS = 8
LINE_S = 0.15
"""Seconds for the longest line that is compared with a known failure. The dearest row takes 0.03 s
on a quiet machine, and 0.05 s on a busy one."""


@pytest.fixture(autouse=True)
def _without_collections() -> Iterator[None]:
    """A collection of all garbage takes 0.2 s in a process with all modules, and disturbs what is
    measured."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def breaches(run: Method, worst: Worst, lengths: tuple[int, ...] = LENGTHS) -> str | None:
    """How a text breaks the law, or None. A suspect is measured again, with more care.

    What takes long at 1 KiB already is not tried longer.
    """
    run("")  # compiles it
    short = spent(run, worst.text(KIB), 2)
    if short > 0.05:
        return f"{short:.2f} s for 1 KiB of {worst!r}"
    if spent(run, worst.text(lengths[0])) < FAST:
        return None
    most_growth = GROWTH ** (len(lengths) - 1)
    for times in (2, 4, 8):
        took = [spent(run, worst.text(length), times) for length in lengths]
        if took[-1] < most_growth * took[0] + NOISE_S:
            return None
    return f"{[round(seconds, 3) for seconds in took]} s on {worst!r}"


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
    assert any(name.startswith("diagnose.live.engine.daemon_process ^Uid") for name in RUNS), (
        "also what stands in a call"
    )


@pytest.mark.parametrize("pattern", [r"\S+@\S+x", r'"(.*?)": (.*?)gone', r"\d+x"])
def test_the_law_catches_a_pattern_that_is_not_linear(pattern: str) -> None:
    run = re.compile(pattern).search
    assert any(breaches(run, worst, SHORT_LENGTHS) for worst in worst_texts(re.compile(pattern)))
