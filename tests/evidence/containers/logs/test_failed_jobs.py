"""Jobs of updaters, backup containers and schedulers whose last run failed."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.inner_failures import InnerFailures, in_lines
from tests.checks.container.evidence import CLOCK, container_in
from tests.judging import judge, rows

REFUSED = (
    'time="2026-01-02T04:00:01Z" level=info msg="Unable to update container \\"/crm\\": Error response '
    'from daemon: Head \\"https://r.example/v2/acme/crm/manifests/latest\\": no basic auth credentials. '
    'Proceeding to next."'
)
OLDER = (
    'time="2020-02-06T21:22:51Z" level=info msg="Unable to update container /dle, err=\'Error response from '
    "daemon: unauthorized: You don't have the needed permissions'. Proceeding to next.\""
)
LOCAL = REFUSED.replace(
    "no basic auth credentials", "pull access denied for acme/crm, repository does"
)
DONE = 'time="2026-01-02T04:00:02Z" level=info msg="Session done" Failed=0 Scanned=9 Updated=0 notify=no'
CREATING = 'time="2026-01-03T04:00:02Z" level=info msg="Creating /crm"'
BACKUP = (
    'time=2026-01-02T02:00:01.1+01:00 level=ERROR msg="Unexpected error running schedule @daily: no such file '
    'or directory" error="main.runScript.func4: error running script"'
)
BACKED_UP = 'time=2026-01-03T02:00:09.1+01:00 level=INFO msg="Finished running backup tasks."'
OFELIA = (
    'common.go:125 \u25b6 ERROR [Job "dump" (0e4ad1b8ca9e)] Finished in "1.02s", failed: true, skipped: false, '
    "error: error non-zero exit code: 1"
)
OFELIA_WELL = OFELIA.replace("ERROR", "NOTICE").replace("failed: true", "failed: false")
CRONIC = (
    'time="2026-01-02T02:00:00Z" level=error msg="error running command: exit status 1" iteration=0 '
    'job.command="/app/mail.sh --all" job.position=0 job.schedule="0 2 * * *"'
)
CRONIC_WELL = (
    'time="2026-01-03T02:00:00Z" level=info msg="job succeeded" iteration=1 '
    'job.command="/app/mail.sh --all" job.position=0 job.schedule="0 2 * * *"'
)
LINES: dict[str, tuple[str, list[str], list[str]]] = {
    "a login is refused": ("watchtower", [REFUSED, DONE], ["crm"]),
    "an older line": ("watchtower", [OLDER], ["dle"]),
    "in each round": ("watchtower", [REFUSED, DONE, REFUSED, DONE], ["crm"]),
    "the round after went well": ("watchtower", [REFUSED, DONE, DONE], []),
    "updated since": ("watchtower", [REFUSED, DONE, CREATING], []),
    "an image of this host": ("watchtower", [LOCAL, DONE], []),
    "another program": ("sh", [REFUSED, BACKUP, OFELIA, CRONIC], []),
    "a backup": ("backup", [BACKED_UP, BACKUP], ["@daily"]),
    "a backup that went well": ("backup", [BACKUP, BACKED_UP], []),
    "a job of ofelia": ("ofelia", [OFELIA_WELL, OFELIA], ["dump"]),
    "a job that went well": ("ofelia", [OFELIA, OFELIA_WELL], []),
    "another job went well": ("ofelia", [OFELIA, OFELIA_WELL.replace("dump", "mail")], ["dump"]),
    "a job of supercronic": ("supercronic", [CRONIC], ["/app/mail.sh --all"]),
    "one that went well": ("supercronic", [CRONIC, CRONIC_WELL], []),
}


@pytest.mark.parametrize(("command", "lines", "expected"), LINES.values(), ids=LINES)
def test_jobs(command: str, lines: list[str], expected: list[str]) -> None:
    failures = tuple(in_lines(container_in("running"), {command}, [(None, line) for line in lines]))
    assert [failure.program for failure in failures] == expected
    result = judge("container.failing-inside", inner_failures=InnerFailures(failures), clock=CLOCK)
    assert rows(result) == [("warning", "web")] * len(expected)
    for finding in result.findings:
        assert "again" not in finding.variables
        name = "outdated" if command == "watchtower" else "job"
        assert finding.variables[name] == expected[0]
