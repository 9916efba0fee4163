"""Collecting evidence under a limit of time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from diagnose import registry
from diagnose.judgement.collection import LEAST_BASIS_S, Collection, PendingEvidence
from diagnose.judgement.deadline import TimeIsUpError, at_most
from diagnose.model import Need, ReportBasis, Unavailable
from diagnose.recording.budget import Budget
from tests.hosts import Made

INTERRUPTIONS = 50


class Counted(msgspec.Struct, frozen=True):
    """Made evidence."""


class Head(msgspec.Struct, frozen=True):
    """Made evidence that is collected from the other."""


@pytest.fixture
def collectors(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[type, Any]]:
    """The collectors of made evidence, in place of all others."""
    made: dict[type, Any] = {}
    monkeypatch.setattr(registry, "_evidence", made)
    registry._stands_on.cache_clear()
    yield made
    registry._stands_on.cache_clear()


def test_evidence_from_a_recording_can_be_set_after_an_interruption() -> None:
    """The limit of time may end a collector while it sets its evidence, and sets it itself then."""
    for _ in range(INTERRUPTIONS):
        pending = PendingEvidence()
        try:
            with at_most(0.001):
                while True:
                    pending.settle(1)
        except TimeIsUpError:
            setter = threading.Thread(target=pending.settle, args=(2,), daemon=True)
            setter.start()
            setter.join(5)
            assert not setter.is_alive()
        assert pending.is_set()


def test_the_head_of_a_live_report_is_waited_for_after_the_end_of_collecting(
    collectors: dict[type, Any],
) -> None:
    """Without it a report on 8,000 containers says that no engine was reached."""
    waits = threading.Event()

    def basis() -> ReportBasis:
        waits.wait(LEAST_BASIS_S / 3)
        return ReportBasis(now=1.0)

    def level() -> Counted:
        waits.wait(5)
        return Counted()

    collectors.update({ReportBasis: basis, Counted: level})
    now = time.monotonic()
    collection = Collection(Made({}), Budget(ends=now, judged_by=now))
    try:
        assert (collection.get(Counted), collection.get(ReportBasis)) == (
            Unavailable("budget", "the counted evidence was not collected"),
            ReportBasis(now=1.0),
        )
    finally:
        waits.set()


def test_what_a_kind_stands_on_is_known_once_its_module_is_imported(
    collectors: dict[type, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence is begun early, before the module of the report's head is imported."""
    collectors[Counted] = Counted
    monkeypatch.setattr(registry, "needs_of", _needs_of_made)
    assert registry.stands_on(Head) == frozenset()
    collectors[Head] = Head
    assert registry.stands_on(Head) == {Counted}


def _needs_of_made(function: type) -> tuple[Need, ...]:
    return (Need("counted", Counted, optional=False),) if function is Head else ()


def test_forgotten_evidence_is_not_collected_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector that ends after the report still asks for what it stands on."""
    calls: list[Any] = []

    def counted() -> Counted:
        calls.append(1)
        return Counted()

    monkeypatch.setattr(registry, "collector", lambda _kind: counted)
    monkeypatch.setattr(registry, "needs_of", lambda _function: ())
    collection = Collection(Made({}), Budget.unlimited())
    assert collection.get(Counted) == Counted()
    collection.end()
    collection.forget()
    assert collection.get(Counted) != Counted()
    assert (len(calls), collection.uncollected) == (1, set())
