"""Names whose old address a program keeps."""

from __future__ import annotations

import pytest

from diagnose.evidence.dns.moved_names import moved_names
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
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
    failure = LoggedFailure(WEB, "unreachable", "api.shop.test", 443, line, 5, 9, 1.0)
    own = ResolvConf(nameservers=("192.0.2.53",))
    resolvers = Resolvers(NONE, NONE, (), {WEB.id: own})
    reply = {"answered": True, "rcode": "NOERROR", "answers": answers, "ms": 1.0}
    found = moved_names(Made({"dns.query": reply}), LoggedFailures((failure,)), resolvers)
    assert [address for item in found for address in item.present] == wanted
    assert (found.of(failure) is not None) == bool(wanted)
