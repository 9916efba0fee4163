"""What is said of rules and access lists of other programs, on evidence made here."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.inspect import (
    Container,
    Containers,
    NetworkEndpoint,
    NetworkSettings,
    State,
)
from diagnose.evidence.dns.lookups import DnsReply, Lookups, QueryPath
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.captured_paths import CapturedPath, CapturedPaths
from diagnose.evidence.network.listeners import Listener
from diagnose.evidence.network.networks import Network
from diagnose.firewall.verdict import Step
from diagnose.model import Unavailable
from tests.judging import judge, rows

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
CART = Container("1" * 64, "/cart")
BY = Step("ip nat", "CLASH", "-p tcp -j REDIRECT --to-ports 7892")
EVERYWHERE = Listener("tcp", "0.0.0.0", 7892)
LOOPBACK = Listener("tcp", "127.0.0.1", 7892)


def captured(
    taker: Listener | None, elsewhere: Listener | None = None, *, is_known: bool = True
) -> CapturedPath:
    return CapturedPath(SHOP, (CART,), "tcp", 443, 7892, BY, taker, elsewhere, is_known)


CAPTURED = {
    "nobody listens": (captured(None), [("critical", "host")], 0),
    "on the loopback alone": (captured(None, LOOPBACK), [("critical", "host")], 0),
    "a proxy": (captured(EVERYWHERE), [], 0),
    "sockets unknown": (captured(None, is_known=False), [], 1),
}


@pytest.mark.parametrize(("path", "found", "unknown"), CAPTURED.values(), ids=CAPTURED)
def test_redirected(path: CapturedPath, found: list[tuple[str, str]], unknown: int) -> None:
    paths = CapturedPaths((path,), walked=3)
    result = judge("firewall.redirected-to-nobody", captured_paths=paths)
    assert rows(result) == found
    assert len(result.unexamined) == unknown


SERVER = "192.0.2.10"
REFUSED = DnsReply(True, "REFUSED", ms=1.0)
ANSWER = DnsReply(True, "NOERROR", ms=1.0)
SILENT = DnsReply(sent=2)
REFUSALS = {
    "the host is answered": (REFUSED, ANSWER, [("critical", "bridge")]),
    "the host is refused too": (REFUSED, REFUSED, []),
    "the host gets no answer": (REFUSED, SILENT, []),
    "both are answered": (ANSWER, ANSWER, []),
}


@pytest.mark.parametrize(("inside", "outside", "found"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(inside: DnsReply, outside: DnsReply, found: list[tuple[str, str]]) -> None:
    settings = NetworkSettings({"bridge": NetworkEndpoint(ip_address="172.17.0.2")})
    web = Container(
        "2" * 64,
        "/web",
        state=State("running", pid=7),
        network_settings=settings,
        resolv_conf_path="/var/lib/docker/containers/2/resolv.conf",
    )
    none = Unavailable("missing", "")
    conf = ResolvConf((SERVER,))
    way = QueryPath(("bridge",), SERVER, ((web, inside),), (web,))
    result = judge(
        "dns.server-refuses-containers",
        containers=Containers((web,)),
        resolvers=Resolvers(conf, none, (), {web.id: conf}),
        lookups=Lookups({SERVER: outside}, {}, (way,), {}, {}, ()),
    )
    assert rows(result) == found
