"""Commands of compose files in which a variable is replaced by nothing."""

from __future__ import annotations

import time

import pytest

from diagnose.live.disk.compose.references import blank_commands

FILE = "/srv/jobs/compose.yaml"
HEAD = "services:\n  db:\n    image: postgres\n  worker:\n    image: jobs:3\n"

COMMANDS: dict[str, tuple[str, str, list[str] | None]] = {
    "a plain text": ("command: work --queue ${QUEUE}", "", ["work", "--queue"]),
    "without braces": ("command: work --queue=$QUEUE -v", "", ["work", "--queue=", "-v"]),
    "in quotes": ('command: "work ${QUEUE} -v"', "", ["work", "-v"]),
    "a list in one line": ('command: ["work", "--queue", "${QUEUE}"]', "", ["work", "--queue", ""]),
    "a list below": ("command:\n      - work\n      - ${QUEUE}", "", ["work", ""]),
    "a list as deep as its key": ("command:\n    - work\n    - '$QUEUE'", "", ["work", ""]),
    "a script of several lines": (
        "command: >\n      sh -c 'work\n      ${QUEUE}'",
        "",
        ["sh", "-c", "work "],
    ),
    "the entry point": ("entrypoint: work ${QUEUE}", "", ["work"]),
    "a dollar for the shell": ("command: sh -c 'work $${QUEUE}'", "", None),
    "a default": ("command: work ${QUEUE:-mail}", "", None),
    "set beside the file": ("command: work ${QUEUE}", "QUEUE=mail\n", None),
    "one of two is set": ("command: work ${QUEUE} ${PLACE}", "PLACE=here\n", None),
    "what a shell has": ("command: work ${HOME}", "", None),
    "no variable": ("command: work mail", "", None),
    "another key": ("labels:\n      - work=${QUEUE}", "", None),
    "a quote too many": ("command: work '${QUEUE}", "", None),
    "a comment": ("command: work mail # not ${QUEUE}", "", None),
}


@pytest.mark.parametrize(("command", "dotenv", "words"), COMMANDS.values(), ids=COMMANDS)
def test_what_compose_makes_of_a_command(
    command: str, dotenv: str, words: list[str] | None
) -> None:
    texts = {FILE: f"{HEAD}    {command}\n    restart: always\n", "/srv/jobs/.env": dotenv}
    found = blank_commands(texts)
    key = command.partition(":")[0]
    place = {"path": FILE, "line": 6, "service": "worker", "key": key, "names": ["QUEUE"]}
    assert found == ([] if words is None else [{**place, "words": words}])


@pytest.mark.parametrize("words", ['["' + '\\"' * 130_000, "$A " + "{a " * 80_000])
def test_a_command_without_end_takes_no_time(words: str) -> None:
    began = time.process_time()
    assert blank_commands({"/c.yml": f"services:\n  web:\n    command: {words}\n"}) == []
    assert time.process_time() - began < 0.5
