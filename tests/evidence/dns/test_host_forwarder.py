"""The DNS server of the host at its loopback, and whom it asks in vain."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.dns.host_forwarder import host_forwarder
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Failed
from diagnose.questions.dns import DnsReply
from tests.checks.dns.evidence import MISSING
from tests.hosts import Made

SILENT = {"answered": False, "sent": 2}
ANSWERED = {"answered": True, "rcode": "NOERROR", "ms": 1.0, "sent": 1}
STUB, OWN = "127.0.0.53", "127.0.0.1"
CASES: dict[str, tuple[str, str, list[str], dict[str, str], dict[str, Any], list[str]]] = {
    "by its command": (
        OWN, "dnsmasq", ["dnsmasq", "--no-resolv", "--server=192.0.2.9"], {}, SILENT, ["192.0.2.9"],
    ),
    "by its file": (
        OWN, "dnsmasq", ["dnsmasq"], {"/etc/dnsmasq.conf": "no-resolv\nserver=192.0.2.9\n"}, SILENT,
        ["192.0.2.9"],
    ),
    "resolved": (
        STUB, "systemd-resolve", [], {"/run/systemd/resolve/resolv.conf": "nameserver 192.0.2.9\n"},
        SILENT, ["192.0.2.9"],
    ),
    "its server answers": (OWN, "dnsmasq", ["dnsmasq", "--server=192.0.2.9"], {}, ANSWERED, []),
    "nobody knows whom it asks": (OWN, "dnsmasq", ["dnsmasq"], {}, SILENT, []),
    "a server elsewhere": ("192.0.2.53", "dnsmasq", ["dnsmasq", "--server=192.0.2.9"], {}, SILENT, []),
}  # fmt: skip


@pytest.mark.parametrize(
    ("first", "program", "command", "files", "reply", "expected"), CASES.values(), ids=CASES
)
def test_servers_that_are_asked_in_vain(
    first: str,
    program: str,
    command: list[str],
    files: dict[str, str],
    reply: dict[str, Any],
    expected: list[str],
) -> None:
    def read(question: Any) -> Any:
        if question.path not in files:
            return Failed("missing", question.path)
        text = files[question.path]
        return {"text": only(question.parts, text) if question.parts else text}

    found = host_forwarder(
        Made(
            {
                "file.read": read,
                "file.list": {"entries": []},
                "process": {"pid": 7, "cmdline": command},
                "dns.query": reply,
            }
        ),
        Resolvers(ResolvConf((first,)), MISSING, configured=(), inside={}),
        Lookups(host={first: DnsReply(sent=2)}),
        Listeners((Listener("udp", first, 53, 7, program),)),
    )
    assert [str(silent.server) for silent in found.silent] == expected
    assert found.program == (program if expected else "")
