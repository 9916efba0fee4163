"""`python -m tests.licences`: write the list of licences of all that a user installs with the
tool."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / ".ci" / "requirements.txt"
TEST_LOCK = ROOT / ".ci" / "requirements-test.txt"
LIST = ROOT / ".github" / "LICENCES.md"
BUILD_ONLY = frozenset(
    {"hatchling", "editables", "packaging", "pathspec", "pluggy", "trove-classifiers"}
)
"""What builds the package and is not needed to run it."""

_PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)
_CLASSIFIER = "License :: OSI Approved :: "


def locked(path: Path = LOCK) -> dict[str, str]:
    """The versions in a lock file by the name of the package."""
    return dict(_PINNED.findall(path.read_text()))


def licence(package: Distribution) -> str:
    """The licence as the package declares it: an SPDX expression, a classifier, or a short text; ""
    for none."""
    head = package.metadata
    classifiers = [
        line.removeprefix(_CLASSIFIER)
        for line in head.get_all("Classifier") or []
        if _CLASSIFIER in line
    ]
    text = (head.get("License") or "").strip()
    return (
        head.get("License-Expression") or ", ".join(classifiers) or (text if len(text) < 60 else "")
    )


def rows() -> Iterator[str]:
    """A row of the table for each package at run time."""
    for name in sorted(set(locked()) - BUILD_ONLY):
        package = distribution(name)
        yield f"| {name} | {licence(package)} | {package.metadata.get('Summary', '')} |"


def written() -> str:
    """The list, from the packages of this environment."""
    head = "| package | licence | what it is |\n|---|---|---|\n"
    about = "# Licences\n\nWhat the tool brings with it. The tool itself has the Apache License 2.0. `.ci/lock` writes this list.\n\n"
    return about + head + "\n".join(rows()) + "\n"


if __name__ == "__main__":
    LIST.write_text(written())
