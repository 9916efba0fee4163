"""`python -m tests.shared_parts container.restart-loop`: write the parts that a page shares with
others into those pages.

A failed run has the same looks and cures whether the engine starts the program again or not, and
who reads one page has to find all of them there. So a part stands on each of its pages, between
`<!-- shared: NAME -->` and `<!-- end of shared -->`. Edit it on one of them, and name that page
here. `tests/laws/test_pages.py` compares them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from diagnose import runbooks

_PART = re.compile(
    r"^<!-- shared: (?P<name>.+) -->\n(?P<text>(?s:.*?))^<!-- end of shared -->\n", re.MULTILINE
)


def parts(text: str) -> dict[str, str]:
    """The shared parts of a page as it is written, by name."""
    return {part["name"]: part["text"] for part in _PART.finditer(text)}


def with_parts(text: str, given: Mapping[str, str]) -> str:
    """The page with the given text in each of its parts that has one."""

    def written(part: re.Match[str]) -> str:
        body = given.get(part["name"], part["text"])
        return f"<!-- shared: {part['name']} -->\n{body}<!-- end of shared -->\n"

    return _PART.sub(written, text)


def main(id: str) -> None:
    """Write the parts of this page into every other page that shares them."""
    given = parts(runbooks.paths()[id].read_text())
    for path in runbooks.paths().values():
        _write(path, given)


def _write(path: Path, given: Mapping[str, str]) -> None:
    text = path.read_text()
    changed = with_parts(text, given)
    if changed != text:
        path.write_text(changed)
        print(path.name)


if __name__ == "__main__":
    main(sys.argv[1])
