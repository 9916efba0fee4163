"""Names whose old address a program keeps."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.dns.names.moved_names import MovedNames, moved_names
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Unavailable
from tests.hosts import Made
from tests.inspected import container

NONE = Unavailable("missing", "")
WEB = container("web")
JAVA = "connect to api.shop.test:443 [api.shop.test/192.0.2.70] failed: No route to host"
LINES = {
    "Java": (JAVA, ["192.0.2.80"], ["192.0.2.80"]),
    "Postfix": (
        "connect to mx.shop.test[192.0.2.70]:25: timed out",
        ["192.0.2.80"],
        ["192.0.2.80"],
    ),
    "libpq": (
        'connection to server at "db.shop.test" (192.0.2.70), port 5432 failed: Connection refused',
        ["192.0.2.80"],
        ["192.0.2.80"],
    ),
    "Go": (
        'Get "https://api.shop.test/v2/": dial tcp 192.0.2.70:443: connect: no route to host',
        ["192.0.2.80"],
        ["192.0.2.80"],
    ),
    "the same address": (JAVA, ["192.0.2.70"], []),
    "one of several": (JAVA, ["192.0.2.80", "192.0.2.70"], []),
    "no address any more": (JAVA, [], []),
    "no name": ("dial tcp 192.0.2.70:443: connect: no route to host", ["192.0.2.80"], []),
    "a version": ("app-1.2.3/192.0.2.70 failed: timeout", [], []),
    "its own": ("connect to api.shop.test/127.0.0.1 failed: refused", ["192.0.2.80"], []),
}


@pytest.mark.parametrize("name", LINES)
def test_addresses_that_a_name_had(name: str) -> None:
    line, answers, wanted = LINES[name]
    failure, found = _found(line, answers)
    assert [address for moved in found for address in moved.present] == wanted
    assert (found.of(failure) is not None) == bool(wanted)


def test_a_program_that_asks_again_keeps_no_old_address() -> None:
    """Of a large service each answer has other addresses."""
    _, found = _found(JAVA, ["192.0.2.80"], JAVA, JAVA.replace("192.0.2.70", "192.0.2.71"))
    assert not found
    _, found = _found(JAVA, ["192.0.2.80"], JAVA, "shop.test/192.0.2.71 failed")
    assert found


def test_an_address_that_the_container_is_given_is_not_an_old_one() -> None:
    given = container("web", HostConfig={"ExtraHosts": ["api.shop.test:192.0.2.70"]})
    _, found = _found(JAVA, ["192.0.2.80"], caller=given)
    assert not found


def _found(
    line: str, answers: list[str], *log: str, caller: Container = WEB
) -> tuple[LoggedFailure, MovedNames]:
    """What is found of a container's failing call. answers: addresses that DNS has."""
    failure = LoggedFailure(caller, "unreachable", "api.shop.test", 443, line, 5, 9, 1.0)
    own = ResolvConf(nameservers=("192.0.2.53",))
    resolvers = Resolvers(NONE, NONE, (), {caller.id: own})
    reply = {"answered": True, "rcode": "NOERROR", "answers": answers, "ms": 1.0}
    logs = RecentLogs({caller.id: tuple(RecentLine(1.0, text) for text in log)})
    host = Made({"dns.query": reply})
    return failure, moved_names(host, LoggedFailures((failure,)), logs, resolvers)


NGINX = (
    "connect() failed (113: No route to host) while connecting to upstream, "
    'upstream: "http://192.0.2.70:443/"'
)
SITE = "location / {\n  proxy_pass https://api.shop.test/v2/;\n}\n"
SETTINGS: dict[str, tuple[str, list[str], bool]] = {
    "the name at that port": (SITE, ["192.0.2.80"], True),
    "with its port": (SITE.replace("test/", "test:443/"), ["192.0.2.80"], True),
    "an upstream": ("upstream api { server api.shop.test:443; }", ["192.0.2.80"], True),
    "Envoy": ("address: api.shop.test\n  port_value: 443", ["192.0.2.80"], True),
    "the present address": (SITE, ["192.0.2.70"], False),
    "another port": (SITE.replace("test/", "test:8443/"), ["192.0.2.80"], False),
    "in a comment": (f"# {SITE.splitlines()[1].strip()}", ["192.0.2.80"], False),
    "two names": (f"{SITE} https://pay.shop.test/", ["192.0.2.80"], False),
}


@pytest.mark.parametrize(("text", "answers", "is_old"), SETTINGS.values(), ids=SETTINGS)
def test_a_line_without_the_name(text: str, answers: list[str], is_old: bool) -> None:
    mount = {"Type": "bind", "Source": "/srv/s.conf", "Destination": "/etc/nginx/nginx.conf"}
    caller = container("web", Mounts=[mount])
    failure = LoggedFailure(caller, "unreachable", "192.0.2.70", 443, NGINX, 5, 9, 1.0)
    resolvers = Resolvers(NONE, NONE, (), {caller.id: ResolvConf(nameservers=("192.0.2.53",))})
    reply = {"answered": True, "rcode": "NOERROR", "answers": answers, "ms": 1.0}
    host = Made({"dns.query": reply, "file.read": {"text": only("names", text)}})
    found = moved_names(host, LoggedFailures((failure,)), RecentLogs(), resolvers)
    assert (found.of(failure) is not None) == is_old
