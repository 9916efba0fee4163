"""Search domains at which musl stops: checks/dns/names/search_wildcard.py.

Rows about wildcards with an address stand in `tests/checks/network/ports/test_unpublished.py`.
"""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from tests.checks.dns.evidence import LAN, container
from tests.judging import judge, rows

PORTAL = container("portal", network="mesh")
KNOWN = DnsReply(True, "NOERROR", ["192.0.2.80"], ms=1.0)
EMPTY = DnsReply(True, "NOERROR", ms=1.0)
DENIED = DnsReply(True, "NXDOMAIN", ms=1.0)
FAILS = DnsReply(True, "SERVFAIL", ms=1.0)

FOUND = [("critical", "portal")]
STOPS: dict[str, tuple[DnsReply, DnsReply, int, list[tuple[str, str]]]] = {
    "no address, and not denied": (KNOWN, EMPTY, 5, FOUND),
    "an error": (KNOWN, FAILS, 5, FOUND),
    "denied": (KNOWN, DENIED, 5, []),
    "the name itself comes first": (KNOWN, EMPTY, 1, []),
    "nobody knows the name": (DENIED, EMPTY, 5, []),
    "silent": (KNOWN, DnsReply(sent=2), 5, []),
}


@pytest.mark.parametrize(("plain", "completed", "ndots", "expected"), STOPS.values(), ids=STOPS)
def test_where_a_search_ends(
    plain: DnsReply, completed: DnsReply, ndots: int, expected: list[tuple[str, str]]
) -> None:
    conf = ResolvConf(("127.0.0.11",), ("corp.test",), (f"ndots:{ndots}",))
    failed = {("smtp.lab.test", LAN): plain, ("smtp.lab.test.corp.test", LAN): completed}
    result = judge(
        "dns.search-wildcard",
        containers=Containers((PORTAL,)),
        resolvers=Resolvers(conf, conf, (), {PORTAL.id: conf}),
        lookups=Lookups(failed={PORTAL.id: failed}, wildcards={"corp.test": completed}),
        failed_names=FailedNames(
            {PORTAL.id: (FailedName("smtp.lab.test", "bad address 'smtp.lab.test'"),)}
        ),
    )
    assert rows(result) == expected


OLLAMA = container("ollama", network="ai")
ON_THE_HOST = container("ollama", network="host", HostConfig={"NetworkMode": "host"})
CHAT = container("chat", network="mesh", Config={"Env": ["OLLAMA_URL=http://ollama:11434"]})


@pytest.mark.parametrize(
    ("others", "cure"),
    [
        ((OLLAMA,), {"apart": "chat", "its_network": "ai"}),
        ((ON_THE_HOST,), {"no_search_json": '{"dns-search": ["."]}'}),
        ((), {"no_search_json": '{"dns-search": ["."]}'}),
    ],
    ids=["on another network", "on the network of the host", "nowhere"],
)
def test_a_neighbour_that_is_on_another_network(
    others: tuple[Container, ...], cure: dict[str, str]
) -> None:
    conf = ResolvConf(("127.0.0.11",), ("corp.test",))
    (finding,) = judge(
        "dns.search-wildcard",
        containers=Containers((CHAT, *others)),
        resolvers=Resolvers(conf, conf, (), {CHAT.id: conf}),
        lookups=Lookups(wildcards={"corp.test": KNOWN}),
    ).findings
    assert cure.items() <= finding.variables.items()


NEAR = container("ollama", network="mesh")
FIRST = {
    "the domain comes first": (("ndots:1",), None, {"dotted": "chat", "dns_option": "ndots:0"}),
    "with an option of its own": (("ndots:2",), ["ndots:2"], {"redotted": "chat"}),
    "the name itself comes first": (("ndots:0",), None, None),
}


@pytest.mark.parametrize(("options", "given", "cure"), FIRST.values(), ids=FIRST)
def test_a_neighbour_for_whose_name_the_domain_answers(
    options: tuple[str, ...], given: list[str] | None, cure: dict[str, str] | None
) -> None:
    chat = container(
        "chat",
        network="mesh",
        Config={"Env": ["OLLAMA_URL=http://ollama:11434"]},
        HostConfig={"DnsOptions": given},
    )
    conf = ResolvConf(("127.0.0.11",), ("corp.test",), options)
    found = judge(
        "dns.search-wildcard",
        containers=Containers((chat, NEAR)),
        resolvers=Resolvers(conf, conf, (), {chat.id: conf}),
        lookups=Lookups(wildcards={"corp.test": KNOWN}),
    ).findings
    assert len(found) == (cure is not None)
    for finding in found:
        assert cure is not None
        assert cure.items() <= finding.variables.items()
        assert "ollama.corp.test" in finding.summary


DOTTED = {
    "fewer dots": ("https://api.lab.test/v1", "ndots:5", [("warning", "sync")]),
    "as many dots": ("https://api.lab.test/v1", "ndots:2", []),
    "the engine's own options": ("https://api.lab.test/v1", "ndots:0", []),
    "a name of the domain itself": ("https://git.corp.test/", "ndots:5", []),
}


@pytest.mark.parametrize(("url", "option", "expected"), DOTTED.values(), ids=DOTTED)
def test_a_name_of_the_internet_for_which_the_domain_answers(
    url: str, option: str, expected: list[tuple[str, str]]
) -> None:
    sync = container("sync", network="mesh", Config={"Env": [f"API_URL={url}"]})
    conf = ResolvConf(("127.0.0.11",), ("corp.test",), (option,))
    result = judge(
        "dns.search-wildcard",
        containers=Containers((sync,)),
        resolvers=Resolvers(conf, conf, (), {sync.id: conf}),
        lookups=Lookups(wildcards={"corp.test": KNOWN}),
    )
    assert rows(result) == expected
