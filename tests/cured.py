"""What the lab's cures have shown, kept as data: `python -m tests.cured RESULTS` writes it, and the
last line of each page that healed.

RESULTS is the file that DIAGNOSE_CURES named while `tests/lab/cures/test_cures.py` ran. Rows of
other scenarios and engines stay.

A row keeps the command that the report showed. When the page changes, the row is stale until the
lab has run the cure again. A verdict by reading, `first_command` of the scenario, is given again,
and `python -m tests.cured --judged SCENARIO...` notes it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from diagnose import runbooks

DATA = Path(__file__).parent / "data" / "cures.json"
BY_ITS_OWN_TEXT = ("own text", "own text, systemd stood in for")
_LINE = re.compile(r"\n+The lab has healed[^\n]*\n*\Z")


class Row(msgspec.Struct, frozen=True):
    """One scenario on one engine: what filled its page, and which of its blocks ended the fault.

    healed_by: the text of that block, with its placeholders; empty where it was not a block. steps:
    what was done, in words.
    """

    scenario: str
    id: str
    engine: str
    severity: str
    how: str
    steps: tuple[str, ...]
    healed_by: str
    variables: Mapping[str, str]
    docker: str
    traits: tuple[str, ...]
    complaints: int
    shown: str = ""
    """The first command of the report when the row was written, or last judged by reading."""

    @property
    def place(self) -> runbooks.Place:
        traits = frozenset(trait for trait in runbooks.TRAITS if trait in (*self.traits, "systemd"))
        return runbooks.Place(self.docker, traits)

    @property
    def first(self) -> runbooks.Command | None:
        """What a report shows as the fix, filled."""
        return runbooks.cure(self.id, self.variables, self.place)

    @property
    def shown_now(self) -> str:
        """The first command of the report with the page as it is now."""
        return self.first.text if self.first is not None else ""

    @property
    def is_stale(self) -> bool:
        """Whether the page has changed since: what is proven or judged is another command."""
        page = runbooks.page(self.id)
        is_gone = bool(self.healed_by) and all(
            block.text != self.healed_by for block in page.blocks
        )
        return self.shown != self.shown_now or (self.is_proof and is_gone)

    @property
    def is_proof(self) -> bool:
        return self.how in BY_ITS_OWN_TEXT and not self.complaints

    @property
    def heals_at_once(self) -> bool:
        """Whether the first command of the page as it is now ended the fault alone."""
        filled = runbooks.fill(self.healed_by, self.variables, self.docker)
        is_first = self.first is not None and filled == self.first.text
        return self.is_proof and is_first and len(self.steps) == 1


def rows() -> tuple[Row, ...]:
    return msgspec.json.decode(DATA.read_bytes(), type=tuple[Row, ...])


def proven(known: Iterable[Row]) -> dict[str, list[str]]:
    """The engines on which the page of each id has healed by its own text."""
    engines: dict[str, set[str]] = {}
    for row in known:
        if row.is_proof:
            engines.setdefault(row.id, set()).add(row.engine)
    return {id: sorted(names, key=_release) for id, names in engines.items()}


def last_line(engines: Iterable[str]) -> str:
    """What a page says at its end."""
    return f"The lab has healed this fault by the commands of this page on engine {', '.join(engines)}."


def with_last_line(page: str, engines: Iterable[str]) -> str:
    """The text of a page, its last line current."""
    body = _LINE.sub("\n", page).rstrip("\n") + "\n"
    listed = list(engines)
    return f"{body}\n{last_line(listed)}\n" if listed else body


def _release(engine: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", engine))


def _read(path: Path) -> list[Row]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        cure = json.loads(line)
        cure["complaints"] = len(cure["complaints"])
        found.append(_as_shown(msgspec.convert(cure, Row)))
    return found


def _as_shown(row: Row) -> Row:
    return replace(row, shown=row.shown_now)


def judge(scenarios: Sequence[str]) -> None:
    """Note that the first commands of these scenarios were read as they are now."""
    _write(_as_shown(row) if row.scenario in scenarios else row for row in rows())


def write(results: Path) -> None:
    """Take new results in, and write the data and the pages' last lines."""
    before = rows() if DATA.exists() else ()
    _write((*before, *_read(results)))


def _write(known: Iterable[Row]) -> None:
    merged = {(row.scenario, row.engine): row for row in known}
    ordered = [merged[key] for key in sorted(merged)]
    text = msgspec.json.format(msgspec.json.encode(ordered), indent=1)
    DATA.write_bytes(text + b"\n")
    engines = proven(ordered)
    for id, path in runbooks.paths().items():
        path.write_text(
            with_last_line(path.read_text(encoding="utf-8"), engines.get(id, ())), encoding="utf-8"
        )


if __name__ == "__main__":
    if sys.argv[1] == "--judged":
        judge(sys.argv[2:])
    else:
        write(Path(sys.argv[1]))
