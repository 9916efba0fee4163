"""`python -m tests.new_checks REVISION`: the checks that are new since a revision, for the
changelog of a release: id, severity and title, by their pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection
from pathlib import Path, PurePath

from diagnose import registry


def pages(revision: str) -> set[str]:
    """The ids that had a page then."""
    listed = subprocess.run(
        ["git", "ls-tree", "--name-only", revision, "runbooks/"],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {PurePath(path).stem for path in listed.stdout.splitlines()}


def lines(known: Collection[str]) -> list[str]:
    """A line for each check that is not known, by id."""
    return [
        f"- `{id}` ({check.severity}): {check.title[0].lower()}{check.title[1:]}"
        for id, check in registry.load().items()
        if id not in known
    ]


if __name__ == "__main__":
    print(*lines(pages(sys.argv[1])), sep="\n")
