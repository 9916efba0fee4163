"""Compose projects whose files cannot be read."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.settings.written_projects import written_projects
from diagnose.model import Failed, Json
from tests.checks.container.written import made
from tests.hosts import Made
from tests.inspected import of

ANSWERS: dict[str, tuple[Json | Failed, str]] = {
    "no answer": (Failed("timed out", "after 1.5 s"), "timed out"),
    "only root": ({"services": [], "closed": "/srv/shop/compose.yaml"}, "only root may read it"),
    "broken": ({"services": [], "unread": "/srv/shop/compose.yaml: no valid YAML"}, "no valid YAML"),
    "elsewhere": ({"services": [], "closed": ""}, ""),
    "read": ({"services": [{"name": "web"}]}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "why"), ANSWERS.values(), ids=ANSWERS)
def test_what_is_not_read_is_said(answer: Json | Failed, why: str) -> None:
    found = written_projects(Made({"file.compose-project": answer}), of(made("web"), made("db")))
    reasons = [item.why for item in found.unexamined]
    assert len(reasons) == bool(why)
    assert all(why in reason for reason in reasons)
