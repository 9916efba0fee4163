"""What the user asked of this run, as an answer, so that a tape holds it."""

from __future__ import annotations

from diagnose.live import Live
from diagnose.model import Json
from diagnose.recording.questions import Question


def options(live: Live, _: Question) -> Json:
    """{"since_s", "resolve", "wanted": selected check ids, none for all, "budget_s", "probe"}."""
    said = live.settings
    return {
        "since_s": said.since_s,
        "resolve": list(said.resolve),
        "wanted": list(said.wanted),
        "budget_s": said.budget_s,
        "probe": said.probe,
    }
