"""What the tool knows of itself."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from diagnose.live import Live, tool
from diagnose.questions.run import ReadClock


def test_the_boot_is_known_without_the_kernels_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: Path, encoding: str = "") -> str:
        raise FileNotFoundError(path, encoding)

    monkeypatch.setattr(Path, "read_text", missing)
    answer = tool.now(Live(), ReadClock())
    assert isinstance(answer, dict)
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    assert answer["boot_wall"] == pytest.approx(booted, abs=5)
