"""What a run on a host needs before it asks anything."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diagnose import registry, session
from diagnose.judgement import engine
from diagnose.live import Live, _collector, packages
from diagnose.model import Check, ReportBasis
from diagnose.questions import AnyQuestion
from diagnose.questions.run import Options
from diagnose.recording.recorder import Recorder

ROOT = Path(__file__).parents[2]


def test_a_package_that_cannot_be_loaded_is_no_dead_engine(tmp_path: Path) -> None:
    folder = tmp_path / packages.PARSER
    folder.mkdir()
    (folder / "__init__.py").write_text("raise ImportError('parser.so: wrong ELF class')")
    done = subprocess.run(
        [sys.executable, "-m", "diagnose", "check", "daemon.not-running"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 3
    assert "httptools cannot be loaded (parser.so: wrong ELF class)" in done.stderr
    assert done.stdout == ""


def test_the_engine_is_asked_while_the_checks_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that asks must not import beside the main thread: it would come last."""
    begun: list[AnyQuestion] = []
    monkeypatch.setattr(Recorder, "begin", lambda _recorder, question: begun.append(question))
    monkeypatch.setattr(Live, "start_helpers", lambda *_, **__: None)
    _collector.cache_clear()

    def load() -> dict[str, Check]:
        assert begun == list(session.ASKED_FIRST)
        assert _collector.cache_info().currsize, "what answers is not imported yet"
        raise session.InvalidRequestError("loaded")

    with pytest.raises(session.InvalidRequestError, match="loaded"):
        session.diagnose(load, None, Options(), began=time.monotonic())


def test_what_waits_on_every_host_is_begun_before_the_checks_are_imported() -> None:
    """No check is imported for it, and none of our own evidence is missing from the list."""
    code = """
import sys
from diagnose import registry
early = registry.early()
assert not any(name.startswith("checks") for name in sys.modules), "a check is imported"
registry.load()
assert set(registry.early()) == set(early), registry.early()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_run_of_all_checks_collects_what_was_begun_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of some checks asks for nothing else."""
    begun: list[object] = []
    monkeypatch.setattr(engine, "begun_early", lambda *_: begun.append("early"))
    monkeypatch.setattr(Live, "start_helpers", lambda *_, **__: None)

    def load() -> dict[str, Check]:
        raise session.InvalidRequestError("loaded")

    for selected, expected in (("daemon.debug-on",), []), (None, ["early"]):
        with pytest.raises(session.InvalidRequestError, match="loaded"):
            session.diagnose(load, selected, Options(), began=time.monotonic())
        assert begun == expected


def test_each_report_needs_what_is_asked_first() -> None:
    """Also where one check is asked for: nothing is asked of the engine that nobody reads."""
    registry.load(())
    basis = registry.stands_on(ReportBasis)
    assert {kind.__name__ for kind in basis} >= {"Containers", "Info", "Networks"}
