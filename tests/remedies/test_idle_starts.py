"""Starts of containers that the engine takes for running ones already."""

from __future__ import annotations

import pytest

from diagnose import runbooks

LOCKED = "container.data-locked"
CASES = {
    "it waits for its next restart": ("docker", {"web"}, "docker restart web"),
    "another container waits": ("docker", {"web-2"}, "docker start web"),
    "none waits": ("docker", set(), "docker start web"),
    "by another command": ("docker -H tcp://a:2376", {"web"}, "docker -H tcp://a:2376 restart web"),
}


@pytest.mark.parametrize(("docker", "restarting", "command"), CASES.values(), ids=CASES)
def test_a_start_that_would_do_nothing(docker: str, restarting: set[str], command: str) -> None:
    place = runbooks.Place(docker, restarting=frozenset(restarting))
    cure = runbooks.cure(LOCKED, {"container": "web", "holder": "old"}, place)
    assert cure is not None
    assert command in cure.text
