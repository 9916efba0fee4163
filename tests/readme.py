"""`python -m tests.readme`: write what the program itself says: parts of README.md, and the index
of the pages.

The parts are the samples of a report and the table of checks. `tests/laws/test_contract.py`
compares all of it.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from pathlib import Path

from diagnose import registry
from tests import command_line

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
INDEX = ROOT / "runbooks" / "README.md"
FIRST_LINES = 44
"""So many lines of the sample report are shown; a whole root is not cut where it can be avoided."""


SHOWN_FIRST = "storage.disk-full"
"""The block of the sample that is at the head of README."""


CHANGES_WITH_EACH_CHECK = re.compile(
    r"^note: this bundle is incomplete: .*\n|\n\n\d+ checks could not run\.\n(?s:.*)", re.MULTILINE
)
"""What the recorded host is too old for: each new check would change it, and two that are written
at the same time would collide. It says nothing about a report of today's host."""


@functools.cache
def _blocks() -> tuple[str, ...]:
    """What the recorded broken host prints at 80 columns, by block, with a fixed duration."""
    words = ("all", "--from", "demo", "--no-color", "--budget", "60")
    done = command_line.run(*words, env={**os.environ, "COLUMNS": "80"})
    whole = re.sub(r"in \d+\.\d s", "in 1.0 s", done.stdout)
    return tuple(CHANGES_WITH_EACH_CHECK.sub("", whole).split("\n\n"))


def first_sample() -> str:
    """The head of the report and one of its blocks."""
    head, *blocks = _blocks()
    shown = next(block for block in blocks if SHOWN_FIRST in block.partition("\n")[0])
    status, engine = head.splitlines()[:2]
    return f"{status}\n{engine}\n\n...\n\n{shown}\n"


def sample() -> str:
    """The beginning of the report, and its end."""
    blocks = list(_blocks())
    shown = [blocks.pop(0)]
    while sum(block.count("\n") + 2 for block in [*shown, blocks[0]]) <= FIRST_LINES:
        shown.append(blocks.pop(0))
    return "\n\n".join([*shown, "...", blocks[-1]]).rstrip("\n") + "\n"


def table() -> str:
    """All checks as `diagnose list` prints them in Markdown."""
    return command_line.run("list", "--format", "markdown").stdout


def rewritten(text: str) -> str:
    """The README with its parts as they are today."""
    text = re.sub(
        r"(\A# diagnose\n.*?```\n).*?(```\n)",
        lambda part: part[1] + first_sample() + part[2],
        text,
        count=1,
        flags=re.DOTALL,
    )
    text = re.sub(
        r"(## What it looks like\n\n```\n).*?(```\n)",
        lambda part: part[1] + sample() + part[2],
        text,
        flags=re.DOTALL,
    )
    return re.sub(r"\| id \| severity \|.*?\n\n", lambda _: table() + "\n", text, flags=re.DOTALL)


def index() -> str:
    """The list of all pages by family, each family in the words of its module."""
    lines = [
        "# Runbooks",
        "",
        "One page for each check. `diagnose explain ID` shows a page in the terminal.",
    ]
    family = ""
    for check in sorted(registry.load().values(), key=lambda check: check.id):
        if check.id.partition(".")[0] != family:
            family = check.id.partition(".")[0]
            about = (sys.modules[f"checks.{family}"].__doc__ or "").strip().partition("\n\n")[0]
            lines += [
                "",
                f"## {family}",
                "",
                " ".join(about.split()),
                "",
                "| page | severity | problem |",
                "|---|---|---|",
            ]
        lines.append(
            f"| [{check.id}]({check.id}.md) | {check.severity} | {check.title.rstrip('.')} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text()))
    INDEX.write_text(index())
