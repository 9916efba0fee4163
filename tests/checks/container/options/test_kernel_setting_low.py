"""The checks in checks/container/options/kernel_setting_low.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.machine.limits.kernel_settings import KernelSettings, kernel_settings
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.unopened_ports import unopened_ports
from diagnose.programs.failures import recognise
from diagnose.programs.failures.host.kernel_settings import KERNEL_SETTINGS
from diagnose.programs.telling_line import TellingLine
from diagnose.runbooks import Place, cure
from tests.checks.container.evidence import CLOCK, FOUND, container_in, failed_with_log
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

MAP_COUNT = "[1]: max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]"


@pytest.mark.parametrize(("value", "expected"), [(65530, FOUND), (262144, []), (None, [])])
def test_a_kernel_setting_is_compared_with_the_host(
    value: int | None, expected: list[tuple[str, str]]
):
    container, log_tails = failed_with_log(MAP_COUNT, "closed")
    settings = KernelSettings({} if value is None else {"vm.max_map_count": value})
    result = judge(
        "container.kernel-setting-low",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        kernel_settings=settings,
    )
    assert rows(result) == expected
    assert [finding.variables["assignment"] for finding in result.findings] == [
        "vm.max_map_count=262144"
    ] * len(expected)


def test_a_program_that_has_got_over_it_is_left_alone():
    steady = container_in("running", age=7200, RestartCount=2)
    log_tails = LogTails({steady.id: LogTail((MAP_COUNT,))}, {})
    settings = KernelSettings({"vm.max_map_count": 65530})
    result = judge(
        "container.kernel-setting-low",
        containers=of(steady),
        clock=CLOCK,
        log_tails=log_tails,
        kernel_settings=settings,
    )
    assert rows(result) == []


SAVING = "1:M 29 Nov 2026 06:59:36.596 # Can't save in background: fork: Cannot allocate memory"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, [("warning", "web")]), (1, []), (None, [])],
    ids=["never more than there is", "always", "not known"],
)
def test_a_program_that_runs_on_without_a_part_of_its_work(
    value: int | None, expected: list[tuple[str, str]]
):
    redis = container_in("running", age=7200)
    error = RepeatedError(
        redis,
        TellingLine(SAVING),
        times=4,
        of=9,
        failure=recognise([SAVING], None, KERNEL_SETTINGS),
    )
    host = Made({"sysctl": {"vm.overcommit_memory": None if value is None else str(value)}})
    tails, repeated = LogTails({}, {}), RepeatedErrors((error,))
    result = judge(
        "container.kernel-setting-low",
        containers=of(redis),
        clock=CLOCK,
        log_tails=tails,
        kernel_settings=kernel_settings(host, tails, repeated),
        repeated=repeated,
    )
    assert rows(result) == expected
    assert [set(finding.variables) for finding in result.findings] == [
        {"container", "live_assignment", "setting", "least"}
    ] * len(expected)


NET_LINE = "System.Net.Sockets.SocketException (13): Permission denied"
URLS = ["ASPNETCORE_URLS=http://+:80"]


@pytest.mark.parametrize(
    ("line", "network", "user", "first", "port"),
    [
        pytest.param(NET_LINE, "host", "1000", 1024, 80, id="a port of its variables"),
        pytest.param(
            "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)",
            "host",
            "1000",
            1024,
            80,
            id="behind an address, before the number of the error",
        ),
        pytest.param(
            "listen tcp :443: bind: permission denied", "host", "1000", 1024, 443, id="named"
        ),
        pytest.param(NET_LINE, "host", "1000", 80, 0, id="the host allows it"),
        pytest.param(NET_LINE, "host", "", 1024, 0, id="root"),
        pytest.param(NET_LINE, "shop", "1000", 1024, 0, id="a network of its own"),
        pytest.param(NET_LINE, "host", "1000", None, 0, id="not known"),
    ],
)
def test_a_port_that_is_for_root_alone(
    line: str, network: str, user: str, first: int | None, port: int
):
    setting = "net.ipv4.ip_unprivileged_port_start"
    container, log_tails = failed_with_log(
        line, HostConfig={"NetworkMode": network}, Config={"User": user, "Env": URLS}
    )
    result = judge(
        "container.kernel-setting-low",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        kernel_settings=KernelSettings({} if first is None else {setting: first}),
    )
    assert [finding.variables["port_start"] for finding in result.findings] == [
        f"{setting}={port}"
    ] * bool(port)


SETTINGS = [
    ({"assignment": "vm.max_map_count=262144"}, "open this port", False),
    ({"port_start": "net.ipv4.ip_unprivileged_port_start=80"}, "open this port", True),
]


@pytest.mark.parametrize(("variables", "words", "expected"), SETTINGS)
def test_the_fix_speaks_of_the_setting_that_is_low(
    variables: dict[str, str], words: str, expected: bool
) -> None:
    fix = cure("container.kernel-setting-low", {"container": "search", **variables}, Place())
    assert fix is not None
    assert next(iter(variables.values())) in fix.text
    assert (words in fix.impact) == expected


TIME_SERVER = container_in("running", HostConfig={"NetworkMode": "host"})
OTHERS = Listener("udp", "0.0.0.0", 123, 7, "ntpd", "f" * 64)
UNOPENED = {
    "chronyd": ("Could not open NTP socket on 0.0.0.0:123", "0", 1024, (), [123]),
    "over IPv6": ("Could not open NTP socket on [::]:123", "0", 1024, (), [123]),
    "a word before it": ("failed to listen on udp port 514", "0", 1024, (), [514]),
    "Go": ("udp listen error: listen udp 0.0.0.0:53: bind: permission denied", "0", 1024, (), [53]),
    "it has the right": ("Could not open NTP socket on 0.0.0.0:123", "400", 1024, (), []),
    "any user may": ("Could not open NTP socket on 0.0.0.0:123", "0", 0, (), []),
    "a high port": ("cannot bind to 0.0.0.0:8080", "0", 1024, (), []),
    "another has it": ("Could not open NTP socket on 0.0.0.0:123", "0", 1024, (OTHERS,), []),
    "its own address": ("cannot bind to 192.0.2.7:80", "0", 1024, (), [80]),
    "a call": ("failed to open connection to 192.0.2.9:443", "0", 1024, (), []),
    "a call of a name": ("Could not open http://api.shop.test:80/v1", "0", 1024, (), []),
    "a session": ("failed to create session with 192.0.2.9:443", "0", 1024, (), []),
    "a time": ("cannot open the shop before 10:30:15", "0", 1024, (), []),
}


@pytest.mark.parametrize("name", UNOPENED)
def test_a_port_that_its_process_may_not_open(name: str) -> None:
    line, rights, first, holders, wanted = UNOPENED[name]
    host = Made(
        {
            "api.logs": {"text": f"2026-01-02T03:04:06Z {line}\n"},
            "sysctl": {"net.ipv4.ip_unprivileged_port_start": str(first)},
            "process": {"pid": 9, "uid": 100, "capabilities": rights},
        }
    )
    ports = unopened_ports(host, of(TIME_SERVER), Listeners(holders))
    assert [port.port for port in ports] == wanted
    assert rows(judge("container.kernel-setting-low", **_nothing_else(), unopened_ports=ports)) == [
        ("warning", TIME_SERVER.name)
    ] * len(wanted)


def _nothing_else() -> dict[str, Any]:
    """What the check takes besides, where no other program has failed."""
    return {
        "containers": of(TIME_SERVER),
        "clock": CLOCK,
        "log_tails": LogTails({}, {}),
        "kernel_settings": KernelSettings({}),
    }
