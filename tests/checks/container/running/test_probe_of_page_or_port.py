"""What container.unhealthy says of a probe that asks for a port or a page."""

from __future__ import annotations

import pytest

from tests.checks.container.evidence import CLOCK, container_in, items, moment
from tests.checks.container.running.test_unhealthy import listening
from tests.inspected import of
from tests.judging import judge


@pytest.mark.parametrize(
    ("test", "ports", "expected"),
    [
        ("wget -qO- http://127.0.0.1:3000/ || exit 1", (8080,), True),
        ("curl -f http://localhost:8080/health", (8080,), False),
        ("curl -f http://api.example:3000/", (8080,), False),
        ("pg_isready", (), False),
        ("curl -f http://localhost/health_checks", (8080,), True),
        ("curl -f http://localhost/", (80, 8080), False),
        ("curl -f https://localhost?full", (8080,), True),
        ("wget -qO- http://localhost:$PORT/", (8080,), False),
        ("curl -H 'Referer: http://localhost/' http://127.0.0.1:8080/", (8080,), False),
        ("curl --unix-socket /run/app.sock http://localhost/", (8080,), False),
        ("curl --unix-socket /run/app.sock http://localhost:80/", (8080,), False),
        ("nc -z localhost 25 || exit 1", (2525,), True),
        ("nc -z -w 5 127.0.0.1 25 || exit 1", (25,), False),
        ("nc -z mail 25 || exit 1", (2525,), False),
        ("</dev/tcp/localhost/25", (2525,), True),
        ("test -f /data/localhost 25", (2525,), False),
    ],
    ids=[
        "another port",
        "its port",
        "another host",
        "no port",
        "the port of HTTP",
        "the port of HTTP is served",
        "the port of HTTPS",
        "a port from a variable",
        "a header",
        "a socket file",
        "a socket file with a port",
        "netcat",
        "netcat at its port",
        "netcat at another host",
        "bash",
        "no call",
    ],
)
def test_a_probe_of_a_port_where_nothing_listens(test: str, ports: tuple[int, ...], expected: bool):
    probe = {"Start": moment(10), "End": moment(9), "ExitCode": 1, "Output": "refused"}
    health = {"Status": "unhealthy", "FailingStreak": 3, "Log": [probe]}
    container = container_in(
        "running", Config={"Healthcheck": {"Test": ["CMD-SHELL", test]}}, State={"Health": health}
    )
    namespaces = listening(container, *ports)
    (finding,) = items(
        judge("container.unhealthy", containers=of(container), clock=CLOCK, namespaces=namespaces)
    )
    assert ("TCP sockets inside" in finding.evidence) is expected


AT_3000 = "wget -qO- http://127.0.0.1:3000/ || exit 1"
MOVED = {
    "one other port": (AT_3000, (8080,), "wget -qO- http://127.0.0.1:8080/ || exit 1"),
    "a port that begins like it": (
        "curl -f http://localhost:80/ || echo no answer at :8080",
        (3000,),
        "curl -f http://localhost:3000/ || echo no answer at :8080",
    ),
    "two other ports": (AT_3000, (8080, 9090), ""),
    "none": (AT_3000, (), ""),
    "the port of HTTP": (
        "curl -f http://localhost/up || exit 1",
        (8080,),
        "curl -f http://localhost:8080/up || exit 1",
    ),
    "the port of HTTPS": ("curl -kf https://localhost/up", (8080,), ""),
    "netcat": ("nc -z localhost 25 || exit 1", (2525,), "nc -z localhost 2525 || exit 1"),
    "bash": (
        "timeout 25 bash -c '</dev/tcp/127.0.0.1/25'",
        (2525,),
        "timeout 25 bash -c '</dev/tcp/127.0.0.1/2525'",
    ),
}


@pytest.mark.parametrize(("command", "ports", "probe"), MOVED.values(), ids=MOVED)
def test_the_probe_for_the_port_that_is_served(command: str, ports: tuple[int, ...], probe: str):
    result = {"Start": moment(10), "End": moment(9), "ExitCode": 1, "Output": "refused"}
    health = {"Status": "unhealthy", "FailingStreak": 3, "Log": [result]}
    test = ["CMD-SHELL", command]
    container = container_in(
        "running", Config={"Healthcheck": {"Test": test}}, State={"Health": health}
    )
    (finding,) = items(
        judge(
            "container.unhealthy",
            containers=of(container),
            clock=CLOCK,
            namespaces=listening(container, *ports),
        )
    )
    assert finding.variables.get("moved_probe", "") == probe


VARIABLES = {
    "a port": ("wget -qO- http://localhost:$PORT/", ["PORT=3000"], (8080,), "moved_probe"),
    "a port with a default": ("nc -z localhost ${PORT:-3000}", [], (8080,), "moved_probe"),
    "the port that is served": ("nc -z 127.0.0.1 $PORT", ["PORT=8080"], (8080,), ""),
    "an address of IPv6": ("nc -w 2 $IP $PORT", ["IP=::", "PORT=8080"], (8080,), "probe"),
    "a text": ("nc -z $HOST 3000", ["HOST=s3cret"], (8080,), ""),
}


@pytest.mark.parametrize(
    ("command", "environment", "ports", "variable"), VARIABLES.values(), ids=VARIABLES
)
def test_a_probe_whose_address_or_port_is_in_a_variable(
    command: str, environment: list[str], ports: tuple[int, ...], variable: str
) -> None:
    result = {"Start": moment(10), "End": moment(9), "ExitCode": 1, "Output": ""}
    health = {"Status": "unhealthy", "FailingStreak": 3, "Log": [result]}
    config = {"Healthcheck": {"Test": ["CMD-SHELL", command]}, "Env": environment}
    container = container_in("running", Config=config, State={"Health": health})
    namespaces = listening(container, *ports)
    (finding,) = items(
        judge("container.unhealthy", containers=of(container), clock=CLOCK, namespaces=namespaces)
    )
    assert {"moved_probe", "probe"} & finding.variables.keys() == (
        {variable} if variable else set()
    )
    assert "s3cret" not in finding.variables.get("probed", "")


QUIET = "curl -sf http://localhost:8080/health || exit 1"
ASKED = {
    "a page that is not there": (
        "curl -f http://localhost:8080/health?full=1 || exit 1",
        "curl: (22) The requested URL returned error: 404",
        {"start_page": "curl -f http://localhost:8080/ || exit 1"},
    ),
    "a login that is wanted": (
        "wget -qO- 'http://127.0.0.1/health'",
        "wget: server returned error: HTTP/1.1 401 Unauthorized",
        {"start_page": "wget -qO- 'http://127.0.0.1/'"},
    ),
    "the start page": ("curl -f http://localhost:8080/", "returned error: 404", {}),
    "a server that is not well": (
        "curl -f http://localhost:8080/health",
        "curl: (22) The requested URL returned error: 503",
        {
            "shown": "web",
            "shown_request": "curl -sS -i -m 5 http://localhost:8080/health 2>&1 | head -n 15",
        },
    ),
    "no words": (
        QUIET,
        "",
        {
            "shown": "web",
            "shown_request": "curl -sS -i -m 5 http://localhost:8080/health 2>&1 | head -n 15",
        },
    ),
    "words that are thrown away": (
        "test -s /run/app.ready >/dev/null 2>&1 || exit 1",
        "",
        {"traced": "web", "traced_probe": "test -s /run/app.ready || exit 1"},
    ),
    "no words of another program": (
        "pgrep app",
        "",
        {"traced": "web", "traced_probe": "pgrep app"},
    ),
    "words of another program": ("redis-cli ping", "NOAUTH", {"restarted": "web"}),
    "a file that is not there": (
        "test -f /data/ready",
        "",
        {"traced": "web", "traced_probe": "test -f /data/ready"},
    ),
    "no words through a socket": (
        "curl -sf --unix-socket /run/app.sock http://localhost/health",
        "",
        {
            "traced": "web",
            "traced_probe": "curl -sf --unix-socket /run/app.sock http://localhost/health",
        },
    ),
}


def _first_steps(command: str, output: str, age: float, *env: str) -> dict[str, str]:
    result = {"Start": moment(10), "End": moment(9), "ExitCode": 1, "Output": output}
    health = {"Status": "unhealthy", "FailingStreak": 3, "Log": [result]}
    config = {"Healthcheck": {"Test": ["CMD-SHELL", command]}, "Env": list(env)}
    container = container_in("running", age=age, Config=config, State={"Health": health})
    (finding,) = items(judge("container.unhealthy", containers=of(container), clock=CLOCK))
    known = (
        "assignment",
        "start_page",
        "shown",
        "shown_request",
        "traced",
        "traced_probe",
        "restarted",
    )
    return {name: finding.variables[name] for name in known if name in finding.variables}


@pytest.mark.parametrize(("command", "output", "steps"), ASKED.values(), ids=ASKED)
def test_a_probe_that_asks_for_a_page(command: str, output: str, steps: dict[str, str]) -> None:
    assert _first_steps(command, output, 60.0) == steps
    healthy_before = _first_steps(command, output, 7200.0)
    asks_itself = "http://" in command and "--unix-socket" not in command
    assert ("shown" in healthy_before) is asks_itself
    assert ("restarted" in healthy_before) is not asks_itself


BAD = "curl: (22) The requested URL returned error: 400"
LISTS = {
    "not listed": ("ALLOWED_HOSTS=shop.test", BAD, "ALLOWED_HOSTS=shop.test,localhost"),
    "of an image": ("NEXTCLOUD_TRUSTED_DOMAINS=a.test b.test", BAD, "a.test b.test localhost"),
    "listed with a port": ("ALLOWED_HOSTS=shop.test,localhost:8080", BAD, ""),
    "every name": ("DJANGO_ALLOWED_HOSTS=*", BAD, ""),
    "a list in JSON": ('ALLOWED_HOSTS=["shop.test"]', BAD, ""),
    "another variable": ("SMTP_HOSTS=mail.test", BAD, ""),
    "another status": ("ALLOWED_HOSTS=shop.test", BAD.replace("400", "404"), ""),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_probe_that_asks_for_a_host_which_a_variable_does_not_list(name: str) -> None:
    variable, output, wanted = LISTS[name]
    steps = _first_steps("curl -f http://localhost:8080/health", output, 60.0, variable)
    assert steps.get("assignment", "").endswith(wanted)
    assert bool(wanted) == ("assignment" in steps)


BY_IPV4 = "nc -z 127.0.0.1 25 || exit 1"
SILENT = {
    "netcat without words": ("nc -z localhost 25 || exit 1", 1, "", BY_IPV4),
    "netcat that was refused": ("nc -z localhost 25 || exit 1", 1, "Connection refused", BY_IPV4),
    "netcat that was cut off": ("nc -z localhost 25 || exit 1", -1, "", ""),
    "netcat by number": (BY_IPV4, 1, "", ""),
    "another tool without words": ("curl -sf http://localhost:25/", 1, "", ""),
}


@pytest.mark.parametrize(("command", "code", "output", "probe"), SILENT.values(), ids=SILENT)
def test_a_silent_probe_of_a_server_on_ipv4(command: str, code: int, output: str, probe: str):
    result = {"Start": moment(10), "End": moment(9), "ExitCode": code, "Output": output}
    health = {"Status": "unhealthy", "FailingStreak": 3, "Log": [result]}
    test = ["CMD-SHELL", command]
    container = container_in(
        "running", Config={"Healthcheck": {"Test": test}}, State={"Health": health}
    )
    namespaces = listening(container, 25)
    (finding,) = items(
        judge("container.unhealthy", containers=of(container), clock=CLOCK, namespaces=namespaces)
    )
    assert finding.variables.get("probe", "") == probe
