"""What container.errors-in-log offers for a line, and whom it names."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.devices.asked import AskedDevices
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.machine.local_authorities import BUNDLE, LIST_PLACES, local_authorities
from diagnose.evidence.network.interfaces import Address, Interfaces
from tests.checks.container.evidence import PROXIED
from tests.checks.container.running.repeated_lines import APP, NOW, REFUSED
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

NO_HEADER = (
    '2026/11/28 20:08:0{} [error] 7#7: *{} broken header: "GET / HTTP/1.1" while reading PROXY '
    "protocol, client: 172.18.0.1, server: 0.0.0.0:443"
)
SERVED = '172.18.0.5 - - [28/Nov/2026:20:08:0{} +0000] "GET /orders HTTP/1.1" 200 12 "-" "x"'


@pytest.mark.parametrize(("served", "severity"), [((), "warning"), ((SERVED,), "advice")])
def test_who_sends_no_header_where_others_do(served: tuple[str, ...], severity: str) -> None:
    lines = [line.format(at, at) for line in (NO_HEADER, *served) for at in range(4)]
    logs = RecentLogs({APP.id: tuple(RecentLine(NOW, line) for line in lines)})
    errors = repeated_errors(Containers([APP]), logs)
    result = judge("container.errors-in-log", repeated_errors=errors)
    assert rows(result) == [(severity, "app")]


@pytest.mark.parametrize(
    ("line", "severity", "says"),
    [
        (PROXIED, "warning", "through the proxy 10.0.0.3"),
        (REFUSED.replace("mq.example", "10.0.0.3"), "advice", "repeats an error"),
    ],
    ids=["it turns its callers away", "it goes on"],
)
def test_who_is_behind_an_address(line: str, severity: str, says: str) -> None:
    app, proxy = (
        container(
            name, NetworkSettings={"Networks": {"home": {"NetworkID": "n1", "IPAddress": address}}}
        )
        for name, address in (("app", "10.0.0.2"), ("npm", "10.0.0.3"))
    )
    logs = RecentLogs({app.id: tuple(RecentLine(NOW, line.format(i, i)) for i in range(4))})
    errors = repeated_errors(Containers([app, proxy]), logs)
    (finding,) = judge("container.errors-in-log", repeated_errors=errors).findings
    assert finding.severity.name == severity
    assert says in finding.summary
    assert '10.0.0.3 is container "npm"' in finding.summary


STRANGER = "ERROR Invalid HTTP_HOST header: 'shop.example'. You may need to add 'shop.example' to ALLOWED_HOSTS."


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        ([STRANGER] * 4, "warning"),
        ([*[STRANGER] * 3, *['"GET /orders HTTP/1.1" 200'] * 4], "advice"),
        ([STRANGER, "GET /orders 200", "GET /cart 200"] * 4, "advice"),
        ([STRANGER, "  in get_host", "  in __call__"] * 4, "warning"),
    ],
    ids=["it refuses all", "it serves others", "it serves others as often", "its message is long"],
)
def test_a_server_that_does_not_know_its_own_name(lines: list[str], severity: str) -> None:
    app = container("app", Config={"Env": ["DJANGO_ALLOWED_HOSTS=localhost"]})
    logs = RecentLogs({app.id: tuple(RecentLine(NOW, line) for line in lines)})
    errors = repeated_errors(Containers([app]), logs)
    (finding,) = judge("container.errors-in-log", repeated_errors=errors).findings
    assert finding.severity.name == severity
    assert finding.evidence["where that is set"] == "environment variable DJANGO_ALLOWED_HOSTS"
    if severity == "warning":
        expected = {"assignment": "DJANGO_ALLOWED_HOSTS=localhost,shop.example"}
    else:
        expected = {"setting": "DJANGO_ALLOWED_HOSTS", "typed": "DJANGO_ALLOWED_HOSTS"}
    assert expected.items() <= finding.variables.items()


ASKED = {
    "a migration": (
        "django.db.utils.ProgrammingError: You have 3 unapplied migration(s)",
        [("warning", "app")],
        {"migration": "python manage.py migrate"},
    ),
    "a key": (
        "[2026-05-01 10:00:00] production.ERROR: No application encryption key has been specified.",
        [("warning", "app")],
        {"keyless": "app"},
    ),
    "a table of the program's own": (
        "production.ERROR: SQLSTATE[42S02]: Table 'shop.a' doesn't exist (SQL: select * from a)",
        [("warning", "app")],
        {"migration": "php artisan migrate --force"},
    ),
    "a server of secrets": (
        'read secret failed: 503 - {"errors":["Vault is sealed"]}',
        [("warning", "app")],
        {},
    ),
    "a search server": (
        "elasticsearch: index [orders] blocked by: [FORBIDDEN/12/index read-only / allow delete]",
        [("warning", "app")],
        {},
    ),
}


@pytest.mark.parametrize(("line", "expected", "variables"), ASKED.values(), ids=ASKED)
def test_what_a_line_asks_for(
    line: str, expected: list[tuple[str, str]], variables: dict[str, str]
) -> None:
    logs = RecentLogs({APP.id: tuple(RecentLine(NOW, line) for _ in range(4))})
    containers = Containers([APP])
    errors = repeated_errors(containers, logs)
    result = judge("container.errors-in-log", repeated_errors=errors, containers=containers)
    assert rows(result) == expected
    offered = {**result.findings[0].variables}
    offered.pop("repeated", None)  # the words by which a line is counted, if nothing better
    assert offered == {"container": "app", **variables}


def test_the_search_server_itself() -> None:
    server = container("search", Config={"Image": "elasticsearch:7.17.0"})
    line = "ERROR flood stage disk watermark [95%] exceeded on [abc], all indices read-only"
    logs = RecentLogs({server.id: tuple(RecentLine(NOW, line) for _ in range(4))})
    containers = Containers([server])
    errors = repeated_errors(containers, logs)
    result = judge("container.errors-in-log", repeated_errors=errors, containers=containers)
    assert [finding.variables["flooded"] for finding in result.findings] == ["search"]


def test_the_server_of_secrets_that_it_calls() -> None:
    on = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "10.0.0.3"}}}}
    caller = container("app", Config={"Env": ["VAULT_ADDR=http://keys:8200"]}, **on)
    server = container("keys", Config={"Image": "hashicorp/vault:1.13"}, **on)
    logs = RecentLogs({caller.id: tuple(RecentLine(NOW, "error: Vault is sealed") for _ in "abcd")})
    containers = Containers([caller, server])
    errors = repeated_errors(containers, logs)
    result = judge("container.errors-in-log", repeated_errors=errors, containers=containers)
    assert result.findings[0].variables["sealed"] == "keys"


def test_a_message_of_several_lines_of_which_two_fit() -> None:
    lines = ["ERROR cannot open the queue", "#0 queue.php(3): open()", "#52 {main}", "GET / 500"]
    logs = RecentLogs({APP.id: tuple(RecentLine(NOW, line) for line in lines * 2)})
    (error,) = repeated_errors(Containers([APP]), logs)
    assert (error.times, error.most, error.of) == (2, 2, 8)


def test_an_option_that_a_running_program_needs() -> None:
    line = "ZoneInfoNotFoundError: 'No time zone found with key Europe/Berlin'"
    logs = RecentLogs({APP.id: tuple(RecentLine(NOW, line) for _ in "abcd")})
    errors = repeated_errors(Containers([APP]), logs)
    wanted = "--volume=/usr/share/zoneinfo:/usr/share/zoneinfo:ro"
    for zones, expected in ((frozenset({"Europe/Berlin"}), wanted), (frozenset[str](), "")):
        asked = AskedDevices(zones=zones)
        result = judge("container.errors-in-log", repeated_errors=errors, asked_devices=asked)
        assert [finding.variables.get("needed_option", "") for finding in result.findings] == [
            expected
        ]


_SOCKET_WARNING = "WARN: Monitor #3 'films': Failing: connect ENOENT /var/run/docker.sock"
_SOCKET = "--volume=/var/run/docker.sock:/var/run/docker.sock"
_HAS_SOCKET = {
    "Mounts": [
        {
            "Type": "bind",
            "Source": "/run/docker.sock",
            "Destination": "/var/run/docker.sock",
            "RW": True,
        }
    ]
}


@pytest.mark.parametrize(
    ("line", "own", "expected"),
    [
        pytest.param(_SOCKET_WARNING, {}, [_SOCKET], id="a warning"),
        pytest.param(f"{_SOCKET_WARNING}, skipping it", {}, [], id="it does without"),
        pytest.param(_SOCKET_WARNING.replace("WARN", "INFO"), {}, [], id="it is in passing"),
        pytest.param(_SOCKET_WARNING, _HAS_SOCKET, [], id="it was given by now"),
        pytest.param("WARN: the queue is slow today", {}, [], id="another warning"),
    ],
)
def test_a_warning_about_what_was_not_given(
    line: str, own: dict[str, Any], expected: list[str]
) -> None:
    app = container("watch", **own)
    logs = RecentLogs({app.id: tuple(RecentLine(NOW, line) for _ in "abcd")})
    errors = repeated_errors(Containers([app]), logs)
    result = judge("container.errors-in-log", repeated_errors=errors, asked_devices=AskedDevices())
    findings = result.findings
    assert [finding.variables.get("needed_option") for finding in findings] == expected
    assert all("does not reach the engine's socket" in finding.summary for finding in findings)


DISTRUSTS = (
    "GET https://api.example/rates failed: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
    "unable to get local issuer certificate"
)
FOUND = {"entries": [{"name": "corp.crt", "type": "file"}]}
EMPTY: dict[str, Any] = {"entries": []}
AUTHORITIES: dict[str, tuple[str, dict[str, Any], list[Any], bool]] = {
    "the host has its own": (DISTRUSTS, FOUND, [], True),
    "the host has none": (DISTRUSTS, EMPTY, [], False),
    "the container has the host's": (
        DISTRUSTS,
        FOUND,
        [{"Type": "bind", "Source": BUNDLE, "Destination": BUNDLE}],
        False,
    ),
    "another error": (REFUSED, FOUND, [], False),
}


@pytest.mark.parametrize(
    ("line", "listing", "mounts", "expected"), AUTHORITIES.values(), ids=AUTHORITIES
)
def test_the_host_knows_an_authority_that_the_image_does_not(
    line: str, listing: dict[str, Any], mounts: list[Any], expected: bool
) -> None:
    app = container("app", Mounts=mounts)
    logs = RecentLogs({app.id: tuple(RecentLine(NOW, line.format(i, i)) for i in range(4))})
    errors = repeated_errors(Containers([app]), logs)
    authorities = local_authorities(Made({"file.list": listing}), errors)
    result = judge("container.errors-in-log", repeated_errors=errors, local_authorities=authorities)
    (finding,) = result.findings
    assert ("distrusting" in finding.variables) == expected


OF_GO = 'Post "https://api.example/v1": x509: certificate signed by unknown authority, attempt {}'
ROOT = "/proc/100/root"
BUNDLES = {BUNDLE: {"type": "file"}}
LISTS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "an image of nothing": (OF_GO, {f"{ROOT}/etc/hosts": {"type": "file"}}, True),
    "an image with a list": (
        OF_GO,
        {f"{ROOT}/etc/hosts": {"type": "file"}, f"{ROOT}/etc/ssl/cert.pem": {"type": "file"}},
        False,
    ),
    "a server of the network": (
        OF_GO.replace("api.example", "gitlab.lan:8443"),
        {f"{ROOT}/etc/hosts": {"type": "file"}},
        False,
    ),
    "an address of the network": (
        OF_GO.replace("api.example", "192.168.1.7"),
        {f"{ROOT}/etc/hosts": {"type": "file"}},
        False,
    ),
    "a neighbour": (
        OF_GO.replace("api.example", "vault:8200"),
        {f"{ROOT}/etc/hosts": {"type": "file"}},
        False,
    ),
    "a container that may not be looked into": (OF_GO, {}, False),
    "a library with a list of its own": (DISTRUSTS, {f"{ROOT}/etc/hosts": {"type": "file"}}, False),
}


@pytest.mark.parametrize(("line", "inside", "expected"), LISTS.values(), ids=LISTS)
def test_an_image_without_any_list_of_authorities(
    line: str, inside: dict[str, Any], expected: bool
) -> None:
    app = container("app")
    logs = RecentLogs({app.id: tuple(RecentLine(NOW, line.format(i)) for i in range(4))})
    errors = repeated_errors(Containers([app]), logs)
    absent = {f"{ROOT}{path}": {"failed": "missing"} for path in LIST_PLACES}
    host = Made({"file.list": EMPTY, "file.stats": {**absent, **inside, **BUNDLES}})
    authorities = local_authorities(host, errors)
    result = judge("container.errors-in-log", repeated_errors=errors, local_authorities=authorities)
    (finding,) = result.findings
    assert ("listless" in finding.variables) == expected


SELF_SIGNED = (
    "GET https://shop.test/ failed: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
    "self-signed certificate (_ssl.c:992)"
)
EDGE = container(
    "edge", NetworkSettings={"Ports": {"443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "443"}]}}
)
OF_HOST = Interfaces((), (Address(2, "192.0.2.10", 24),))
SHOWN: dict[str, tuple[str, list[str], Container, bool]] = {
    "an address of the host": (SELF_SIGNED, ["shop.test:192.0.2.10"], EDGE, True),
    "the host itself": (SELF_SIGNED, ["shop.test:host-gateway"], EDGE, True),
    "another machine": (SELF_SIGNED, ["shop.test:192.0.2.80"], EDGE, False),
    "a name elsewhere": (SELF_SIGNED, [], EDGE, False),
    "another port": (
        SELF_SIGNED.replace("test/", "test:8443/"),
        ["shop.test:192.0.2.10"],
        EDGE,
        False,
    ),
}


@pytest.mark.parametrize(("line", "hosts", "edge", "expected"), SHOWN.values(), ids=SHOWN)
def test_whose_certificate_is_not_taken(
    line: str, hosts: list[str], edge: Container, expected: bool
) -> None:
    app = container("app", HostConfig={"ExtraHosts": hosts})
    containers = Containers([app, edge])
    logs = RecentLogs({app.id: tuple(RecentLine(NOW, line) for _ in range(4))})
    (finding,) = judge(
        "container.errors-in-log",
        repeated_errors=repeated_errors(containers, logs),
        containers=containers,
        links=OF_HOST,
    ).findings
    assert ('is container "edge", which publishes that port' in finding.summary) is expected
    assert "distrusting" not in finding.variables


PORTS = {
    "pages": ("8080/tcp", "0.0.0.0", {"served": "http://127.0.0.1:8097"}),
    "pages on one address": ("8080/tcp", "2001:db8::1", {"served": "http://[2001:db8::1]:8097"}),
    "HTTPS": ("8443/tcp", "", {"served": "https://127.0.0.1:8097"}),
    "a database": ("5432/tcp", "", {}),
    "datagrams": ("8080/udp", "", {}),
}


@pytest.mark.parametrize(("port", "address", "offered"), PORTS.values(), ids=PORTS)
def test_a_service_with_an_error_that_names_nothing_is_asked_for_a_page(
    port: str, address: str, offered: dict[str, str]
) -> None:
    ports = {port: [{"HostIp": address, "HostPort": "8097"}]}
    app = container("app", NetworkSettings={"Ports": ports})
    lines = tuple(RecentLine(NOW, "ERROR thumbnail job failed") for _ in range(4))
    errors = repeated_errors(Containers([app]), RecentLogs({app.id: lines}))
    (finding,) = judge("container.errors-in-log", repeated_errors=errors).findings
    assert {name: finding.variables[name] for name in offered} == offered
    assert bool(offered) is ("served" in finding.variables)


DISTRUST = (
    "GET https://{}/v1 failed: certificate verify failed: unable to get local issuer certificate"
)
NAMED = "Get https://{}/v1: x509: certificate is valid for docker, localhost, not dind"
SERVERS = {
    "a server elsewhere": (DISTRUST, "api.example.com", "api.example.com:443"),
    "its port": (DISTRUST, "api.example.com:8443", "api.example.com:8443"),
    "a neighbour": (NAMED, "dind:2376", "10.0.0.3:2376"),
}


@pytest.mark.parametrize(("line", "place", "server"), SERVERS.values(), ids=SERVERS)
def test_the_certificate_that_is_not_taken_is_shown(line: str, place: str, server: str) -> None:
    app, dind = (
        container(
            name, NetworkSettings={"Networks": {"ci": {"NetworkID": "n1", "IPAddress": address}}}
        )
        for name, address in (("app", "10.0.0.2"), ("dind", "10.0.0.3"))
    )
    lines = tuple(RecentLine(NOW, line.format(place)) for _ in range(4))
    both = Containers([app, dind])
    errors = repeated_errors(both, RecentLogs({app.id: lines}))
    result = judge("container.errors-in-log", repeated_errors=errors, containers=both)
    (finding,) = result.findings
    assert finding.variables.get("tls_server") == server


NO_SECRET = "Error: SESSION_SECRET is missing in ENV."
BAD_KEY = "ERROR: Unsupported cipher or incorrect key length. Supported ciphers are: aes-128-cbc"
HAS_SECRET = {"Config": {"Env": ["SESSION_SECRET=made-up-blue"]}}
LOOKS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "a variable that it does not have": (NO_SECRET, {}, {"missing": "SESSION_SECRET"}),
    "a variable that it has": (NO_SECRET, HAS_SECRET, {}),
    "keys": (BAD_KEY, {}, {"set_about": "^[^=]*(KEY|SECRET|SALT)[^=]*=", "asked": "app"}),
}


@pytest.mark.parametrize(("line", "fields", "expected"), LOOKS.values(), ids=LOOKS)
def test_what_is_set_for_what_the_line_is_about(
    line: str, fields: dict[str, Any], expected: dict[str, str]
) -> None:
    app = container("app", **fields)
    errors = repeated_errors(Containers([app]), RecentLogs({app.id: (RecentLine(NOW, line),) * 4}))
    (finding,) = judge("container.errors-in-log", repeated_errors=errors).findings
    given = finding.variables
    assert {
        name: given[name] for name in ("missing", "set_about", "asked") if name in given
    } == expected
