"""Commands that are wider than the terminal: diagnose/render/shell.py."""

from __future__ import annotations

import subprocess

import pytest

from diagnose.model import container
from diagnose.render.outlines.outline_block import FindingTree, block
from diagnose.render.shell import folded, is_wall
from tests.reports import found, report

WIDTH = 40
COMMANDS = {
    "words": "printf '%s|' one two three four five six seven eight nine ten eleven",
    "a text in quotes": "printf '%s|' 'one two three four five six seven eight nine' \"ten  and eleven\" x",
    "a quote in words of a shell": "sh -c 'printf %s| '\"'\"'a  b c d e f g h i j k l m n o p q'\"'\"''",
    "a pipe": "printf 'b\\na\\n' | sort | tr a-z A-Z | sed -e s/A/x/ -e s/B/y/ | head -n 5",
    "a quote over two lines": "printf '%s|' 'one two three four five six seven\n eight  nine ten' eleven twelve x",
    "an escaped space": "printf '%s|' a\\ b\\ c\\ d\\ e\\ f\\ g\\ h\\ i\\ j\\ k\\ l\\ m\\ n\\ o",
    "a comment": "printf '%s|' one two # three four five six seven eight nine",
    "a substitution": "printf '%s|' $(printf '%s ' one two three four five) $(echo six seven)",
    "a substitution in quotes": "printf '%s|' \"$(printf '%s ' one two three \"four  five\" six)\" seven",
    "a document": "cat <<END\none two three four five six seven eight nine ten\nEND",
}


def _printed(command: str) -> str:
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_folded_command_does_the_same(command: str) -> None:
    assert _printed(folded(command, WIDTH)) == _printed(command)


@pytest.mark.parametrize("name", ["words", "a pipe", "a substitution"])
def test_words_fit_the_width(name: str) -> None:
    rows = folded(COMMANDS[name], WIDTH).splitlines()
    assert len(rows) > 1
    assert max(map(len, rows)) <= WIDTH


def test_a_command_that_fits_stays() -> None:
    assert folded("docker start web", WIDTH) == "docker start web"


def test_nobody_reads_a_wall_before_typing_it() -> None:
    assert not is_wall("\n".join(["docker start web"] * 5), WIDTH)
    assert is_wall("\n".join(["docker start web"] * 6), WIDTH)
    assert is_wall("awk 'a text in quotes that is " + "very " * 12 + "long'", WIDTH)


@pytest.mark.parametrize(
    ("names", "followed"),
    [
        (("web",), "container.restart-loop"),
        (("web", "db"), "container.restart-loop@container:web"),
        (("two words", "db"), "'container.restart-loop@container:two words'"),
    ],
)
def test_what_is_followed_is_one_finding(names: tuple[str, ...], followed: str) -> None:
    findings = [found("container.restart-loop", container(name)) for name in names]
    tree = FindingTree.of(report(*findings))
    assert block(findings[:1], tree).followed == followed
