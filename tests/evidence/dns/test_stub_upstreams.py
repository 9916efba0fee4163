"""The servers behind the host's DNS server at its loopback, of which containers get one."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.dns.stub_upstreams import stub_upstreams
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Failed
from tests.checks.dns.evidence import MISSING
from tests.hosts import Made

OWN = "127.0.0.1"
LIST = "/run/NetworkManager/no-stub-resolv.conf"
CASES: dict[str, tuple[str, list[str], dict[str, str], str]] = {
    "by its command": (OWN, ["dnsmasq", "--server=192.0.2.9"], {}, "192.0.2.9"),
    "by its file": (OWN, ["dnsmasq"], {"/etc/dnsmasq.conf": "server=192.0.2.9\n"}, "192.0.2.9"),
    "by a list": (OWN, ["dnsmasq"], {LIST: "nameserver ::1\nnameserver 192.0.2.9\n"}, "192.0.2.9"),
    "the second one answers": (
        OWN, ["dnsmasq", "--server=192.0.2.8", "--server=192.0.2.9"], {}, "192.0.2.9",
    ),
    "another port": (OWN, ["dnsmasq", "--server=192.0.2.9#5353"], {}, ""),
    "none is named": (OWN, ["dnsmasq"], {}, ""),
    "a server elsewhere": ("192.0.2.53", ["dnsmasq", "--server=192.0.2.9"], {}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("first", "command", "files", "expected"), CASES.values(), ids=CASES)
def test_servers_behind_the_stub(
    first: str, command: list[str], files: dict[str, str], expected: str
) -> None:
    def read(question: Any) -> Any:
        if question.path not in files:
            return Failed("missing", question.path)
        text = files[question.path]
        return {"text": only(question.parts, text) if question.parts else text}

    def reply(question: Any) -> Any:
        if question.server == "192.0.2.9":
            return {"answered": True, "rcode": "NOERROR", "ms": 1.0, "sent": 1}
        return {"answered": False, "sent": 2}

    found = stub_upstreams(
        Made(
            {
                "file.read": read,
                "file.list": {"entries": []},
                "process": {"pid": 7, "cmdline": command},
                "dns.query": reply,
            }
        ),
        Resolvers(ResolvConf((first,)), MISSING, configured=(), inside={}),
        Listeners((Listener("udp", first, 53, 7, "dnsmasq"),)),
    )
    assert (found.server.address if found.server is not None else "") == expected
