"""Placeholders of pages under hostile values: what begins with `-` is never read as an option of
docker."""

from __future__ import annotations

import subprocess

import pytest

from diagnose import runbooks
from diagnose.runbooks.filling import fill_prose

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


def test_words_have_values_as_they_are_and_commands_between_backticks_have_them_quoted():
    text = "Give {name} more:\n`docker restart {name}`. {unknown}"
    filled = "Give a b more: `docker restart 'a b'`. {unknown}"
    assert fill_prose(text, {"name": "a b"}) == filled


def test_a_line_that_stands_alone_between_backticks_is_not_quoted():
    line = "proxy_set_header Host $host;"
    assert fill_prose("Write `{added}` into it.", {"added": line}) == f"Write `{line}` into it."


def test_a_word_with_both_kinds_of_quotes_is_one_word_and_readable():
    script = """printf '%s\\n' "$x" `y`"""
    typed = runbooks.fill("sh -c {script}", {"script": script})
    assert typed == """sh -c "printf '%s\\\\n' \\"\\$x\\" \\`y\\`\""""
    shown = subprocess.run(
        ["bash", "-c", f'sh() {{ printf %s "$2"; }}; {typed}'], capture_output=True, check=True
    )
    assert shown.stdout.decode() == script


def test_a_block_whose_words_cannot_be_filled_is_not_offered():
    block = runbooks.blocks_in("It runs as {user}:\n\n```sh confirm\nls {path}\n```\n", "page")[0]
    assert block.suits({"path", "user"}, frozenset())
    assert not block.suits({"path"}, frozenset())


def test_the_words_before_a_fix_are_filled_in_one_line():
    variables = {"container": "kibana", "searched": "search", "index": ".kibana_6\nrm"}
    cure = runbooks.cure("container.unhealthy", variables, runbooks.Place())
    assert cure is not None
    assert ".kibana_6 rm" in cure.impact
    assert "{" not in cure.impact
