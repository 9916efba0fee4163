"""dns.name-misled, by host names, DNS answers, and what neighbours are called."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.misled_names import misled_names
from diagnose.evidence.dns.names.pinned_names import NameComplaints
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.questions.sockets import Socket
from tests.checks.dns.evidence import LAN, MISSING, container
from tests.checks.network.evidence import namespaces_of
from tests.hosts import Made
from tests.judging import judge

REFUSED = "ERROR could not send: [Errno 111] Connection refused"
SITE = "shop.example.com"


def on_shop(
    name: str, *env: str, hostname: str = "", aliases: list[str] | None = None, **fields: Any
) -> Container:
    end = {"IPAddress": f"172.18.0.{len(name)}", "Aliases": aliases or [name]}
    config = {"Env": list(env), "Hostname": hostname}
    networks = {"NetworkSettings": {"Networks": {"shop": end}}}
    return container(name, **{"Config": config} | networks | fields)


DB = on_shop("db")
FRONT = on_shop(SITE)
URL = "URL=https://metrics.example.com/push"
CASES: dict[str, tuple[Container, Container, str, list[str], str]] = {
    "the name of its peer": (on_shop("api", "DB=http://db:8000", hostname="db"), DB, "", [], "itself"),
    "its own name": (on_shop("api", "DB=http://db:8000", hostname="api"), DB, "", [], ""),
    "the name of its peer, on engine 24": (
        on_shop("api", "DB=http://db:8000", hostname="db", aliases=["api", "api000000000", "db"]),
        DB, "", [], "itself",
    ),
    "a name that it shares with its peer": (
        on_shop("api", "DB=http://db:8000", hostname="db", aliases=["db", "api000000000"]), DB, "", [], "",
    ),
    "a peer that it does not call": (on_shop("api", hostname="db"), DB, "", [], ""),
    "a name of nobody else": (on_shop("api", "DB=http://db2:8000", hostname="db2"), DB, "", [], ""),
    "filtered": (on_shop("api", URL), DB, REFUSED, ["0.0.0.0"], "a filter"),
    "filtered, by the log": (
        on_shop("api"), DB, f"{REFUSED} https://ads.example.com/x", ["0.0.0.0"], "a filter",
    ),
    "filtered, and nobody complains": (on_shop("api", URL), DB, "", ["0.0.0.0"], ""),
    "filtered, beside another name": (
        on_shop("api", URL, "DB=http://db:8000"), DB, REFUSED, ["0.0.0.0"], "",
    ),
    "filtered, and another one refuses": (
        on_shop("api", URL), DB, "dial tcp 172.18.0.2:8000: connection refused", ["0.0.0.0"], "",
    ),
    "filtered, by the address": (
        on_shop("api", URL, "DB=http://db:8000"), DB, "dial tcp 0.0.0.0:443: connection refused",
        ["0.0.0.0"], "a filter",
    ),
    "an address": (on_shop("api", URL), DB, REFUSED, ["192.0.2.80"], ""),
    "no address": (on_shop("api", URL), DB, REFUSED, [], ""),
    "a site's name": (on_shop("api", f"URL=https://{SITE}"), FRONT, REFUSED, ["192.0.2.80"], " calls"),
    "a site's name in code": (on_shop("api"), FRONT, REFUSED, ["192.0.2.80"], "may call"),
    "a site's port that is served": (
        on_shop("api", f"URL=http://{SITE}"), FRONT, REFUSED, ["192.0.2.80"], "",
    ),
    "a name that DNS does not know": (on_shop("api", f"URL=https://{SITE}"), FRONT, REFUSED, [], ""),
    "a peer's own address": (
        on_shop("api", f"URL=https://{SITE}"), FRONT, REFUSED, ["172.18.0.16"], "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("caller", "peer", "line", "answers", "words"), CASES.values(), ids=CASES)
def test_names_that_lead_elsewhere(
    caller: Container, peer: Container, line: str, answers: list[str], words: str
) -> None:
    reply = {"answered": True, "rcode": "NOERROR", "answers": answers, "ms": 1.0, "sent": 1}
    conf = ResolvConf((LAN,))
    failures = (
        (LoggedFailure(caller, "refused", host="", port=0, line=line, times=3, of=3, first=0.0),)
        if line
        else ()
    )
    found = misled_names(
        Made({"dns.query": reply}),
        Containers((caller, peer)),
        Namespaces({**namespaces_of(peer, Socket("tcp", "0.0.0.0", 80)).items}),
        Resolvers(MISSING, MISSING, configured=(), inside={caller.id: conf}),
        NameComplaints(logged_failures=LoggedFailures(failures)),
    )
    result = judge("dns.name-misled", misled_names=found)
    assert len(result.findings) == bool(words), result.findings
    assert all(words in finding.summary for finding in result.findings)
