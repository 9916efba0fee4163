"""The check in checks/container/access/parent_folder_closed.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.containers.mounts.access.closed_ways import closed_ways
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Severity
from tests.hosts import Made
from tests.inspected import bind, container, of
from tests.judging import judge

NOW = 1_800_000_000.0
SAID = 'open() "/var/lib/shop/body/0001" failed (13: Permission denied)'
FOLDERS = {"/var": (0, 0o755), "/var/lib": (0, 0o755), "/var/lib/shop": (0, 0o700)}
BODY = {"/var/lib/shop/body": (33, 0o755)}
STATUS = "Uid:\t33\t33\t33\t33\nGid:\t33\t33\t33\t33\nGroups:\t{}\nCapEff:\t{}\n"
CASES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a closed folder above": ({}, {"bit": "o+x", "closed_inside": "/var/lib/shop"}),
    "below a mount": (
        {"mount": "/var/lib"}, {"bit": "o+x", "closed": "/srv/own/shop"},
    ),
    "open folders": ({"folders": {**FOLDERS, "/var/lib/shop": (0, 0o711)}}, {}),
    "of a group of the process": (
        {"folders": {**FOLDERS, "/var/lib/shop": (0, 0o710)}, "groups": "0 33"}, {},
    ),
    "closed to a group of the process": ({"groups": "0 33"}, {"bit": "g+x", "closed_inside": "/var/lib/shop"}),
    "a process that may pass all": ({"rights": "0000000000000002"}, {}),
    "root alone": ({"uid": 0}, {}),
    "a link": ({"kind": "link"}, {}),
    "a mount that is only read": ({"mount": "/var/lib", "rw": False}, {}),
    "a folder of the host's own system": (
        {"mount": "/var/lib", "source": "/var/lib/docker"}, {},
    ),
    "the mount itself": ({"mount": "/var/lib/shop"}, {}),
    "another error": ({"line": SAID.replace("13: Permission denied", "2: No such file")}, {}),
    "an access list": ({"folders": {**FOLDERS, "/var/lib/shop": (0, 0)}}, {}),
    "what a visitor asks for": ({"line": "WARN access denied: GET /var/lib/shop/body/0001"}, {}),
    "a folder below the site": (
        {"line": f'{SAID}, request: "GET /shop/body/0001 HTTP/1.1"'}, {"bit": "o+x"},
    ),
    "the way to the site": (
        {"line": f'{SAID}, request: "GET /0001 HTTP/1.1"'},
        {"bit": "o+x", "closed_inside": "/var/lib/shop"},
    ),
    "a line without a path": ({"line": "Permission denied"}, {}),
}  # fmt: skip


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_the_way_to_a_path(case: dict[str, Any], expected: dict[str, str]) -> None:
    source, rw = case.get("source", "/srv/own"), case.get("rw", True)
    own = bind(source, Destination=case["mount"], RW=rw) if "mount" in case else {}
    web = container("web", **own)
    folders = {**case.get("folders", FOLDERS), **BODY}

    def stats(question: Any) -> dict[str, object]:
        known = {
            f"/proc/100/root{path}": {
                "type": case.get("kind", "folder"), "uid": uid, "gid": uid, "mode": mode,
            }
            for path, (uid, mode) in folders.items()
        }  # fmt: skip
        return {path: known.get(path, {"failed": "missing"}) for path in question.paths}

    status = STATUS.format(case.get("groups", "33"), case.get("rights", "0000000000000000"))
    host = Made({"file.stats": stats, "file.read": {"text": status}})
    logs = RecentLogs({web.id: (RecentLine(NOW - 5, case.get("line", SAID)),)})
    processes = Processes(
        (
            Process(pid=100, comm="nginx", uid=0, container=web.id),
            Process(pid=101, comm="nginx", uid=case.get("uid", 33), container=web.id),
        )
    )
    ways = closed_ways(host, of(web), logs, processes, Clock(NOW, NOW - 9e5))
    result = judge("container.parent-folder-closed", closed_ways=ways)
    assert all(
        (finding.severity is Severity.advice) is (len(expected) == 1) for finding in result.findings
    )
    given = [dict(finding.variables) for finding in result.findings]
    for variables in given:
        variables.pop("container")
    assert given == ([expected] if expected else [])
