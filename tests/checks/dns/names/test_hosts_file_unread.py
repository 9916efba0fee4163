"""Names of a container's hosts file that nginx asks DNS servers for."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.names.unread_hosts_entries import unread_hosts_entries
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NAME = "host.docker.internal"
LINE = f"[error] 8#8: *8 {NAME} could not be resolved (3: Host not found), server: , request"
GO = f"dial tcp: lookup {NAME} on 127.0.0.11:53: no such host"
HOSTS = f"127.0.0.1 localhost\n172.17.0.1 {NAME}\n"


def proxy(*entries: str, mounts: bool = True, ended: str = "2025-12-31T00:00:00Z") -> Container:
    mounted = {
        "Type": "bind",
        "Source": "/srv/proxy/nginx.conf",
        "Destination": "/etc/nginx/nginx.conf",
    }
    return container(
        "proxy",
        State={"Status": "running", "Pid": 7, "FinishedAt": ended},
        HostsPath="/var/lib/docker/containers/proxy/hosts",
        HostConfig={"ExtraHosts": list(entries)},
        Mounts=[mounted] if mounts else [],
    )


def logged(caller: Container, line: str) -> RecentLogs:
    return RecentLogs({caller.id: (RecentLine(1767225600.0, line),)})


GIVEN = proxy(f"{NAME}:host-gateway")
CASES = {
    "nginx": (GIVEN, LINE, True, [("warning", "proxy")]),
    "another program": (GIVEN, GO, True, []),
    "it was not given the name": (proxy(), LINE, True, []),
    "a name of its settings": (GIVEN, LINE, False, []),
}


@pytest.mark.parametrize(("caller", "line", "by_log", "expected"), CASES.values(), ids=CASES)
def test_hosts_file_unread(
    caller: Container, line: str, by_log: bool, expected: list[tuple[str, str]]
) -> None:
    failed = FailedNames({caller.id: (FailedName(NAME, line, is_by_log=by_log),)})
    host = Made({"file.read": {"text": HOSTS, "truncated": False}})
    entries = unread_hosts_entries(host, of(caller), failed, logged(caller, line))
    result = judge("dns.hosts-file-unread", entries=entries)
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["edited"] == "/srv/proxy/nginx.conf"
        assert "172.17.0.1" in finding.variables["own_edit"]


def test_a_container_of_that_name_is_left_out() -> None:
    db = container("db", NetworkSettings={"Networks": {"shop": {"DNSNames": ["db"]}}})
    caller = proxy("db:192.0.2.9")
    line = LINE.replace(NAME, "db")
    failed = FailedNames({caller.id: (FailedName("db", line),)})
    assert not unread_hosts_entries(Made({}), of(caller, db), failed, logged(caller, line))


def test_what_nginx_said_before_its_last_start_is_over() -> None:
    caller = proxy(f"{NAME}:host-gateway", ended="2026-01-02T00:00:00Z")
    failed = FailedNames({caller.id: (FailedName(NAME, LINE),)})
    assert not unread_hosts_entries(Made({}), of(caller), failed, logged(caller, LINE))


def test_without_a_mounted_file_the_address_is_said() -> None:
    caller = proxy(f"{NAME}:host-gateway", mounts=False)
    failed = FailedNames({caller.id: (FailedName(NAME, LINE),)})
    host = Made({"file.read": {"text": HOSTS, "truncated": False}})
    result = judge(
        "dns.hosts-file-unread",
        entries=unread_hosts_entries(host, of(caller), failed, logged(caller, LINE)),
    )
    (finding,) = result.findings
    assert finding.variables["address"] == "172.17.0.1"
    assert "edited" not in finding.variables
