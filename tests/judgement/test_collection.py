"""Collecting evidence under a limit of time."""

from __future__ import annotations

import threading

from diagnose.judgement.collection import PendingEvidence
from diagnose.judgement.deadline import TimeIsUpError, at_most

INTERRUPTIONS = 50


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
