"""The checks in checks/container/running/unhealthy.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.dns.own_dns_answers import own_dns_answers
from diagnose.evidence.engine.daemon import Caller, Daemon
from diagnose.evidence.engine.daemon_processes import DaemonProcesses
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import DAEMON, Subject
from diagnose.questions import Host
from diagnose.questions.dns import DnsReply
from tests.checks.container.evidence import CLOCK, NOW, container_in, items, moment, summaries
from tests.checks.daemon.evidence import NAMED
from tests.hosts import Made
from tests.inspected import bind, of
from tests.inspected import container as inspected
from tests.judging import judge, rows

SCRIPTLESS = (
    "python3: can't open file '/usr/src/healthcheck.py': [Errno 2] No such file or directory"
)


def probed(status: str, code: int, output: str, age: float = 5.0, **check: Any) -> Container:
    probes = {
        "Status": status,
        "FailingStreak": 4,
        "Log": [{"Start": moment(age + 1), "End": moment(age), "ExitCode": code, "Output": output}],
    }
    test = {
        "Test": ["CMD-SHELL", "curl localhost"],
        "Interval": 10 * 10**9,
        "Timeout": 5 * 10**9,
        **check,
    }
    return container_in("running", age=7200, State={"Health": probes}, Config={"Healthcheck": test})


@pytest.mark.parametrize(
    ("name", "container", "expected"),
    [
        (
            "fails",
            probed("unhealthy", 1, "503"),
            [
                (
                    "critical",
                    'container "web" is unhealthy: its probe fails with exit code 1, 4 times in a row',
                )
            ],
        ),
        (
            "too slow",
            probed("unhealthy", -1, "timeout"),
            [
                (
                    "critical",
                    'container "web" is unhealthy: its probe does not finish within 5 s, 4 times in a row',
                )
            ],
        ),
        (
            "no tool",
            probed("unhealthy", 127, "curl: not found"),
            [
                (
                    "warning",
                    (
                        'container "web" is unhealthy: its probe cannot run, because the container has no '
                        'program "curl" in its PATH, 4 times in a row'
                    ),
                )
            ],
        ),
        (
            "no script",
            probed("unhealthy", 2, SCRIPTLESS, Test=["CMD", "python3", "/usr/src/healthcheck.py"]),
            [
                (
                    "warning",
                    (
                        'container "web" is unhealthy: its probe cannot run, because the container has no '
                        'file "/usr/src/healthcheck.py", 4 times in a row'
                    ),
                )
            ],
        ),
        (
            "a missing file of its program",
            probed("unhealthy", 2, SCRIPTLESS, Test=["CMD", "shop-status"]),
            [
                (
                    "critical",
                    'container "web" is unhealthy: its probe fails with exit code 2, 4 times in a row',
                )
            ],
        ),
        (
            "no tool, in exec form",
            probed(
                "unhealthy",
                -1,
                'OCI runtime exec failed: exec: "curl": executable file not found in $PATH: unknown',
            ),
            [
                (
                    "warning",
                    (
                        'container "web" is unhealthy: its probe cannot run, because the container has no '
                        'program "curl" in its PATH, 4 times in a row'
                    ),
                )
            ],
        ),
        (
            "not probed any more",
            probed("healthy", code=0, output="", age=900),
            [
                (
                    "warning",
                    'the health check of container "web" has not run for 15 min: its status "healthy" is old',
                )
            ],
        ),
        ("starting", probed("starting", 1, ""), []),
        ("healthy", probed("healthy", code=0, output=""), []),
        (
            "a long interval",
            probed("healthy", code=0, output="", age=900, Interval=3600 * 10**9),
            [],
        ),
        ("paused", container_in("paused", State={"Health": {"Status": "unhealthy"}}), []),
        (
            "unpaused, before the next probe",
            container_in("running", State={"Health": {"Status": "unhealthy"}}),
            [],
        ),
        ("no health check", container_in("running"), []),
        ("switched off", container_in("running", State={"Health": {"Status": "none"}}), []),
    ],
)
def test_unhealthy(name: str, container: Container, expected: list[tuple[str, str]]):
    assert (
        summaries(judge("container.unhealthy", containers=of(container), clock=CLOCK)) == expected
    )


@pytest.mark.parametrize(
    ("engine_age", "expected"),
    [(20.0, []), (600.0, [("warning", "web")]), (None, [("warning", "web")])],
    ids=["restarted a moment ago", "restarted long ago", "not seen"],
)
def test_an_engine_that_begins_to_probe_again(
    engine_age: float | None, expected: list[tuple[str, str]]
) -> None:
    """Live-restore keeps the container, and the new engine has no probe of it yet."""
    web = container_in(
        "running",
        age=86400,
        State={"Health": {"Status": "starting"}},
        Config={"Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 30 * 10**9}},
    )
    daemon = Daemon(NAMED, Caller(), processes=DaemonProcesses(age=engine_age))
    judged = judge("container.unhealthy", containers=of(web), clock=CLOCK, daemon=daemon)
    assert rows(judged) == expected


@pytest.mark.parametrize(
    ("timeout_s", "age", "expected"),
    [(1, 45, {"longer": "30s"}), (30, 45, {"restarted": "web"}), (1, 7200, {"restarted": "web"})],
    ids=["never in time", "long enough", "it was in time once"],
)
def test_a_probe_that_takes_too_long(timeout_s: int, age: float, expected: dict[str, str]) -> None:
    """A longer timeout, or another start where it has worked, or had long enough."""
    check = {"Interval": 10 * 10**9, "Timeout": timeout_s * 10**9}
    log = [
        {"Start": moment(at), "End": moment(at - 1), "ExitCode": -1, "Output": "Health check exceeded timeout"}
        for at in (35, 25, 15, 5)
    ]  # fmt: skip
    health = {"Status": "unhealthy", "FailingStreak": 4, "Log": log}
    slow = container_in(
        "running",
        age=age,
        State={"Health": health},
        Config={"Healthcheck": {"Test": ["CMD-SHELL", "curl localhost"], **check}},
    )
    (finding,) = judge("container.unhealthy", containers=of(slow), clock=CLOCK).findings
    assert {name: finding.variables.get(name) for name in expected} == expected


def test_a_streak_that_is_longer_than_the_engine_remembers_began_earlier():
    kept = [
        {"Start": moment(age), "End": moment(age - 1), "ExitCode": 1, "Output": ""}
        for age in (45, 35, 25, 15, 5)
    ]
    failing = container_in(
        "running",
        age=7200,
        State={"Health": {"Status": "unhealthy", "FailingStreak": 9, "Log": kept}},
    )
    (finding,) = items(judge("container.unhealthy", containers=of(failing), clock=CLOCK))
    assert finding.onset == pytest.approx(NOW - 85)


def listening(container: Container, *ports: int) -> Namespaces:
    sockets = tuple(Socket("tcp", "0.0.0.0", port) for port in ports)
    return Namespaces(
        {
            container.id: ContainerNetns(
                container, 1, links=(), addresses=(), routes=(), listeners=sockets
            )
        }
    )


AT_ITS_OWN_ADDRESS = {
    "its own address alone": (("172.18.0.5",), "Connection refused", "172.18.0.5"),
    "every address": (("0.0.0.0",), "Connection refused", ""),
    "every IPv6 address": (("::",), "Connection refused", ""),
    "the loopback address too": (("172.18.0.5", "127.0.0.1"), "Connection refused", ""),
    "an answer": (("172.18.0.5",), "HTTP/1.1 503", ""),
}


@pytest.mark.parametrize(
    ("addresses", "output", "elsewhere"), AT_ITS_OWN_ADDRESS.values(), ids=AT_ITS_OWN_ADDRESS
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_that_the_loopback_address_does_not_reach(
    host: str, addresses: tuple[str, ...], output: str, elsewhere: str
) -> None:
    test = {"Test": ["CMD-SHELL", f"curl http://{host}:8080/"]}
    web = probed("unhealthy", 1, output, **test)
    sockets = tuple(Socket("tcp", address, 8080) for address in addresses)
    netns = ContainerNetns(web, 1, links=(), addresses=(), routes=(), listeners=sockets)
    namespaces = Namespaces({web.id: netns})
    (finding,) = items(
        judge("container.unhealthy", containers=of(web), clock=CLOCK, namespaces=namespaces)
    )
    assert finding.variables.get("listens_at", "") == elsewhere
    offered = {"restarted", "probe", "shown"} & set(finding.variables)
    assert bool(offered) is not bool(elsewhere)


def test_a_hung_engine_is_no_cause_where_nobody_serves_the_port():
    probe = {
        "Start": moment(10),
        "End": moment(9),
        "ExitCode": -1,
        "Output": "OCI runtime exec failed",
    }
    health = {"Status": "unhealthy", "FailingStreak": 3, "Log": [probe]}
    test = ["CMD-SHELL", "wget -qO- http://127.0.0.1:3000/ || exit 1"]
    container = container_in(
        "running", Config={"Healthcheck": {"Test": test}}, State={"Health": health}
    )
    touched = {}
    for port in (3000, 8080):
        namespaces = listening(container, port)
        (finding,) = items(
            judge(
                "container.unhealthy", containers=of(container), clock=CLOCK, namespaces=namespaces
            )
        )
        touched[port] = finding.touches
    assert touched == {3000: (DAEMON,), 8080: ()}


RECORDS = {
    "gone": ("OCI runtime exec failed: exec failed: container does not exist: unknown", "web"),
    "of another failure": ("OCI runtime exec failed: exec failed: no space left", ""),
    "in the words of a program": ("container does not exist", ""),
}


@pytest.mark.parametrize(("output", "forgotten"), RECORDS.values(), ids=RECORDS)
def test_the_record_of_the_runtime(output: str, forgotten: str) -> None:
    web = probed("unhealthy", -1, output)
    (finding,) = items(judge("container.unhealthy", containers=of(web), clock=CLOCK))
    assert finding.variables.get("forgotten", "") == forgotten
    assert ("lost its record" in finding.summary) is bool(forgotten)


STARTING = {
    "it has begun a moment ago": (60, 3, "warning", True),
    "it has had an hour": (3600, 3, "critical", False),
    "it worked before": (250, 200, "critical", False),
}


@pytest.mark.parametrize(
    ("age", "before", "severity", "is_offered"), STARTING.values(), ids=STARTING
)
def test_a_program_that_is_still_starting(
    age: float, before: float, severity: str, *, is_offered: bool
) -> None:
    """before: seconds between its start and the first probe that failed."""
    began = age - before
    probes = {
        "Status": "unhealthy",
        "FailingStreak": 1,
        "Log": [{"Start": moment(began), "End": moment(4), "ExitCode": 1, "Output": "refused"}],
    }
    test = {"Test": ["CMD-SHELL", "curl http://localhost:8080/"], "Interval": 3 * 10**9}
    container = container_in(
        "running", age=age, State={"Health": probes}, Config={"Healthcheck": test}
    )
    netns = ContainerNetns(container, 1, links=(), addresses=(), routes=(), listeners=())
    (finding,) = judge(
        "container.unhealthy",
        containers=of(container),
        clock=CLOCK,
        namespaces=Namespaces({container.id: netns}),
    ).findings
    assert finding.severity.name == severity
    assert ("start_period" in finding.variables) is is_offered


PROBED = "curl -f http://localhost:8000/health || exit 1"
WORKERS = {
    "a worker of the same image": ("shop:2", ["celery", "worker"], "healthy", True),
    "a copy of the server": ("shop:2", ["gunicorn", "app"], "healthy", False),
    "the server fails too": ("shop:2", ["celery", "worker"], "unhealthy", False),
    "of another image": ("other:1", ["celery", "worker"], "healthy", False),
}


@pytest.mark.parametrize(
    ("image", "command", "of_server", "is_foreign"), WORKERS.values(), ids=WORKERS
)
def test_a_probe_that_is_made_for_another_program_of_the_image(
    image: str, command: list[str], of_server: str, *, is_foreign: bool
) -> None:
    """Young as it is, more time would not let the worker listen."""
    check = {"Healthcheck": {"Test": ["CMD-SHELL", PROBED]}}
    failed = {"Start": moment(6), "End": moment(5), "ExitCode": 1, "Output": "refused"}
    worker = container_in(
        "running",
        age=60,
        State={"Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": [failed]}},
        Config={"Image": image, **check},
        Path=command[0],
        Args=command[1:],
    )
    server = inspected(
        "app",
        State={"Status": "running", "Health": {"Status": of_server, "Log": []}},
        Config={"Image": "shop:2", **check},
        Path="gunicorn",
        Args=["app"],
    )
    netns = ContainerNetns(worker, 1, links=(), addresses=(), routes=(), listeners=())
    found = judge(
        "container.unhealthy",
        containers=of(worker, server),
        clock=CLOCK,
        namespaces=Namespaces({worker.id: netns}),
    ).findings
    (finding,) = [finding for finding in found if finding.subject == worker.subject]
    assert ("the health check of container" in finding.summary) is is_foreign
    assert ("unserving" in finding.variables) is is_foreign


def test_a_program_that_waits_for_a_server_of_its_own() -> None:
    line = (
        "Another Kibana instance appears to be migrating the index. Waiting for that. You can get "
        "past this message by deleting index .kibana_16 and restarting Kibana."
    )
    on = {"NetworkSettings": {"Networks": {"elk": {"IPAddress": "10.0.0.3"}}}}
    server = inspected("search", Config={"Image": "elasticsearch:7.17.0"}, **on)
    log = [{"Start": moment(6), "End": moment(5), "ExitCode": 1, "Output": ""}]
    parts = {"Env": ["ELASTICSEARCH_URL=http://search:9200"]}
    kibana = container_in(
        "running",
        age=7200,
        State={"Health": {"Status": "unhealthy", "FailingStreak": 4, "Log": log}},
        Config={"Healthcheck": {"Test": ["CMD-SHELL", "exit 1"]}, **parts},
        **on,
    )
    (finding,) = judge(
        "container.unhealthy",
        containers=Containers([kibana, server]),
        clock=CLOCK,
        log_tails=LogTails({kibana.id: LogTail((line,))}, {}),
    ).findings
    assert "a migration of its index .kibana_16" in finding.summary
    assert finding.variables["searched"] == "search"
    assert finding.variables["index"] == ".kibana_16"


EARLY = {
    "it serves by now": (5432, "exit 1", True),
    "it serves another port": (3306, "exit 1", False),
    "the probe cannot run": (5432, "exit 127", False),
}


@pytest.mark.parametrize(("served", "probe", "expected"), EARLY.values(), ids=EARLY)
def test_a_program_that_called_its_database_too_early(
    *, served: int, probe: str, expected: bool
) -> None:
    on = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "10.0.0.3"}}}}
    database = container_in("running", name="db", age=3590, **on)
    code = int(probe.partition(" ")[2])
    log = [{"Start": moment(6), "End": moment(5), "ExitCode": code, "Output": ""}]
    shop = container_in(
        "running",
        age=3600,
        State={"Health": {"Status": "unhealthy", "FailingStreak": 4, "Log": log}},
        Config={"Healthcheck": {"Test": ["CMD-SHELL", probe]}},
        **on,
    )
    listener = Socket("tcp", "0.0.0.0", served)
    netns = ContainerNetns(database, 1, links=(), addresses=(), routes=(), listeners=(listener,))
    line = "ERROR dial tcp db:5432: connect: connection refused"
    (finding,) = judge(
        "container.unhealthy",
        containers=Containers([shop, database]),
        clock=CLOCK,
        log_tails=LogTails({shop.id: LogTail((line,))}, {}),
        namespaces=Namespaces({database.id: netns}),
    ).findings
    assert ("too early" in finding.summary) == expected
    assert ("early" in finding.variables) == expected


REFUSALS = {
    "no room": (
        "write /tmp/runc-process384: no space left on device",
        {"unstarted": "web", "refused_at": "/tmp/runc-process384"},
        [Subject("filesystem", "/tmp")],
    ),
    "no thread": ("fork/exec: resource temporarily unavailable", {"unstarted": "web"}, [DAEMON]),
}


@pytest.mark.parametrize(("reason", "variables", "touched"), REFUSALS.values(), ids=REFUSALS)
def test_a_probe_that_the_runtime_refuses_needs_no_restart(
    reason: str, variables: dict[str, str], touched: list[Subject]
) -> None:
    web = probed("unhealthy", -1, f"OCI runtime exec failed: {reason}: unknown")
    mounts = Mounts((Mounted("/"), Mounted("/tmp")))
    (finding,) = judge(
        "container.unhealthy", containers=Containers([web]), clock=CLOCK, mounts=mounts
    ).findings
    assert f"the runtime cannot start its probe ({reason})" in finding.summary
    assert finding.variables.items() >= variables.items()
    assert "restarted" not in finding.variables
    assert set(touched) <= set(finding.touches)


def test_a_probe_whose_streams_the_engine_cannot_open_has_not_run() -> None:
    path = "/var/run/docker/containerd/3717a3330b56/2ee2ed4c53ec-stdout"
    words = f"failed to open stdout fifo: error creating fifo {path}: no such file or directory"
    web = probed("unhealthy", -1, words)
    (finding,) = judge("container.unhealthy", containers=Containers([web]), clock=CLOCK).findings
    assert "the runtime cannot start its probe (failed to open stdout fifo" in finding.summary
    assert finding.variables.items() >= {"unstarted": "web", "refused_at": path}.items()
    assert "longer" not in finding.variables


def test_a_line_of_a_start_that_went_on_is_no_reason() -> None:
    line = "mkdir: can't create directory '/www': File exists"
    web = probed("unhealthy", 1, "")
    tails = LogTails({web.id: LogTail((line,))}, {})
    (finding,) = judge(
        "container.unhealthy", containers=Containers([web]), clock=CLOCK, log_tails=tails
    ).findings
    assert line not in str(finding.evidence)


def restarted(
    *actions: tuple[str, float, str], age: float = 20.0, probe: str = ""
) -> tuple[Container, Events]:
    """A container that runs since `age` seconds, and its events: action, age, detail."""
    container = container_in(
        "running",
        age=age,
        name="web",
        State={"Health": {"Status": "starting"}},
        Config={"Healthcheck": {"Test": ["CMD", *probe.split()]}},
    )
    listed = [
        Event(NOW - ago, "container", action, detail, container.id, {"name": "web"})
        for action, ago, detail in actions
    ]
    return container, Events(tuple(listed))


def cycle(ago: float) -> list[tuple[str, float, str]]:
    """An end after the verdict of a health check, and the start after it."""
    return [
        ("health_status", ago + 3, "unhealthy"),
        ("kill", ago + 2, ""),
        ("die", ago + 1, ""),
        ("start", ago, ""),
    ]


HEALED: dict[str, tuple[list[tuple[str, float, str]], int]] = {
    "restarted for its health, three times": ([*cycle(90), *cycle(55), *cycle(20)], 1),
    "twice": ([*cycle(55), *cycle(20)], 0),
    "it works for long since": ([*cycle(990), *cycle(955), *cycle(920)], 0),
    "ended by somebody for another reason": (
        [event for ago in (90, 55, 20) for event in cycle(ago) if event[0] != "health_status"],
        0,
    ),
    "healthy again before each end": (
        [
            (action, ago, "healthy" if detail else "")
            for cycle_ago in (90, 55, 20)
            for action, ago, detail in cycle(cycle_ago)
        ],
        0,
    ),
}


@pytest.mark.parametrize(("actions", "expected"), HEALED.values(), ids=HEALED)
def test_a_container_that_is_restarted_for_its_health(
    actions: list[tuple[str, float, str]], expected: int
) -> None:
    container, events = restarted(*actions)
    healer = inspected("healer", **bind("/run/docker.sock", Destination="/var/run/docker.sock"))
    line = RecentLine(NOW, f"Container /web ({container.id[:12]}) is unhealthy - Restarting it")
    result = judge(
        "container.unhealthy",
        containers=of(container, healer),
        clock=CLOCK,
        events=events,
        recent_logs=RecentLogs({healer.id: (line,)}),
    )
    assert rows(result) == [("critical", "web")] * expected
    assert all('container "healer" restarts it' in finding.summary for finding in result.findings)


def test_a_container_that_is_restarted_although_it_serves_another_port() -> None:
    cycles = [event for ago in (90, 55, 20) for event in cycle(ago)]
    container, events = restarted(*cycles, probe="curl -f http://localhost:80/up")
    (finding,) = judge(
        "container.unhealthy",
        containers=of(container),
        clock=CLOCK,
        events=events,
        namespaces=listening(container, 8080),
    ).findings
    assert "nothing in it listens on port 80" in finding.summary
    assert finding.evidence["TCP sockets inside"] == ["0.0.0.0:8080"]
    assert finding.variables["moved_probe"] == "curl -f http://localhost:8080/up"
    assert "restarted" not in finding.variables


PROXY = "http://10.9.0.1:3128"
OF_BUSYBOX = "wget: can't connect to remote host (10.9.0.1): Connection refused"
OF_CURL = (
    "curl: (7) Failed to connect to proxy.lan port 3128 after 1 ms: Could not connect to server"
)
OF_ITSELF = "wget: can't connect to remote host (127.0.0.1): Connection refused"
OF_PROXY = "curl: (22) The requested URL returned error: 503"
BY_WGET = "wget: server returned error: HTTP/1.1 {} Sorry"
PROXIED: dict[str, tuple[str, str, str, str]] = {
    "busybox": ("wget -qO- http://127.0.0.1:8080/", f"http_proxy={PROXY}", OF_BUSYBOX, "http_proxy"),
    "busybox, a proxy by name": (
        "wget -qO- http://localhost:8080/", "http_proxy=proxy.lan:3128", OF_BUSYBOX, "http_proxy",
    ),
    "curl": ("curl -f http://localhost/", "http_proxy=http://proxy.lan:3128", OF_CURL, "http_proxy"),
    "its own port": ("wget -qO- http://127.0.0.1:8080/", f"http_proxy={PROXY}", OF_ITSELF, ""),
    "a proxy for https": ("wget -qO- http://127.0.0.1/", f"https_proxy={PROXY}", OF_BUSYBOX, ""),
    "a request elsewhere": ("wget -qO- http://db:8080/", f"http_proxy={PROXY}", OF_BUSYBOX, ""),
    "no proxy": ("wget -qO- http://127.0.0.1:8080/", "COLOUR=blue", OF_BUSYBOX, ""),
    "curl, a proxy that answers": (
        "curl -f http://localhost:8080/", "http_proxy=http://proxy.lan:3128", OF_PROXY, "http_proxy",
    ),
    "busybox, a proxy that answers": (
        "wget -qO- http://web:8080/", f"http_proxy={PROXY}", BY_WGET.format(503), "http_proxy",
    ),
    "an answer of its own": (
        "wget -qO- http://web:8080/", f"http_proxy={PROXY}", BY_WGET.format(500), "",
    ),
    "a variable that the tool does not read": (
        "curl -f http://web:8080/", f"HTTP_PROXY={PROXY}", OF_PROXY, "",
    ),
    "a probe that takes no proxy": (
        "curl --noproxy '*' -f http://web:8080/", f"http_proxy={PROXY}", OF_PROXY, "",
    ),
    "an answer to another tool": (
        "probe http://web:8080/", f"http_proxy={PROXY}", OF_PROXY, "",
    ),
    "a proxy of its own": (
        "curl -f http://localhost/", "http_proxy=http://localhost:3128",
        "curl: (7) Failed to connect to localhost port 3128", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("probe", "variable", "output", "named"), PROXIED.values(), ids=PROXIED)
def test_a_probe_that_goes_to_a_proxy(probe: str, variable: str, output: str, named: str) -> None:
    parts = {"Healthcheck": {"Test": ["CMD-SHELL", probe], "Interval": 10**10}, "Env": [variable]}
    health = {"Status": "unhealthy", "FailingStreak": 4, "Log": [
        {"Start": moment(6), "End": moment(5), "ExitCode": 1, "Output": output}
    ]}  # fmt: skip
    made = container_in("running", age=7200, State={"Health": health}, Config=parts)
    (finding,) = judge("container.unhealthy", containers=of(made), clock=CLOCK).findings
    assert ("goes to the proxy" in finding.summary) is bool(named)
    command = f"unset {named}; {probe}" if named else None
    assert finding.variables.get("unproxied") == command


SPLIT = {
    "a list of words": (
        ["psql", "-c", "select 1", "||", "exit", "1"],
        "psql -c 'select 1' || exit 1",
    ),
    "one text": (["psql -c 'select 1'"], None),
}


@pytest.mark.parametrize(("words", "whole"), SPLIT.values(), ids=SPLIT)
def test_a_list_of_words_behind_cmd_shell(words: list[str], whole: str | None) -> None:
    parts = {"Healthcheck": {"Test": ["CMD-SHELL", *words], "Interval": 10**10}}
    health = {"Status": "unhealthy", "FailingStreak": 4, "Log": [
        {"Start": moment(6), "End": moment(5), "ExitCode": 2, "Output": "psql: error: no user"}
    ]}  # fmt: skip
    made = container_in("running", age=7200, State={"Health": health}, Config=parts)
    (finding,) = judge("container.unhealthy", containers=of(made), clock=CLOCK).findings
    assert finding.variables.get("whole_probe") == whole
    assert ('its shell runs "psql" without the words' in finding.summary) is (whole is not None)


def test_a_probe_whose_host_is_excepted_goes_to_no_proxy() -> None:
    parts = {
        "Healthcheck": {"Test": ["CMD-SHELL", "curl -f http://web:8080/"], "Interval": 10**10},
        "Env": [f"http_proxy={PROXY}", "no_proxy=localhost,web"],
    }
    health = {"Status": "unhealthy", "FailingStreak": 4, "Log": [
        {"Start": moment(6), "End": moment(5), "ExitCode": 22, "Output": OF_PROXY}
    ]}  # fmt: skip
    made = container_in("running", age=7200, State={"Health": health}, Config=parts)
    (finding,) = judge("container.unhealthy", containers=of(made), clock=CLOCK).findings
    assert "proxy" not in finding.summary


MUTE: dict[str, tuple[str, list[str], int, bool]] = {
    "an error of HTTP": ("curl -sf http://localhost:8080/", [f"http_proxy={PROXY}"], 22, True),
    "to GNU wget": ("wget -q -O- http://localhost:8080/", [f"http_proxy={PROXY}"], 8, True),
    "its host is excepted": (
        "curl -sf http://localhost:8080/", [f"http_proxy={PROXY}", "no_proxy=localhost"], 22, False,
    ),
    "another exit code": ("curl -sf http://localhost:8080/", [f"http_proxy={PROXY}"], 7, False),
    "no proxy": ("curl -sf http://localhost:8080/", ["COLOUR=blue"], 22, False),
    "the probe calls without it": (
        "curl --noproxy '*' -sf http://localhost:8080/", [f"http_proxy={PROXY}"], 22, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("probe", "variables", "code", "expected"), MUTE.values(), ids=MUTE)
def test_a_silent_probe_that_goes_to_a_proxy(
    probe: str, variables: list[str], code: int, expected: bool
) -> None:
    parts = {"Healthcheck": {"Test": ["CMD-SHELL", probe], "Interval": 10**10}, "Env": variables}
    health = {"Status": "unhealthy", "FailingStreak": 4, "Log": [
        {"Start": moment(6), "End": moment(5), "ExitCode": code, "Output": ""}
    ]}  # fmt: skip
    made = container_in("running", age=7200, State={"Health": health}, Config=parts)
    (finding,) = judge("container.unhealthy", containers=of(made), clock=CLOCK).findings
    assert ("goes to the proxy" in finding.summary) is expected


SILENT = DnsReply(sent=2)
REFUSED = DnsReply(answered=True, rcode="REFUSED", ms=1.0)
ANSWERED = DnsReply(answered=True, rcode="NOERROR", ms=1.0)
OF_ITSELF = "nslookup . 127.0.0.1 || { echo 'failed for localhost:53'; exit 1; }"


@pytest.mark.parametrize(
    ("inside", "outside", "probe", "words"),
    [
        (SILENT, ANSWERED, OF_ITSELF, "does not answer queries from 127.0.0.1"),
        (REFUSED, ANSWERED, OF_ITSELF, "refuses queries from 127.0.0.1"),
        (REFUSED, ANSWERED, "dig @localhost example.com", "refuses queries from 127.0.0.1"),
        (REFUSED, ANSWERED, "nslookup example.com", ""),
        (REFUSED, ANSWERED, "dig @172.17.0.2 example.com || echo 127.0.0.1", ""),
        (SILENT, SILENT, OF_ITSELF, ""),
        (ANSWERED, ANSWERED, OF_ITSELF, ""),
        (REFUSED, REFUSED, OF_ITSELF, ""),
    ],
)
def test_a_dns_server_that_does_not_serve_its_own_probe(
    inside: DnsReply, outside: DnsReply, probe: str, words: str
) -> None:
    health = {"Status": "unhealthy", "FailingStreak": 3, "Log": []}
    test = ["CMD-SHELL", probe]
    asked = container_in(
        "running",
        Config={"Healthcheck": {"Test": test}},
        State={"Health": health},
        NetworkSettings={"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
    )
    socket = (Socket("udp", "0.0.0.0", 53),)
    namespaces = Namespaces(
        {asked.id: ContainerNetns(asked, 1, links=(), addresses=(), routes=(), listeners=socket)}
    )
    by_server = {"127.0.0.1": inside, "172.17.0.2": outside}
    made = Made({"dns.query": lambda query: msgspec.to_builtins(by_server[query.server])})
    (finding,) = items(
        judge(
            "container.unhealthy",
            containers=of(asked),
            clock=CLOCK,
            namespaces=namespaces,
            own_dns_answers=own_dns_answers(Host(made), of(asked), namespaces),
        )
    )
    assert words in finding.summary
    assert ("own_queries" in finding.variables) == bool(words)
    assert "nothing in it listens" not in finding.summary


TLS_REDIS = "redis-server --port 0 --tls-port 6379 --tls-ca-cert-file /tls/ca.pem"
OF_REDIS = (
    "# Error accepting a client connection: error:0A00010B:SSL routines::wrong version number"
)
ASKS_TLS = "Client sent an HTTP request to an HTTPS server."
NO_TLS = "curl: (35) OpenSSL/3.0.11: error:0A00010B:SSL routines::wrong version number"
SCHEMES: dict[str, tuple[str, str, str, str, str]] = {
    "redis-cli without TLS": (
        f"{TLS_REDIS} --tls-auth-clients no",
        "redis-cli ping || exit 1",
        "Error: Connection reset by peer",
        OF_REDIS,
        "redis-cli --tls --cacert /tls/ca.pem ping || exit 1",
    ),
    "redis-cli without the certificate of a client": (
        f"{TLS_REDIS} --tls-cert-file /tls/r.pem --tls-key-file /tls/r.key",
        "redis-cli ping",
        "Error: Connection reset by peer",
        OF_REDIS,
        "redis-cli --tls --cacert /tls/ca.pem --cert /tls/r.pem --key /tls/r.key ping",
    ),
    "curl by http": (
        "app",
        "curl -f http://localhost:8443/health",
        ASKS_TLS,
        "",
        "curl -k -f https://localhost:8443/health",
    ),
    "curl by https": (
        "app",
        "curl -fk https://localhost:8080/health",
        NO_TLS,
        "",
        "curl -fk http://localhost:8080/health",
    ),
    "a stranger by http": (
        "app",
        "curl -f http://localhost:8080/health",
        "curl: (28) Operation timed out",
        "http: TLS handshake error from 203.0.113.9:5123: client sent an HTTP request to an HTTPS server",
        "",
    ),
    "itself by http": (
        "app",
        "curl -f http://localhost:8443/health",
        "curl: (52) Empty reply from server",
        "http: TLS handshake error from 127.0.0.1:5123: client sent an HTTP request to an HTTPS server",
        "curl -k -f https://localhost:8443/health",
    ),
    "a probe without a request": (
        "app",
        "/healthcheck",
        "not ready",
        "http: TLS handshake error: first record does not look like a TLS handshake",
        "",
    ),
    "another answer": ("app", "curl -f http://localhost:8443/health", "503", "", ""),
    "redis-cli with TLS": (TLS_REDIS, "redis-cli --tls ping", "certificate", OF_REDIS, ""),
}


@pytest.mark.parametrize(
    ("command", "probe", "output", "line", "expected"), SCHEMES.values(), ids=SCHEMES
)
def test_probes_with_the_wrong_scheme(
    command: str, probe: str, output: str, line: str, expected: str
) -> None:
    web = probed("unhealthy", 1, output, Test=["CMD-SHELL", probe])
    path, *args = command.split()
    web = msgspec.structs.replace(web, path=path, args=args)
    result = judge(
        "container.unhealthy",
        containers=Containers([web]),
        clock=CLOCK,
        log_tails=LogTails({web.id: LogTail((line,) if line else ())}, {}),
    )
    (finding,) = result.findings
    assert ("the probe speaks" in finding.summary) == bool(expected)
    assert (finding.variables or {}).get("scheme_probe", "") == expected
