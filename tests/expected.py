"""`python -m tests.expected`: add to `fixtures/verdicts.csv` what new checks say of the recorded
hosts, where they neither find anything nor pass; you judge whether that is right.

It prints each line that it adds. It changes no verdict and no finding that is there: edit those by
hand. The verdicts of a new recording, which the lab keeps in `expected.json`, are moved there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from diagnose.model import Verdict
from tests import recorded
from tests.recorded import Host, Row

USUAL = (Verdict.PASSED.value, Verdict.FOUND.value)


def add_to(rows: dict[str, Row], host: Host, known: frozenset[str]) -> list[str]:
    """Add what is missing of one host; returns a line for each addition, and for each difference
    that is left. known: the checks that had a line before."""
    if kept := host.expected.get("verdicts"):
        _take_up(rows, host, kept)
        return [f"took up {len(kept)} verdicts of a new recording"]
    report = host.report()
    lines = []
    for result in report.results:
        id, verdict = result.check.id, result.verdict.value
        expected = host.verdict(result, rows)
        said = f"{verdict} {result.why}".rstrip()
        if verdict != expected and (verdict in USUAL or id in known):
            lines.append(f"LEFT {id}: {expected} is expected, it is {said}")
        elif verdict != expected:
            rows.setdefault(id, Row({})).verdicts[host.name] = verdict
            lines.append(f"added {id}: {said}")
    listed = {finding["key"] for finding in host.expected["findings"]}
    new = [finding for finding in report.findings if finding.key not in listed]
    return lines + [f"LEFT new finding {finding.key} ({finding.severity})" for finding in new]


def _take_up(rows: dict[str, Row], host: Host, kept: Mapping[str, str]) -> None:
    """Replace the verdicts of a host by those of its new recording."""
    for id, verdict in kept.items():
        row = rows.setdefault(id, Row({}))
        row.verdicts.pop(host.name, None)
        if verdict not in USUAL:
            row.verdicts[host.name] = verdict
    expected = {key: value for key, value in host.expected.items() if key != "verdicts"}
    path = recorded.FIXTURES / host.name / "expected.json"
    path.write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    rows, hosts = recorded.read(), recorded.hosts()
    known = frozenset(rows)
    for host in hosts:
        for line in add_to(rows, host, known):
            sys.stdout.write(f"{host.name}: {line}\n")
    recorded.write(rows, [host.name for host in hosts])
    for id in sorted(rows.keys() - known):
        if not any(host.passes(id, rows) for host in hosts):
            sys.stdout.write(f"{id} passes on no host: say why in the last column\n")
