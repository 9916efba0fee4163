"""The subordinate ids that an engine remaps users to."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.subordinate_ids import subordinate_ids
from diagnose.model import Json, Unavailable
from diagnose.questions import Question
from diagnose.questions.files import ReadFile
from tests.hosts import Made

USERS = "alice:165536:65536\ndockremap:100000:65536\ndockremap:300000:1000\n"
GROUPS = "dockremap:100000:70000\n# a note\n"


def _config(remap: str) -> DaemonConfig:
    return DaemonConfig("/etc/docker/daemon.json", values={"userns-remap": remap})


def _file(question: Question[Any]) -> Json:
    assert isinstance(question, ReadFile)
    return {"text": USERS if question.path == "/etc/subuid" else GROUPS}


def test_all_ranges_of_the_user_count() -> None:
    host = Made({"file.read": _file})
    ids = subordinate_ids(host, _config("default"))
    assert not isinstance(ids, Unavailable)
    assert (ids.user, ids.count) == ("dockremap", 66536)


@pytest.mark.parametrize("remap", ["", "1000:1000"])
def test_without_a_name_no_file_is_read(remap: str) -> None:
    assert isinstance(subordinate_ids(Made({}), _config(remap)), Unavailable)
