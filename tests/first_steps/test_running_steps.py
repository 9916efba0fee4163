"""What a program that runs on is offered.

diagnose/first_steps/rows/running_steps.py, through its check.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.network.networks import Network, Networks
from diagnose.model import Result, Severity
from diagnose.questions.images import AddressPool, Ipam
from tests.checks.container.evidence import NOW, PROXIED
from tests.inspected import bind, container
from tests.judging import judge, rows

APP = container("app")


def repeating(lines: dict[str, list[str]], *containers: Container, **further: Any) -> Result:
    """The verdict on these containers, each of which repeats its lines four times, by its name."""
    logs = RecentLogs(
        {
            container.id: tuple(
                RecentLine(NOW, line.format(i)) for i in range(4) for line in lines[container.name]
            )
            for container in containers
            if container.name in lines
        }
    )
    known = Containers(containers)
    errors = repeated_errors(known, logs)
    return judge("container.errors-in-log", repeated_errors=errors, containers=known, **further)


def at(address: str) -> dict[str, Any]:
    """The address of a container on the network shop."""
    return {"NetworkSettings": {"Networks": {"shop": {"NetworkID": "n1", "IPAddress": address}}}}


TIMEOUT = "[2026-05-01 10:00:30 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:7)"
PLAIN_REQUEST = (
    "2026/11/28 04:56:34 http: TLS handshake error from 10.0.0.9:50334: client sent an HTTP request "
    "to an HTTPS server"
)
SCRIPT = (
    '[error] 7#7: *1 FastCGI sent in stderr: "Primary script unknown" while reading response header '
    'from upstream, client: 10.0.0.7, request: "GET /index.php HTTP/1.1", '
    'upstream: "fastcgi://10.0.0.9:9000"'
)
SITE = {"Type": "bind", "Source": "/srv/shop", "Destination": "/var/www/html", "RW": True}
STREAM = 'nginx: [emerg] "stream" directive is not allowed here in /etc/nginx/conf.d/stream.conf:3'
CONFIG = {"Type": "bind", "Source": "/srv/swag", "Destination": "/config", "RW": True}
MEDIA = {"Type": "bind", "Source": "/srv/media", "Destination": "/media", "RW": True}
CERTIFICATES = {"Type": "bind", "Source": "/srv/tls", "Destination": "/etc/tls", "RW": False}
BOTH = {"mounts_of": "app other"}
UNTRUSTED = (
    'csrf.go:100 > Failed to validate Origin or Referer | error="origin invalid" forwarded= '
    "host=portainer:9000 origin=https://port.example.com:5433 referer=https://port.example.com:5433/ "
    "request_url=/api/auth trusted_origins=[] x_forwarded_proto=https"
)
OFFERED = {
    "a server that kills its workers": (TIMEOUT, {}, {}, {"impatient": "app"}),
    "a timeout of its command": (TIMEOUT, {"Config": {"Cmd": ["g", "--timeout=9"]}}, {}, {}),
    "a timeout of its variable": (
        TIMEOUT,
        {"Config": {"Env": ["GUNICORN_CMD_ARGS=--timeout=9"]}},
        {},
        {},
    ),
    "a main file that has outlived its image": (
        STREAM,
        {"Mounts": [CONFIG]},
        {},
        {"sampled": "/config/nginx/nginx.conf"},
    ),
    "a neighbour that speaks plain HTTP": (PLAIN_REQUEST, {}, {}, {"speaker": "other"}),
    "a stranger that speaks plain HTTP": (PLAIN_REQUEST.replace("0.0.9", "0.9.9"), {}, {}, {}),
    "a folder that the other one lacks": (
        SCRIPT,
        {"Mounts": [SITE, CERTIFICATES]},
        {"Mounts": [MEDIA]},
        {
            "scripts": "other",
            "scripts_at": "/var/www/html",
            "scripts_mount": "/srv/shop:/var/www/html:ro",
        },
    ),
    "a folder that both have": (SCRIPT, {"Mounts": [SITE]}, {"Mounts": [SITE]}, BOTH),
    "an origin that Portainer does not know": (
        UNTRUSTED,
        {"Config": {"Image": "portainer/portainer-ce:2.33.0"}},
        {},
        {"assignment": "TRUSTED_ORIGINS=port.example.com"},
    ),
    "an origin more": (
        UNTRUSTED,
        {
            "Config": {
                "Image": "portainer/portainer-ce:2.33.0",
                "Env": ["TRUSTED_ORIGINS=a.example.com"],
            }
        },
        {},
        {"assignment": "TRUSTED_ORIGINS=a.example.com,port.example.com"},
    ),
    "two folders that the other one lacks": (SCRIPT, {"Mounts": [SITE, MEDIA]}, {}, BOTH),
}


@pytest.mark.parametrize(("line", "own", "others", "expected"), OFFERED.values(), ids=OFFERED)
def test_what_is_offered(
    line: str, own: dict[str, Any], others: dict[str, Any], expected: dict[str, str]
) -> None:
    app = container("app", **at("10.0.0.2"), **own)
    other = container("other", **at("10.0.0.9"), **others)
    (finding,) = repeating({"app": [line]}, app, other).findings
    assert _without_words(finding.variables) == {"container": "app", **expected}


def _without_words(variables: Mapping[str, str]) -> dict[str, str]:
    """Without what is asked where nothing better is offered."""
    unexplained = ("around_from", "around_to", "neighbours", "repeated")
    return {name: text for name, text in variables.items() if name not in unexplained}


def test_its_neighbours_are_asked_where_the_line_names_nothing() -> None:
    app = container("app", **at("10.0.0.2"))
    others = [container("db", **at("10.0.0.9")), container("alone")]
    (finding,) = repeating({"app": ["ERROR the order was lost"]}, app, *others).findings
    assert finding.variables["neighbours"] == "db"
    assert finding.variables["around_from"] < finding.variables["around_to"]
    (alone,) = repeating({"app": ["ERROR the order was lost"]}, app).findings
    assert alone.variables == {"container": "app", "repeated": "ERROR the order was lost"}


TASK = "ERROR: Received unregistered task of type 'orders.tasks.send'."
DIGESTS = ("shop@sha256:" + "a" * 64, "shop@sha256:" + "b" * 64)


@pytest.mark.parametrize(
    ("own", "other", "newer"),
    [
        pytest.param("shop:41", "shop:42", "shop:42", id="another build"),
        pytest.param("shop:41", "shop:41", "", id="the same build"),
        pytest.param("shop:41", "redis:7", "", id="another image"),
        pytest.param("r.lab.test:5000/worker", "r.lab.test:5000/web", "", id="a port is not a tag"),
        pytest.param(*DIGESTS, "", id="digests"),
    ],
)
def test_a_worker_of_an_older_image(own: str, other: str, newer: str) -> None:
    worker = container("app", Config={"Image": own}, **at("10.0.0.3"))
    backend = container("backend", Config={"Image": other}, **at("10.0.0.4"))
    (finding,) = repeating({"app": [TASK]}, worker, backend).findings
    assert finding.variables.get("newer_image", "") == newer


def home(image: str, **parts: Any) -> Container:
    """A program behind a proxy, at 10.0.0.2 of the network shop."""
    return container("hass", Config={"Image": image}, **at("10.0.0.2"), **parts)


HASS = "ghcr.io/home-assistant/home-assistant:2025.1"
CONFIG = bind("/srv/hass", Destination="/config")
STEPS = {"trusting": "hass", "trusting_file": "/srv/hass/configuration.yaml"}
NEAR, FAR = PROXIED, PROXIED.replace("10.0.0.3", "192.168.7.1")
STRANGE = PROXIED.replace("10.0.0.3", "8.8.4.4")


@pytest.mark.parametrize(
    ("hass", "line", "expected"),
    [
        pytest.param(home(HASS, **CONFIG), NEAR, STEPS | {"trusted": "10.0.0.0/24"}, id="near"),
        pytest.param(home(HASS, **CONFIG), FAR, STEPS | {"trusted": "192.168.7.1"}, id="far"),
        pytest.param(home(HASS, **CONFIG), STRANGE, {}, id="a client of the internet"),
        pytest.param(home(HASS), NEAR, {}, id="no folder of the host"),
        pytest.param(home("shop:1.4", **CONFIG), NEAR, {}, id="another program"),
    ],
)
def test_a_proxy_that_is_not_trusted(hass: Container, line: str, expected: dict[str, str]) -> None:
    pool = AddressPool(subnet="10.0.0.0/24", gateway="10.0.0.1")
    network = Network(name="shop", id="n1", driver="bridge", ipam=Ipam(config=[pool]))
    (finding,) = repeating({"hass": [line]}, hass, networks=Networks((network,))).findings
    steps = {name: value for name, value in finding.variables.items() if name.startswith("trust")}
    assert steps == expected


RELAY = (
    "mx postfix/smtpd[160]: NOQUEUE: reject: RCPT from app.shop[10.0.0.3]: 454 4.7.1 "
    "<user@example.org>: Relay access denied; from=<shop@example.com>"
)


@pytest.mark.parametrize(
    ("variable", "line", "assignment"),
    [
        pytest.param(
            "MYNETWORKS=127.0.0.0/8 172.17.0.0/16", RELAY,
            "MYNETWORKS=127.0.0.0/8 172.17.0.0/16 10.0.0.0/24", id="another network",
        ),
        pytest.param("MYNETWORKS=10.0.0.0/24", RELAY, "", id="its network"),
        pytest.param("MYNETWORKS=127.0.0.0/8", RELAY.replace("10.0.0.3", "8.8.4.4"), "", id="a stranger"),
        pytest.param("OTHER=1", RELAY, "", id="no such variable"),
    ],
)  # fmt: skip
def test_a_mail_server_that_passes_nothing_on(variable: str, line: str, assignment: str) -> None:
    mail = container("mail", Config={"Env": [variable]}, **at("10.0.0.2"))
    pool = AddressPool(subnet="10.0.0.0/24", gateway="10.0.0.1")
    network = Network(name="shop", id="n1", driver="bridge", ipam=Ipam(config=[pool]))
    (finding,) = repeating({"mail": [line]}, mail, networks=Networks((network,))).findings
    assert finding.variables.get("assignment", "") == assignment


def test_a_name_without_a_certificate() -> None:
    line = (
        "HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.7: "
        "Fetching http://shop.example.com/.well-known/acme-challenge/x1Yq: Timeout during connect"
    )
    (finding,) = repeating({"app": [line]}, APP).findings
    assert finding.severity.name == "warning"
    assert finding.variables["unreached"] == "shop.example.com"


_REFUSED = (
    "HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.7: "
    "Fetching http://shop.example.com/.well-known/acme-challenge/x1Yq: Connection refused"
)
_WEB = {"80/tcp": {}, "443/tcp": {}}
_AT_80 = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]}


@pytest.mark.parametrize(
    ("declared", "published", "expected"),
    [
        (_WEB, {}, {"challenged": "edge", "challenge_port": "80:80"}),
        (_WEB, _AT_80, {"unreached": "shop.example.com"}),
        ({"8080/tcp": {}}, {}, {"unreached": "shop.example.com"}),
    ],
    ids=["nobody publishes it", "another container does", "the image does not declare it"],
)
def test_a_challenge_whose_port_is_not_published(
    declared: dict[str, Any], published: dict[str, Any], expected: dict[str, str]
) -> None:
    edge = container("edge", Config={"ExposedPorts": declared}, **at("172.18.0.2"))
    other = container("other", NetworkSettings={"Ports": published, "Networks": {"shop": {}}})
    (finding,) = repeating({"edge": [_REFUSED]}, edge, other).findings
    steps = ("challenged", "challenge_port", "unreached")
    assert {
        name: finding.variables[name] for name in steps if name in finding.variables
    } == expected


@pytest.mark.parametrize(
    ("ports", "expected"),
    [(["443"], {"challenged": "proxy", "challenge_port": "80:80"}), (["443", "80"], {}), ([], {})],
    ids=["HTTPS alone", "both", "it publishes nothing"],
)
def test_a_challenge_of_the_proxy_beside(ports: list[str], expected: dict[str, str]) -> None:
    line = "simp_le:1421: CA marked some of the authorizations as invalid, which likely means"
    published = {f"{port}/tcp": [{"HostIp": "", "HostPort": port}] for port in ports}
    getter = container("getter", **at("172.18.0.2"))
    proxy = container(
        "proxy",
        Config={"ExposedPorts": _WEB},
        NetworkSettings={"Ports": published, "Networks": {"shop": {}}},
    )
    (finding,) = repeating({"getter": [line]}, getter, proxy).findings
    steps = ("challenged", "challenge_port")
    assert {
        name: finding.variables[name] for name in steps if name in finding.variables
    } == expected


READONLY = "redis.exceptions.ReadOnlyError: READONLY You can't write against a read only replica."
SYNC = ["* Connecting to MASTER 192.0.2.80:8886", "# Error condition on socket for SYNC: refused"]


@pytest.mark.parametrize(
    ("own", "expected"),
    [(SYNC, {"replica": "cache", "cut_off": "cache"}), ([], {"replica": "cache"})],
    ids=["its master is gone", "its master may answer"],
)
def test_a_replica_that_takes_no_writes(own: list[str], expected: dict[str, str]) -> None:
    url = {"Env": ["REDIS_URL=redis://cache:6379"]}
    caller = container("app", Config=url, **at("10.0.0.3"))
    cache = container("cache", Config={"Image": "redis:7"}, **at("10.0.0.3"))
    result = repeating({"app": [READONLY], "cache": own}, caller, cache)
    finding = result.findings[0]
    named = finding.variables.items() & {("replica", "cache"), ("cut_off", "cache")}
    assert dict(named) == expected
    assert ("192.0.2.80:8886" in finding.summary) == bool(own)
    assert ("warning", "app") in rows(result)


PLAIN = (
    "received plaintext http traffic on an https channel, closing connection "
    "Netty4HttpChannel(localAddress=/10.0.0.3:9200, remoteAddress=/10.0.0.9:5081)"
)


@pytest.mark.parametrize(
    ("image", "address", "expected"),
    [
        ("elasticsearch:8.15.0", "127.0.0.1", "xpack.security.enabled=false"),
        ("opensearchproject/opensearch:2", "127.0.0.1", "DISABLE_SECURITY_PLUGIN=true"),
        ("elasticsearch:8.15.0", "0.0.0.0", ""),
        ("elasticsearch:8.15.0", "", ""),
        ("team/search:1", "127.0.0.1", ""),
    ],
)
def test_a_server_that_wants_tls(image: str, address: str, expected: str) -> None:
    binding = [{"HostIp": address, "HostPort": "9200"}]
    ports = {"NetworkSettings": {"Ports": {"9200/tcp": binding}}}
    server = container("search", Config={"Image": image}, **ports)
    (finding,) = repeating({"search": [PLAIN]}, server).findings
    assert finding.variables.get("insecure", "") == expected
    assert finding.severity.name == "warning"


ORIGIN = (
    "Forbidden (Origin checking failed - https://shop.example does not match any trusted origins.)"
)


@pytest.mark.parametrize("level", ["", "INFO django.security.csrf ", "WARNING django.security: "])
def test_a_refused_origin_counts_at_any_level(level: str) -> None:
    app = container("app", **at("10.0.0.2"))
    (finding,) = repeating({"app": [f"{level}{ORIGIN}"]}, app).findings
    assert finding.severity is Severity.warning
    assert "refuses requests of pages of https://shop.example" in finding.summary
