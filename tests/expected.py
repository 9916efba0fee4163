"""`python -m tests.expected`: add the verdicts of new checks to the recorded hosts, once you have
judged that they are right.

It prints each verdict that it adds. It changes no verdict and no finding that is there: edit those
by hand in `expected.json`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from diagnose import registry
from diagnose.judgement import engine
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Replay

FIXTURES = Path(__file__).parent.parent / "fixtures"


def add_to(path: Path) -> list[str]:
    """Add what is missing to one `expected.json`; returns a line for each addition, and for each
    difference that is left."""
    expected = json.loads(path.read_text())
    answers, head = answer_files.read_folder(path.parent)
    known = registry.load()
    what = engine.Run(known, tuple(known), thresholds=head.get("thresholds") or {}, source="bundle")
    report = engine.run(
        Replay(answers), what, began=time.monotonic(), budget=Budget(time.monotonic() + 60)
    )
    verdicts, lines = expected["verdicts"], []
    for result in report.results:
        id, verdict = result.check.id, result.verdict.value
        if id not in verdicts:
            lines.append(f"added {id}: {verdict} {result.why}".rstrip())
        elif verdicts[id] != verdict:
            lines.append(
                f"LEFT {id}: {verdicts[id]} is expected, it is {verdict} {result.why}".rstrip()
            )
        verdicts.setdefault(id, verdict)
    listed = {finding["key"] for finding in expected["findings"]}
    new = [finding for finding in report.findings if finding.key not in listed]
    lines += [f"LEFT new finding {finding.key} ({finding.severity})" for finding in new]
    expected["verdicts"] = dict(sorted(verdicts.items()))
    path.write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
    return lines


if __name__ == "__main__":
    for place in sorted(FIXTURES.glob("*/expected.json")):
        for line in add_to(place):
            sys.stdout.write(f"{place.parent.name}: {line}\n")
