"""The recorded hosts in `fixtures/`, and what they must be judged to be.

`expected.json` of a host has its findings. `verdicts.csv` has a line for each check that is skipped
or unknown on some host. All else follows: a check is FOUND where it has findings, and has PASSED
elsewhere. The last column says why a check passes on no recorded host.

A host that was made by hand (`made` in its manifest) lacks what nobody asked it. There a check may
also be UNKNOWN, if the `passed` of its `expected.json` does not name it.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from diagnose import registry
from diagnose.judgement import engine
from diagnose.model import Report, Result, Verdict
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Replay

FIXTURES = Path(__file__).parent.parent / "fixtures"
VERDICTS = FIXTURES / "verdicts.csv"
CHECK, WHY = "check", "why it passes on none"
"""The first and the last column; between them is one for each host."""


class Row(msgspec.Struct):
    """A check that is skipped or unknown on some host: how, by host, and why it passes on none."""

    verdicts: dict[str, str]
    why: str = ""


class Host(msgspec.Struct, frozen=True):
    """One recorded host."""

    name: str
    expected: Mapping[str, Any]
    is_made: bool
    """By hand, from real answers."""

    @property
    def found(self) -> frozenset[str]:
        """The ids of its findings."""
        keys = [finding["key"] for finding in self.expected["findings"]]
        return frozenset(key.partition("@")[0] for key in keys)

    def report(self) -> Report:
        """What the tool says of it today."""
        answers, head = answer_files.read_folder(FIXTURES / self.name)
        known = registry.load()
        what = engine.Run(
            known, tuple(known), thresholds=head.get("thresholds") or {}, source="bundle"
        )
        began = time.monotonic()
        return engine.run(Replay(answers), what, began=began, budget=Budget(began + 60))

    def may_be_unknown(self, id: str) -> bool:
        """Whether it may lack an answer that the check needs."""
        return self.is_made and id not in self.expected["passed"]

    def verdict(self, result: Result, rows: Mapping[str, Row]) -> str:
        """What a check must say of this host, by its result today."""
        id = result.check.id
        if id in rows and self.name in rows[id].verdicts:
            return rows[id].verdicts[self.name]
        if id in self.found:
            return Verdict.FOUND.value
        if result.verdict is Verdict.UNKNOWN and self.may_be_unknown(id):
            return Verdict.UNKNOWN.value
        return Verdict.PASSED.value

    def passes(self, id: str, rows: Mapping[str, Row]) -> bool:
        """Whether the check must pass on this host."""
        has_line = id in rows and self.name in rows[id].verdicts
        return not has_line and id not in self.found and not self.may_be_unknown(id)


def hosts() -> list[Host]:
    """All of them, by name."""
    return [_host(path.parent) for path in sorted(FIXTURES.glob("*/expected.json"))]


def _host(folder: Path) -> Host:
    manifest = json.loads((folder / "manifest.json").read_text())
    expected = json.loads((folder / "expected.json").read_text())
    return Host(folder.name, expected, is_made=bool(manifest.get("made")))


def read() -> dict[str, Row]:
    """The lines of `verdicts.csv`, by check."""
    with VERDICTS.open(newline="") as file:
        return {
            line.pop(CHECK): Row(why=line.pop(WHY), verdicts={k: v for k, v in line.items() if v})
            for line in csv.DictReader(file)
        }


def write(rows: Mapping[str, Row], names: Iterable[str]) -> None:
    """Write the lines again, by check."""
    with VERDICTS.open("w", newline="") as file:
        writer = csv.DictWriter(file, [CHECK, *names, WHY], lineterminator="\n")
        writer.writeheader()
        for id, row in sorted(rows.items()):
            if row.verdicts:
                writer.writerow({CHECK: id, **row.verdicts, WHY: row.why})
