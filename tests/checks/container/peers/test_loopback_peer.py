"""The checks in checks/container/peers/loopback_peer.py."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.loopback_targets import (
    LoopbackTarget,
    LoopbackTargets,
    is_refused_by_nobody,
    says_kind,
)
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Verdict
from tests.checks.container.evidence import CLOCK, FOUND, ON_SHOP, container_in, failed_with_log
from tests.inspected import of
from tests.judging import judge, rows

PEER_PORT: dict[str, Any] = {"Config": {"ExposedPorts": {"5432/tcp": {}}}}


REFUSED = 'connection to server at "localhost" (127.0.0.1), port 5432 failed: Connection refused'


@pytest.mark.parametrize(
    ("name", "other", "own", "expected"),
    [
        (
            "another one offers the port",
            container_in("running", name="db", **PEER_PORT, **ON_SHOP),
            ON_SHOP,
            FOUND,
        ),
        ("on another network", container_in("running", name="db", **PEER_PORT), ON_SHOP, FOUND),
        ("nobody offers it", container_in("running", name="db", **ON_SHOP), ON_SHOP, []),
        ("the other one is down", container_in("exited", name="db", **PEER_PORT), ON_SHOP, []),
        (
            "the host's network",
            container_in("running", name="db", **PEER_PORT),
            {"HostConfig": {"NetworkMode": "host"}},
            [],
        ),
    ],
)
def test_localhost_in_a_container(
    name: str, other: Container, own: dict[str, Any], expected: list[tuple[str, str]]
):
    container, log_tails = failed_with_log(REFUSED, **own)
    result = judge(
        "container.loopback-peer", containers=of(container, other), clock=CLOCK, log_tails=log_tails
    )
    assert rows(result) == expected
    assert [finding.variables["peer"] for finding in result.findings] == ["db:5432"] * len(expected)


LED_ELSEWHERE: dict[str, Any] = {
    "NetworkSettings": {
        "Networks": {"shop": {"IPAddress": "10.1.0.9"}},
        "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "5432"}]},
    }
}


@pytest.mark.parametrize(
    ("other", "own", "variables"),
    [
        (container_in("running", name="db", **LED_ELSEWHERE), ON_SHOP, {"peer": "db:80"}),
        (
            container_in("running", name="db", **LED_ELSEWHERE),
            {},
            {"peer": "db:80", "network": "shop"},
        ),
    ],
    ids=["on its network", "on another network"],
)
def test_a_port_of_the_host_that_another_container_publishes(
    other: Container, own: dict[str, Any], variables: dict[str, str]
) -> None:
    container, log_tails = failed_with_log(REFUSED, **own)
    result = judge(
        "container.loopback-peer", containers=of(container, other), clock=CLOCK, log_tails=log_tails
    )
    (finding,) = result.findings
    assert variables.items() <= finding.variables.items()


REFUSED_BY_GO = "dial tcp 127.0.0.1:{}: connect: connection refused"
OLD_LIBPQ = (
    "could not connect to server: Connection refused; Is the server running on host "
    '"localhost" (127.0.0.1) and accepting TCP/IP connections on port 5432?'
)
NO_SOCKET_FILE = (
    "ERROR 2002 (HY000): Can't connect to local MySQL server through socket "
    "'/var/run/mysqld/mysqld.sock' (2)"
)
PRISMA = "Can't reach database server at `localhost`:`5432`"
ASYNCIO = "ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 5432)"
UNREACHED = (
    "couldnt reach local plex server at: http://localhost:32400 to determine library sections."
)
URLLIB = (
    "requests.exceptions.ConnectionError: HTTPConnectionPool(host='localhost', port=8989): Max "
    "retries exceeded with url: /api (Caused by NewConnectionError('<urllib3.connection."
    "HTTPConnection object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection "
    "refused'))"
)
PDO = "PDOException: SQLSTATE[HY000] [2002] No such file or directory"
ERROR_99 = (
    "kombu.exceptions.OperationalError: Error 99 connecting to localhost:6379. Cannot assign "
    "requested address."
)
OTHER_WORDS = {
    "Prisma": (PRISMA, 5432),
    "asyncio": (ASYNCIO, 5432),
    "an old libpq": (OLD_LIBPQ, 5432),
    "the socket file of MySQL": (NO_SOCKET_FILE, 3306),
    "the socket file of MySQL in PHP": (PDO, 3306),
    "only that it was not reached": (UNREACHED, 32400),
    "Python's requests": (URLLIB, 8989),
    "redis without IPv6": (ERROR_99, 6379),
    "redis without IPv6, in musl's words": (
        "Error 99 connecting to localhost:6379. Address not available.",
        6379,
    ),
    "Go without IPv6": ("dial tcp [::1]:5432: connect: cannot assign requested address", 5432),
    "Node.js without IPv6": ("Error: connect EADDRNOTAVAIL ::1:5432 - Local (:::0)", 5432),
    "MongoDB without IPv6": (
        (
            "pymongo.errors.ServerSelectionTimeoutError: localhost:27017: [Errno 99] Cannot assign "
            "requested address"
        ),
        27017,
    ),
    ".NET without IPv6": (
        "System.Net.Http.HttpRequestException: Cannot assign requested address (localhost:5001)",
        5001,
    ),
    "a socket of .NET without IPv6": (
        "System.Net.Sockets.SocketException (99): Cannot assign requested address [::1]:5432",
        5432,
    ),
    "netty without IPv6": (
        (
            "io.netty.channel.AbstractChannel$AnnotatedConnectException: Cannot assign requested "
            "address: localhost/0:0:0:0:0:0:0:1:6379"
        ),
        6379,
    ),
    "libpq without IPv6": (
        (
            'connection to server at "localhost" (::1), port 5432 failed: Cannot assign requested '
            "address"
        ),
        5432,
    ),
    "an old libpq without IPv6": (
        (
            "could not connect to server: Cannot assign requested address; Is the server running on "
            'host "localhost" (::1) and accepting TCP/IP connections on port 5432?'
        ),
        5432,
    ),
    "Ruby without IPv6": (
        (
            'Errno::EADDRNOTAVAIL: Cannot assign requested address - connect(2) for "localhost" '
            "port 6379"
        ),
        6379,
    ),
    "Python's requests without IPv6": (URLLIB.replace("111", "99"), 8989),
    "MySQL without IPv6": (
        (
            "(2003, \"Can't connect to MySQL server on 'localhost' ([Errno 99] Cannot assign requested "
            'address)")'
        ),
        3306,
    ),
    "Go without a host": ("dial tcp :6379: connect: connection refused", 6379),
    "a port of gRPC": (REFUSED_BY_GO.format(50051), 50051),
    "a port above those that systems give by chance": (REFUSED_BY_GO.format(61616), 61616),
}
BY_NGINX = (
    "2026/11/28 20:08:29 [error] 7#7: *29 connect() failed (111: Connection refused) while connecting "
    'to upstream, client: 172.18.0.1, server: shop, upstream: "http://127.0.0.1:3000/"'
)
BY_APACHE = (
    "[proxy:error] [pid 9] (111)Connection refused: AH00957: HTTP: attempt to connect to "
    "127.0.0.1:3000 (127.0.0.1) failed [client 172.18.0.1:51222]"
)
OF_REQUESTS = {"nginx": (BY_NGINX, 3000), "Apache": (BY_APACHE, 3000)}
"""What a server met for a caller: it explains no end, but each request fails."""
BY_CHANCE = REFUSED_BY_GO.format(41234)


def _server_at(port: int) -> Container:
    return container_in(
        "running", name="db", Config={"ExposedPorts": {f"{port}/tcp": {}}}, **ON_SHOP
    )


@pytest.mark.parametrize(("line", "port"), OTHER_WORDS.values(), ids=OTHER_WORDS)
def test_each_way_to_say_it_names_the_port(line: str, port: int):
    container, log_tails = failed_with_log(line, **ON_SHOP)
    result = judge(
        "container.loopback-peer",
        containers=of(container, _server_at(port)),
        clock=CLOCK,
        log_tails=log_tails,
    )
    assert [finding.variables["peer"] for finding in result.findings] == [f"db:{port}"]


def test_a_port_that_a_system_gives_by_chance_is_nobody_elses():
    container, log_tails = failed_with_log(BY_CHANCE, **ON_SHOP)
    result = judge(
        "container.loopback-peer",
        containers=of(container, _server_at(41234)),
        clock=CLOCK,
        log_tails=log_tails,
    )
    assert not result.findings


@pytest.mark.parametrize(
    ("line", "port"),
    [*OTHER_WORDS.values(), *OF_REQUESTS.values()],
    ids=[*OTHER_WORDS, *OF_REQUESTS],
)
def test_a_container_that_runs_on_says_it_again_and_again(line: str, port: int):
    app = container_in("running", **ON_SHOP)
    lines = tuple(RecentLine(CLOCK.wall - ago, line) for ago in (9, 3))
    result = judge(
        "container.loopback-peer",
        containers=of(app, _server_at(port)),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        recent_logs=RecentLogs({app.id: lines}),
        namespaces=Namespaces(
            {app.id: ContainerNetns(app, 1, links=(), addresses=(), routes=(), listeners=())}
        ),
    )
    assert [finding.variables["peer"] for finding in result.findings] == [f"db:{port}"]


LOOKED_FOR = {
    "Go's test": "client_test.go:41: got expected error: dial tcp 127.0.0.1:5432: connect: connection refused",
    "in brackets": "dial tcp 127.0.0.1:5432: connect: connection refused (expected)",
    "a probe": "nothing is up yet, as expected: dial tcp 127.0.0.1:5432: connect: connection refused",
}


@pytest.mark.parametrize("line", LOOKED_FOR.values(), ids=LOOKED_FOR)
@pytest.mark.parametrize(("word", "found"), [("expected", 0), ("unexpected", 1)])
def test_a_failure_that_a_test_looked_for(line: str, word: str, found: int):
    app = container_in("running", **ON_SHOP)
    said = line.replace("expected", word)
    lines = tuple(RecentLine(CLOCK.wall - ago, said) for ago in (9, 3))
    result = judge(
        "container.loopback-peer",
        containers=of(app, _server_at(5432)),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        recent_logs=RecentLogs({app.id: lines}),
        namespaces=Namespaces(
            {app.id: ContainerNetns(app, 1, links=(), addresses=(), routes=(), listeners=())}
        ),
    )
    assert rows(result) == [("critical", "web")] * found


def test_a_log_that_was_not_read_keeps_it_from_passing():
    app = container_in("running")
    result = judge(
        "container.loopback-peer",
        containers=of(app),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        recent_logs=RecentLogs(unread={app.id: "it timed out"}),
    )
    assert result.verdict == Verdict.UNKNOWN


LISTENERS = "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://{}:9092,OUT://192.0.2.10:19092"
WARNING = (
    "WARN [Producer clientId=p] Connection to node 1 (localhost/127.0.0.1:9092) could not be "
    "established. Node may not be available."
)


@pytest.mark.parametrize(
    ("environment", "advertised"),
    [
        pytest.param([LISTENERS.format("localhost")], LISTENERS.format("mq"), id="localhost"),
        pytest.param([LISTENERS.format("127.0.0.1")], LISTENERS.format("mq"), id="its address"),
        pytest.param([LISTENERS.format("mq")], None, id="a name"),
        pytest.param([LISTENERS.format("localhost").replace(":9092", ":9094")], None, id="a port"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_a_broker_that_sends_its_clients_to_localhost(
    environment: list[str], advertised: str | None
):
    config = {"ExposedPorts": {"9092/tcp": {}}, "Env": environment}
    broker = container_in("running", name="mq", Config=config, **ON_SHOP)
    container, log_tails = failed_with_log(WARNING, **ON_SHOP)
    result = judge(
        "container.loopback-peer",
        containers=of(container, broker),
        clock=CLOCK,
        log_tails=log_tails,
    )
    (finding,) = result.findings
    assert finding.variables.get("advertised") == advertised
    assert ("tells its clients" in finding.summary) is (advertised is not None)


def _of_host(address: str = "0.0.0.0", comm: str = "Plex Media Serv", **more: str) -> Listener:
    return Listener("tcp", address, 32400, pid=812, comm=comm, **more)


ON_HOST: dict[str, tuple[Listener | None, dict[str, Any], list[dict[str, str]]]] = {
    "for everybody": (_of_host(), {}, [{"on_host_network": "web"}]),
    "on loopback alone": (_of_host("127.0.0.1"), {}, [{"on_host_network": "web"}]),
    "a variable names it": (
        _of_host(),
        {"Config": {"Env": ["PLEX_URL=http://localhost:32400"]}},
        [{"assignment_to_host": "PLEX_URL=http://host.docker.internal:32400"}],
    ),
    "a port is published": (
        _of_host(),
        {"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": "80"}]}}},
        [{}],
    ),
    "a container's proxy": (_of_host(comm="docker-proxy"), {}, []),
    "a container on the host's network": (
        _of_host(container="a" * 64),
        {},
        [{"on_host_network": "web"}],
    ),
    "on another address": (_of_host("192.0.2.10"), {}, []),
    "nobody": (None, {}, []),
}


@pytest.mark.parametrize(("listener", "own", "cures"), ON_HOST.values(), ids=ON_HOST)
def test_the_server_is_the_hosts(
    listener: Listener | None, own: dict[str, Any], cures: list[dict[str, str]]
):
    app = container_in("running", **own)
    lines = tuple(RecentLine(CLOCK.wall - ago, UNREACHED) for ago in (9, 3))
    result = judge(
        "container.loopback-peer",
        containers=of(app),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        recent_logs=RecentLogs({app.id: lines}),
        namespaces=Namespaces(
            {app.id: ContainerNetns(app, 1, links=(), addresses=(), routes=(), listeners=())}
        ),
        listeners=Listeners((listener,) if listener else ()),
    )
    wanted = ("on_host_network", "assignment_to_host", "command_to_host")
    given = [finding.variables for finding in result.findings]
    assert [{name: own[name] for name in wanted if name in own} for own in given] == cures


NAMED = "WARN no partner behind 127.0.0.1:5432 so far"
COUNTED = {
    "refused calls": (NAMED, 3, FOUND),
    "too few": (NAMED, 2, []),
    "a browser's page before": (
        '172.18.0.1 - - "GET /api HTTP/1.1" 200 12 "http://localhost:5432/" "Browser"',
        3,
        [],
    ),
    "another port": (NAMED.replace("5432", "5433"), 3, []),
    "a port of its own that listens": (NAMED.replace("5432", "8083"), 3, []),
    "all addresses": ("dial tcp 0.0.0.0:5432: connect: connection refused", 3, FOUND),
    "a server that listens at all addresses": ("listening on 0.0.0.0:5432", 3, []),
    "no port of localhost": (NAMED.replace("127.0.0.1", "172.18.0.9"), 3, []),
}


@pytest.mark.parametrize(("line", "refused", "expected"), COUNTED.values(), ids=COUNTED)
def test_lines_of_any_kind_where_the_kernel_counts_refused_calls(
    line: str, refused: int, expected: list[tuple[str, str]]
) -> None:
    app, db = container_in("running", **ON_SHOP), _server_at(5432)
    netns = ContainerNetns(
        app, 1, (Socket("tcp", "0.0.0.0", 8083),), addresses=(), routes=(), listeners=()
    )
    result = judge(
        "container.loopback-peer",
        containers=of(app, db),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        recent_logs=RecentLogs(
            {app.id: tuple(RecentLine(CLOCK.wall - ago, line) for ago in (9, 3))}
        ),
        namespaces=Namespaces({app.id: netns}),
        network_losses=NetworkLosses((), refused_inside={app.id: refused}),
    )
    assert rows(result) == expected


def test_code_names_host_and_port_beside_each_other() -> None:
    text = 'CHANNELS = [("127.0.0.1", 6379)]\n# ("localhost", 6380)\nDB = ["localhost", "x"]\n'
    assert only("loopback", text).splitlines() == ['"127.0.0.1", 6379|6379']


HOST_SERVES = Listener("tcp", "0.0.0.0", 5004, 9, "dotnet")


def test_the_address_of_ipv6_is_no_pattern_of_sed() -> None:
    api = container_in("running", **ON_SHOP)
    target = LoopbackTarget(api, "[::1]:5004", 5004, "/srv/caddy/Caddyfile", 4)
    (finding,) = judge(
        "container.loopback-peer",
        containers=of(api),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        listeners=Listeners((HOST_SERVES,)),
        loopback_targets=LoopbackTargets((target,)),
    ).findings
    program = finding.variables["correction_to_host"]
    changed = subprocess.run(
        ["sed", program], input="proxy / [::1]:5004", capture_output=True, text=True, check=True
    )
    assert changed.stdout == "proxy / host.docker.internal:5004"


SILENT: dict[str, tuple[int, Listeners, list[tuple[str, str]]]] = {
    "the host serves the port": (5004, Listeners((HOST_SERVES,)), [("warning", "web")]),
    "nothing serves the port": (5005, Listeners((HOST_SERVES,)), []),
    "an engine's proxy has the port": (
        5004,
        Listeners((Listener("tcp", "0.0.0.0", 5004, 9, "docker-proxy"),)),
        [],
    ),
}


@pytest.mark.parametrize(("port", "listeners", "expected"), SILENT.values(), ids=SILENT)
def test_settings_that_name_localhost_where_no_line_does(
    port: int, listeners: Listeners, expected: list[tuple[str, str]]
) -> None:
    api = container_in("running", **ON_SHOP)
    found = judge(
        "container.loopback-peer",
        containers=of(api),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        listeners=listeners,
        loopback_targets=LoopbackTargets(
            (LoopbackTarget(api, f"localhost:{port}", port, "/srv/caddy/Caddyfile", 4),)
        ),
    )
    assert rows(found) == expected
    for finding in found.findings:
        place = "host.docker.internal:5004"
        assert finding.variables["correction_to_host"] == rf"s|\blocalhost:5004|{place}|g"
        assert finding.variables["settings"] == "/srv/caddy/Caddyfile"


def test_a_file_behind_a_link_of_the_container_is_named_and_not_changed() -> None:
    api = container_in("running", name="api", **ON_SHOP)
    app, log_tails = failed_with_log(REFUSED, **ON_SHOP)
    db = container_in("running", name="db", **PEER_PORT, **ON_SHOP)
    silent = LoopbackTarget(api, "localhost:5004", 5004, "/srv/caddy/conf", 4, is_linked=True)
    logged = LoopbackTarget(app, "host: localhost", 5432, "/srv/wiki/conf", is_linked=True)
    found = judge(
        "container.loopback-peer",
        containers=of(api, app, db),
        clock=CLOCK,
        log_tails=log_tails,
        listeners=Listeners((HOST_SERVES,)),
        loopback_targets=LoopbackTargets((silent,), (logged,)),
    ).findings
    named = {(silent.path, True), (logged.path, True)}
    assert {(target.path, target.path in str(found)) for target in (silent, logged)} == named
    edits = {"settings", "correction", "joint_correction", "correction_to_host"}
    assert [edits & finding.variables.keys() for finding in found] == [set(), set()]


def test_the_mounted_file_that_comes_before_a_variable() -> None:
    """A log says where a call went, and not which settings said so."""
    env = {"Config": {"Env": ["DB_HOST=db", "DB_PORT=5432"]}}
    app, log_tails = failed_with_log(REFUSED, **env, **ON_SHOP)
    db = container_in("running", name="db", **PEER_PORT, **ON_SHOP)
    place = LoopbackTarget(app, "host: localhost", 5432, "/srv/wiki/config.yml")
    for told, settings in (((place,), "/srv/wiki/config.yml"), ((place, place), None), ((), None)):
        (finding,) = judge(
            "container.loopback-peer",
            containers=of(app, db),
            clock=CLOCK,
            log_tails=log_tails,
            loopback_targets=LoopbackTargets(logged=told),
        ).findings
        assert finding.variables.get("settings") == settings
        assert ("/srv/wiki/config.yml says so" in finding.summary) == bool(settings)
        if settings:
            assert finding.variables["correction"] == r"s|\bhost: localhost|host: db|g"
            assert "DB_HOST=db" in str(finding.evidence)


FOR_BROWSERS = """\
cors:
  allowed:
    - http://localhost:3000
  origins: [
    "http://localhost:3001",
  ]
frontend_url: http://localhost:3002/
redirect_uri = http://localhost:3003/callback
location / { return 302 http://localhost:3004; }
api: http://localhost:5000
location /public { proxy_pass http://localhost:5001; }
"""


def test_addresses_for_browsers_are_no_calls() -> None:
    assert only("loopback", FOR_BROWSERS).split() == ["localhost:5000", "localhost:5001"]


def test_a_port_of_the_host_that_settings_name_and_no_line_does() -> None:
    """A page for browsers is named by the port of the host, too."""
    api = container_in("running", **ON_SHOP)
    other = container_in("running", name="db", **LED_ELSEWHERE)
    target = LoopbackTarget(api, "localhost:5432", 5432, "/srv/api/config.yml", 4)
    result = judge(
        "container.loopback-peer",
        containers=of(api, other),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        loopback_targets=LoopbackTargets((target,)),
    )
    assert rows(result) == []


KEYS = {
    "a block of YAML": (
        "db:\n  type: postgres\n  host: localhost\n  port: 5432\n",
        "host: localhost|5432",
    ),
    "JSON": ('{\n  "host": "127.0.0.1",\n  "port": 3306,\n}', 'host": "127.0.0.1"|3306'),
    "keys with a prefix": ("db_host = 'localhost'\ndb_port = 5432\n", "host = 'localhost'|5432"),
    "a port of the block above": (
        "web:\n  port: 8080\nredis:\n  db: 0\n  host: 127.0.0.1\n  port: 6379\n",
        "host: 127.0.0.1|6379",
    ),
    "a port of another block": ("db:\n  host: localhost\nport: 3000\n", ""),
    "two hosts": ("a:\n  host: localhost\n  port: 1111\nb:\n  host: localhost\n  port: 2222\n", ""),
    "a comment": ("  # host: localhost\n  port: 5432\n", ""),
}


@pytest.mark.parametrize(("text", "expected"), KEYS.values(), ids=KEYS)
def test_two_keys_of_one_block(text: str, expected: str) -> None:
    assert only("loopback", text).strip() == expected


BESIDE = {
    "a program of its own may be meant": (3000, ("nginx", "node"), []),
    "nothing runs beside the web server": (3000, ("nginx", "sh"), [("critical", "web")]),
    "no web server": (3000, ("node",), [("critical", "web")]),
    "a database": (5432, ("nginx", "php-fpm", "node"), [("critical", "web")]),
}


@pytest.mark.parametrize(("port", "commands", "expected"), BESIDE.values(), ids=BESIDE)
def test_a_web_server_and_a_program_beside_it(
    port: int, commands: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    web = container_in("running", **ON_SHOP)
    inside = (
        Process(pid=pid, comm=comm, container=web.id) for pid, comm in enumerate(commands, 10)
    )
    line = f"connect() failed: dial tcp 127.0.0.1:{port}: connect: connection refused"
    lines = tuple(RecentLine(CLOCK.wall - ago, line) for ago in (9, 3))
    found = judge(
        "container.loopback-peer",
        containers=of(web, _server_at(port)),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        recent_logs=RecentLogs({web.id: lines}),
        namespaces=Namespaces(
            {web.id: ContainerNetns(web, 1, links=(), addresses=(), routes=(), listeners=())}
        ),
        processes=Processes(tuple(inside)),
    )
    assert rows(found) == expected


_WORKER_ERROR = "ERROR worker: job failed: [Errno 111] Connection refused"
UNNAMED = {
    "a URL": (["DB_URL=postgres://shop:x@localhost/shop"], _WORKER_ERROR, 2, FOUND),
    "a host and its port": (["DB_HOST=localhost", "DB_PORT=5432"], _WORKER_ERROR, 2, FOUND),
    "a host and port in one": (["DATABASE=127.0.0.1:5432"], _WORKER_ERROR, 2, FOUND),
    "fewer calls than lines": (["DATABASE=127.0.0.1:5432"], _WORKER_ERROR, 1, []),
    "a page of its own": (["SITE_URL=http://localhost:5432"], _WORKER_ERROR, 2, []),
    "what browsers call": (["VITE_API=http://localhost:5432"], _WORKER_ERROR, 2, []),
    "two places": (["DB=localhost:5432", "CACHE=localhost:6379"], _WORKER_ERROR, 2, []),
    "a port of its own": (["DB=localhost:8083"], _WORKER_ERROR, 2, []),
    "the line names another": (
        ["DB=localhost:5432"],
        "ERROR dial tcp 172.18.0.9:6379: connect: connection refused",
        2,
        [],
    ),
}


@pytest.mark.parametrize(
    ("environment", "line", "spare", "expected"), UNNAMED.values(), ids=UNNAMED
)
def test_a_variable_names_the_place_that_no_line_does(
    environment: list[str], line: str, spare: int, expected: list[tuple[str, str]]
) -> None:
    """spare: how many more calls than one the kernel has counted, before the last line was read."""
    app = container_in("running", Config={"Env": environment}, **ON_SHOP)
    netns = ContainerNetns(
        app, 1, (Socket("tcp", "0.0.0.0", 8083),), addresses=(), routes=(), listeners=()
    )
    result = judge(
        "container.loopback-peer",
        containers=of(app, _server_at(5432)),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        recent_logs=RecentLogs(
            {app.id: tuple(RecentLine(CLOCK.wall - ago, line) for ago in (12, 9, 6, 3))}
        ),
        namespaces=Namespaces({app.id: netns}),
        network_losses=NetworkLosses((), refused_inside={app.id: 1 + spare}),
    )
    assert rows(result) == expected


OF_HOST = {"HostConfig": {"NetworkMode": "host"}}
PUBLISHED = {
    "NetworkSettings": {"Ports": {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "9876"}]}}
}
UNSEEN: dict[str, tuple[dict[str, Any], list[Listener], list[dict[str, str]]]] = {
    "a port that is not published": (
        {},
        [],
        [{"unpublished": "db", "publish": "127.0.0.1:5432:5432"}],
    ),
    "a port that is published as another one": (PUBLISHED, [], [{}]),
    "a port at which the host listens": (
        {},
        [Listener("tcp", "0.0.0.0", 5432, pid=812, comm="postgres")],
        [],
    ),
    "a neighbour on the host's network": (OF_HOST, [], []),
}


@pytest.mark.parametrize(("more", "listening", "expected"), UNSEEN.values(), ids=UNSEEN)
@pytest.mark.parametrize("runs", [False, True])
def test_a_caller_on_the_hosts_network(
    more: dict[str, Any], listening: list[Listener], expected: list[dict[str, str]], *, runs: bool
) -> None:
    server = container_in("running", name="db", **PEER_PORT, **more)
    caller, log_tails = failed_with_log(REFUSED, **OF_HOST)
    recent = None
    if runs:
        caller, log_tails = container_in("running", name="web", **OF_HOST), LogTails({}, {})
        lines = tuple(RecentLine(CLOCK.wall - 9 + at, REFUSED) for at in range(4))
        recent = RecentLogs({caller.id: lines})
    result = judge(
        "container.loopback-peer",
        containers=of(caller, server),
        clock=CLOCK,
        log_tails=log_tails,
        recent_logs=recent,
        namespaces=Namespaces({}),
        listeners=Listeners(tuple(listening)),
    )
    kept = ("unpublished", "publish")
    chosen = [
        {name: finding.variables[name] for name in kept if name in finding.variables}
        for finding in result.findings
    ]
    assert chosen == expected


STACK = (
    "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure\n"
    "Caused by: java.net.ConnectException: Connection refused (Connection refused)"
)


@pytest.mark.parametrize(
    ("text", "port", "expected"),
    [
        (STACK, 3306, True),
        (STACK, 5432, False),
        ("Caused by: java.net.ConnectException: Connection refused", 3306, False),
        ("mysql: Can't connect to server on 'db' (111 Connection refused)", 3306, False),
        ("Error: connect ECONNREFUSED 172.20.0.3:3306 (mysql)", 3306, False),
        ("mysql: Access denied for user 'shop'", 3306, False),
    ],
)
def test_a_stack_without_a_place_means_its_kind_of_server(text: str, port: int, expected: bool):
    tail = LogTail(tuple(text.split("\n")))
    assert (is_refused_by_nobody(tail) and says_kind(tail, port)) is expected


def test_the_settings_say_where_a_failed_program_looks_for_its_database():
    container, log_tails = failed_with_log(STACK, **ON_SHOP)
    database = {"Config": {"ExposedPorts": {"3306/tcp": {}}}}
    other = container_in("running", name="db", **database, **ON_SHOP)
    place = LoopbackTarget(
        container, "127.0.0.1:3306", port=3306, path="/root/.halo/application.yaml"
    )
    admin = LoopbackTarget(container, "localhost:3307", port=3307, path="/x")
    for meant, expected in (((place,), FOUND), ((place, admin), []), ((), [])):
        result = judge(
            "container.loopback-peer",
            containers=of(container, other),
            clock=CLOCK,
            log_tails=log_tails,
            loopback_targets=LoopbackTargets((), meant=meant),
        )
        assert rows(result) == expected


STORE = "redis://redis:6379/0"
HOSTLESS: dict[str, tuple[list[str], dict[str, Any], str | None]] = {
    "Celery's kind of store, beside its broker": (
        [f"CELERY_BROKER_URL={STORE}", "CELERY_RESULT_BACKEND=redis"],
        {},
        f"CELERY_RESULT_BACKEND={STORE}",
    ),
    "Celery's kind of store": (["RESULT_BACKEND=redis"], {}, "RESULT_BACKEND=redis://redis"),
    "a store with a password": (
        ["RESULT_BACKEND=redis"],
        {"Args": ["--requirepass", "made-up"], "Path": "redis-server"},
        None,
    ),
    "a scheme": (["REDIS_URL=redis://"], {}, "REDIS_URL=redis://redis"),
    "a port": (["REDIS_URL=redis://:6379/2"], {}, "REDIS_URL=redis://redis:6379/2"),
    "an empty host": (["REDIS_HOST="], {}, "REDIS_HOST=redis"),
    "an empty host with a port beside it": (
        ["CACHE_HOST=", "CACHE_PORT=6379"],
        {},
        "CACHE_HOST=redis",
    ),
    "two without a host": (["REDIS_URL=redis://", "REDIS_HOST="], {}, None),
    "an empty host of another server": (["DB_HOST=", "DB_PORT=5432"], {}, None),
    "a kind in a setting that takes just that": (["CACHE_DRIVER=redis"], {}, None),
    "localhost elsewhere": (
        ["REDIS_HOST=localhost", "RESULT_BACKEND=redis"],
        {},
        "REDIS_HOST=redis",
    ),
}


@pytest.mark.parametrize(("environment", "served", "assignment"), HOSTLESS.values(), ids=HOSTLESS)
def test_a_variable_without_a_host(
    environment: list[str], served: dict[str, Any], assignment: str | None
) -> None:
    app, log_tails = failed_with_log(ERROR_99, Config={"Env": environment}, **ON_SHOP)
    ports = {"Config": {"ExposedPorts": {"6379/tcp": {}}}}
    redis = container_in("running", name="redis", **ports, **served, **ON_SHOP)
    (finding,) = judge(
        "container.loopback-peer", containers=of(app, redis), clock=CLOCK, log_tails=log_tails
    ).findings
    assert finding.variables.get("assignment") == assignment


def test_a_password_in_a_url_without_a_host_is_not_shown() -> None:
    url = "REDIS_URL=redis://:<redacted:password:0123456789>@:6379/0"
    app, log_tails = failed_with_log(ERROR_99, Config={"Env": [url]}, **ON_SHOP)
    redis = container_in(
        "running", name="redis", Config={"ExposedPorts": {"6379/tcp": {}}}, **ON_SHOP
    )
    (finding,) = judge(
        "container.loopback-peer", containers=of(app, redis), clock=CLOCK, log_tails=log_tails
    ).findings
    assert 'its variable "REDIS_URL" names no host' in finding.summary
    assert finding.variables["splice"] == r"s/@:6379\b/@redis:6379/"
    assert "redacted" not in str(finding)
