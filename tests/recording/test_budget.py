"""How much time a replay has, also where other programs have the processors."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from diagnose.recording.budget import (
    LEAST_REPLAY_S,
    MOST_SLOWNESS,
    MOST_USUAL_S,
    Budget,
    read_until,
    usual_seconds,
)

SCHEDSTATS = {
    "a processor of its own": ("80000000 900000 40\n", 10),
    "it waits as long as it works": ("80000000 80000000 40\n", 20),
    "it waits nine times as long": ("80000000 720000000 40\n", MOST_USUAL_S),
    "the kernel does not count": ("", 10),
}
"""The contents of /proc/self/schedstat, and the seconds of a run."""


@pytest.mark.parametrize(("text", "seconds"), SCHEDSTATS.values(), ids=SCHEDSTATS)
def test_a_run_without_a_limit_has_longer_on_a_busy_host(
    text: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _: text)
    assert usual_seconds() == seconds


WAITED = {
    "a free processor": (1.0, 1.0, 10.0),
    "the start took 8 s for the work of 0.8 s": (8.0, 0.8, 8.0 + 2.5 * MOST_SLOWNESS),
    "the start took 8 s for the work of 4 s": (8.0, 4.0, 8.0 + 2.5 * 2),
    "a budget that is long enough anyway": (8.0, 0.8, 60.0),
}


@pytest.mark.parametrize(("elapsed", "worked", "ends"), WAITED.values(), ids=WAITED)
def test_a_replay_has_longer_where_the_process_waits_for_a_processor(
    elapsed: float, worked: float, ends: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0 + elapsed)
    monkeypatch.setattr(time, "process_time", lambda: worked)
    seconds = 60.0 if ends == 60.0 else 10.0
    assert Budget.of_replay(1000.0, seconds).judged_by == pytest.approx(1000.0 + ends)
    assert read_until(1000.0, seconds) <= 1000.0 + ends


def test_the_longest_step_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 2000.0)
    monkeypatch.setattr(time, "process_time", lambda: 0.0)
    longest = LEAST_REPLAY_S * MOST_SLOWNESS
    assert Budget.of_replay(1000.0, 600.0).judged_by == pytest.approx(2000.0 + longest)


@pytest.mark.parametrize(
    ("containers", "seals", "ends"),
    [
        (0, False, 9.7),
        (0, True, 9.5),
        (4000, False, 8.5),
        (4000, True, 7.38),
        (100_000, False, 5.0),
        (100_000, True, 4.0),
    ],
)
def test_a_large_host_is_asked_for_less_long_and_a_bundle_of_it_even_less(
    containers: int, seals: bool, ends: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diagnose.recording.budget.waiting_factor", lambda: 1.0)
    began = time.monotonic()
    budget = Budget.of_run(began, 10.0)
    if seals:
        budget.keep_for_sealing(lambda: 0)
    budget.keep_for_reporting(began, containers)
    assert budget.ends == pytest.approx(began + ends)
