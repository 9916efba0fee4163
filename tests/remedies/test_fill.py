"""Placeholders of pages under hostile values: what begins with `-` is never read as an option of
docker."""

from __future__ import annotations

import pytest

from diagnose import runbooks

FILLED = {
    "an operand": ("{docker} logs {name}", "docker logs -- -rf"),
    "behind an option with a value": (
        "{docker} logs --tail 50 {name}",
        "docker logs --tail 50 -- -rf",
    ),
    "behind a switch": ("{docker} rm -f {name}", "docker rm -f -- -rf"),
    "the value of an option": (
        "{docker} run --name {name} busybox",
        "docker run --name -rf busybox",
    ),
    "two operands": ("{docker} network connect {name} {name}", "docker network connect -- -rf -rf"),
    "after a dash of its own": ("{docker} exec -- {name} ls", "docker exec -- -rf ls"),
    "the beginning of a word": ("{docker} cp {name}:/x .", "docker cp -- -rf:/x ."),
    "the end of a word": ("{docker} cp a:{name} .", "docker cp a:-rf ."),
    "in the second command": ("ls | {docker} inspect {name}", "ls | docker inspect -- -rf"),
    "of another program": ("{docker} ps; ip link show {name}", "docker ps; ip link show -rf"),
    "on a continued line": ("{docker} logs \\\n  {name}", "docker logs \\\n  -- -rf"),
    "in a loop": (
        "for x in 1; do\n{docker} logs {name}\ndone",
        "for x in 1; do\ndocker logs -- -rf\ndone",
    ),
}


@pytest.mark.parametrize("case", FILLED)
def test_a_name_that_begins_with_a_dash(case: str):
    text, filled = FILLED[case]
    assert runbooks.fill(text, {"name": "-rf"}) == filled


def test_an_ordinary_name_needs_no_dashes():
    assert runbooks.fill("{docker} logs {name}", {"name": "shop"}) == "docker logs shop"


def test_the_words_before_a_fix_are_filled_in_one_line():
    variables = {"container": "kibana", "searched": "search", "index": ".kibana_6\nrm"}
    cure = runbooks.cure("container.unhealthy", variables, runbooks.Place())
    assert cure is not None
    assert ".kibana_6 rm" in cure.impact
    assert "{" not in cure.impact
