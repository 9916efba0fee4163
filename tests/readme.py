"""`python -m tests.readme`: write what the program itself says into the documents: the beginning of
a report and the table of families into README.md, and a check as it is into CONTRIBUTING.md.

`tests/laws/test_contract.py` compares them.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from pathlib import Path

from checks.daemon import posture
from diagnose import registry
from tests import command_line

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
CHANGES_WITH_EACH_CHECK = re.compile(
    r"^note: this bundle is incomplete: .*\n|\n\n\d+ checks could not run\.\n(?s:.*)", re.MULTILINE
)
"""What the recorded host is too old for: each new check would change it, and two that are written
at the same time would collide. It says nothing about a report of today's host."""


def sample() -> str:
    """What the recorded broken host prints first at 80 columns, with a fixed duration."""
    words = ("all", "--from", "demo", "--no-color", "--budget", "60")
    done = command_line.run(*words, env={**os.environ, "COLUMNS": "80"})
    whole = re.sub(r"in \d+\.\d s", "in 1.0 s", done.stdout)
    head, first, *_ = CHANGES_WITH_EACH_CHECK.sub("", whole).split("\n\n")
    return f"{head}\n\n{first}\n\n...\n"


def families() -> str:
    """The families as a table."""
    names = sorted({id.partition(".")[0] for id in registry.load()})
    rows = [f"| {name} | {_about(name)} |" for name in names]
    return "\n".join(["| family | what its checks are about |", "|---|---|", *rows]) + "\n\n"


def _about(family: str) -> str:
    """The first paragraph of the family's docstring, on one line."""
    about = (sys.modules[f"checks.{family}"].__doc__ or "").strip().partition("\n\n")[0]
    return " ".join(about.split())


def example() -> str:
    """A check that needs nothing but its evidence."""
    return inspect.getsource(posture.debug_on)


def rewritten(text: str) -> str:
    """The README with its parts as they are today."""
    with_sample = re.sub(
        r"(\n\n```\n)CRITICAL dockerhost.*?(```\n)",
        lambda part: part[1] + sample() + part[2],
        text,
        count=1,
        flags=re.DOTALL,
    )
    return re.sub(r"\| family \| what .*?\n\n", lambda _: families(), with_sample, flags=re.DOTALL)


def with_example(text: str) -> str:
    """CONTRIBUTING with the check of its worked example as it is today."""
    block = r"(```python\n)@check\(\"daemon.debug-on\".*?(```\n)"
    return re.sub(block, lambda part: part[1] + example() + part[2], text, flags=re.DOTALL)


if __name__ == "__main__":
    CONTRIBUTING.write_text(with_example(CONTRIBUTING.read_text()))
    README.write_text(rewritten(README.read_text()))
