"""The paths below mounts that lines name: diagnose/evidence/containers/mounts/bind_mounts.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.bind_mounts import named_path
from tests.inspected import container

GAME: dict[str, Any] = {
    "Type": "bind",
    "Source": "/home/u/game",
    "Destination": "/palworld",
    "RW": True,
}
LINES = {
    "the end of a sentence": ("no read/write permissions to /palworld! Please run chown", ()),
    "a question": ("is there a file /palworld/server.ini?", ("server.ini",)),
    "a full stop": ("cannot write to /palworld/saves.", ("saves",)),
    "quoted": ("cannot write '/palworld/wow!'", ("wow!",)),
}


@pytest.mark.parametrize(("line", "rest"), LINES.values(), ids=LINES)
def test_the_end_of_a_path(line: str, rest: tuple[str, ...]):
    place = named_path(container("game", Mounts=[GAME]), line)
    assert place is not None
    assert place.rest == rest
