"""The checks in checks/container/ends/daemonized.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.listing import Container
from tests.checks.container.evidence import CLOCK, OPTIONS, container_in, log_of
from tests.inspected import of
from tests.judging import judge, rows

PORTS: dict[str, Any] = {"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        ("ended at once", container_in("exited", HostConfig=PORTS), [("warning", "web")]),
        ("worked for an hour", container_in("exited", ran=3600, HostConfig=PORTS), []),
        ("failed", container_in("exited", code=1, HostConfig=PORTS), []),
        ("a job", container_in("exited"), []),
        (
            "in the foreground",
            container_in("exited", HostConfig=PORTS, Config={"AttachStdout": True}),
            [],
        ),
        ("last week", container_in("exited", age=7 * 86400, HostConfig=PORTS), []),
        (
            "loops",
            container_in("restarting", RestartCount=5, HostConfig=PORTS),
            [("warning", "web")],
        ),
        ("runs", container_in("running", HostConfig=PORTS), []),
    ],
)
def test_a_server_in_the_background(
    name: str, container: Container, expected: list[tuple[str, str]]
):
    def verdict(known: Stops) -> list[tuple[str, str]]:
        return rows(
            judge(
                "container.daemonized",
                containers=of(container),
                clock=CLOCK,
                options=OPTIONS,
                stops=known,
            )
        )

    assert verdict(Stops({container.id: False})) == expected
    if container.state.status == "exited":
        assert verdict(Stops({container.id: True})) == []
        assert verdict(Stops({})) == [], "no source remembers"
        assert verdict(Stops({container.id: False}, frozenset({container.id}))) == []


@pytest.mark.parametrize(
    ("command", "entrypoint", "foreground"),
    [
        (["nginx"], None, "nginx -g 'daemon off;'"),
        (["/usr/sbin/php-fpm", "-y", "/a"], None, "/usr/sbin/php-fpm -y /a -F"),
        (["httpd", "-p", "8080"], None, "httpd -p 8080 -f"),
        (["httpd"], None, "httpd -D FOREGROUND"),
        (["nginx"], ["/entry.sh"], None),
        (["serve"], None, None),
        ([], None, None),
    ],
)
def test_a_known_server_is_kept_in_the_foreground(
    command: list[str], entrypoint: list[str] | None, foreground: str | None
):
    path, *args = command or [""]
    container = container_in(
        "exited", HostConfig=PORTS, Config={"Entrypoint": entrypoint}, Path=path, Args=args
    )
    stops = Stops({container.id: False})
    result = judge(
        "container.daemonized", containers=of(container), clock=CLOCK, options=OPTIONS, stops=stops
    )
    assert [finding.variables.get("foreground") for finding in result.findings] == [foreground]


COMMANDS: dict[str, tuple[list[str], str, str]] = {
    "a wrong option": (["php", "-cx", "/etc/php.ini", "-S", "0.0.0.0:8080"], "ended", "as if its work"),
    "nginx stays in the foreground": (["nginx", "-g", "daemon off;"], "ended", "as if its work"),
    "nginx": (["nginx"], "looping", "in the background"),
    "a service script": (["sh", "-c", "service web start"], "looping", "in the background"),
}  # fmt: skip


@pytest.mark.parametrize(("command", "variable", "why"), COMMANDS.values(), ids=COMMANDS)
def test_only_a_known_command_is_said_to_leave_the_foreground(
    command: list[str], variable: str, why: str
) -> None:
    container = container_in(
        "restarting", RestartCount=5, HostConfig=PORTS, Path=command[0], Args=command[1:]
    )
    (finding,) = judge(
        "container.daemonized",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        stops=Stops({}),
    ).findings
    assert finding.variables[variable] == "web"
    assert why in finding.summary


def test_a_log_that_complains_is_not_the_end_of_a_job() -> None:
    container = container_in("restarting", RestartCount=5, HostConfig=PORTS)
    (finding,) = judge(
        "container.daemonized",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        stops=Stops({}),
        log_tails=log_of(container, "ERROR: cannot parse the answer of the meter"),
    ).findings
    assert "its log says what went wrong" in finding.summary
    assert "ended" not in finding.variables


@pytest.mark.parametrize(
    ("line", "config", "shell"),
    [
        ("> react-scripts start", {}, "web"),
        ("> react-scripts start", {"OpenStdin": True}, None),
        ("> vite preview", {}, None),
        ("Press Enter to stop the program...", {}, "web"),
        ("Press Enter to stop the program...", {"Tty": True}, None),
        ("Type 'exit' to quit", {}, "web"),
    ],
)
def test_a_server_that_ends_with_its_input(line: str, config: dict[str, Any], shell: str | None):
    container = container_in("exited", HostConfig=PORTS, Config=config)
    result = judge(
        "container.daemonized",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        stops=Stops({container.id: False}),
        log_tails=log_of(container, line),
    )
    assert [finding.variables.get("shell") for finding in result.findings] == [shell]
