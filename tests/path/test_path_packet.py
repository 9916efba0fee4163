"""The packet of `--probe`: from where it is sent, and what its answer says of the path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.model import Failed, Unavailable
from diagnose.path import ends, probe
from diagnose.path.model import PathEvidence
from diagnose.questions import AnyQuestion, Host
from tests.live.netns import PROJECT, root
from tests.made_paths import ALL, DROPPED, HOST, PIDS, changed, inside, made, walked


class Net:
    """A host that answers probes and names as it is set to, and keeps what it was asked."""

    def __init__(self, outcome: str | Failed, names: dict[str, list[str]] | None = None) -> None:
        self.outcome = outcome
        self.names = names or {}
        self.asked: list[AnyQuestion] = []

    def ask(self, question: AnyQuestion) -> Any:
        self.asked.append(question)
        if question.kind == "dns.query":
            found = self.names.get(question.args["name"])
            if found is None:
                return {"answered": False, "sent": 2}
            rcode = "NOERROR" if found else "NXDOMAIN"
            return {"answered": True, "ms": 1.0, "rcode": rcode, "answers": found}
        if isinstance(self.outcome, Failed):
            return self.outcome
        return {"outcome": self.outcome, "ms": 2.0}

    def ask_many(self, questions: Any) -> Any:
        return ((question, self.ask(question)) for question in questions)


RESOLVERS = Resolvers(
    ResolvConf(("192.0.2.53",)),
    Unavailable("missing", ""),
    (),
    {found.id: ResolvConf(("127.0.0.11",)) for found in ALL},
)
NAMES = {"db": ["172.18.0.3"], "example.test": ["cdn.example.test.", "198.51.100.7"], "no.test": []}
FILTERED = made(host_stack=HostStack(DROPPED))
BY_PROXY = made(
    host_stack=HostStack(HOST),
    listeners=Listeners((Listener("tcp", "0.0.0.0", 8080, 3, "docker-proxy"),)),
    namespaces=changed(inside("web")),
)

PACKETS: dict[str, tuple[str, str, PathEvidence, str | Failed, str, bool | None, str]] = {
    # name: ends, host, outcome -> state, whether walk and packet agree, where it was sent
    "by name": ("api", "db:5432", made(), "accepted", "ok", True, "172.18.0.3:5432"),
    "by address": ("api", "172.18.0.3:5432", made(), "accepted", "ok", True, "172.18.0.3:5432"),
    "refused": ("api", "db:80", made(), "refused", "broken", True, "172.18.0.3:80"),
    "lost": ("api", "db:5432", made(), "silent", "broken", False, "172.18.0.3:5432"),
    "a walk that errs": ("api", "192.0.2.99:80", FILTERED, "accepted", "ok", False, "192.0.2.99:80"),
    "a walk that knows nothing": (
        "web", "192.0.2.99:80", made(host_stack=None), "accepted", "ok", None, "192.0.2.99:80",
    ),
    "closed by the service": ("api", "db:5432", made(), "closed", "ok", True, "172.18.0.3:5432"),
    "UDP is silent": ("api", "db:53/udp", made(), "silent", "ok->unknown", None, "172.18.0.3:53"),
    "UDP answers": ("api", "db:53/udp", made(), "answered", "ok", True, "172.18.0.3:53"),
    "the proxy accepts": ("host", "host:8080", BY_PROXY, "accepted", "broken", None, "127.0.0.1:8080"),
    "the proxy closes": ("host", "host:8080", BY_PROXY, "closed", "broken", True, "127.0.0.1:8080"),
    "a name outside": ("web", "example.test", made(), "accepted", "ok", True, "198.51.100.7:443"),
    "a name that is none": ("web", "no.test", made(), "accepted", "broken", False, ":0"),
    "a silent resolver": ("web", "mute.test", made(), "accepted", "broken", False, ":0"),
    "the host": ("api", "host:22", made(), "accepted", "ok", True, "172.18.0.1:22"),
    "one namespace": ("sidecar", "web:9", made(), "accepted", "ok", True, "127.0.0.1:9"),
    "not allowed to": (
        "api", "db:5432", made(), Failed("forbidden", "run as root"), "ok->unknown", None,
        "172.18.0.3:5432",
    ),
    "from what is not running": ("off", "db:5432", made(), "accepted", "broken", None, ":0"),
    "to what is not running": ("api", "off:80", made(), "accepted", "broken", None, ":0"),
}  # fmt: skip


@pytest.mark.parametrize("name", PACKETS)
def test_a_real_packet_agrees_with_the_walk_or_not(name: str) -> None:
    begin, target, host, outcome, state, agrees, where = PACKETS[name]
    net = Net(outcome, NAMES)
    path = walked(begin, target, host)
    packet = probe.send(Host(net), host, RESOLVERS, path)
    path = replace(path, packet=packet)
    assert path.state == state.rpartition(">")[2], packet.text
    assert path.agrees is agrees, packet.text
    assert f"{packet.address}:{packet.port}" == where
    assert packet.text
    assert path.decisive is None or path.decisive.state == path.state


DNS_SERVERS = {
    # what a DNS server answers -> the state, and the words
    "refuses": (
        {"answered": True, "ms": 2.0, "rcode": "REFUSED"},
        "ok",
        "answered REFUSED in 2 ms",
    ),
    "silent": ({"answered": False, "sent": 2}, "broken", "silent after 2 queries"),
    "nobody": ({"answered": False, "sent": 1, "icmp": "refused"}, "broken", "refused"),
}


@pytest.mark.parametrize("name", DNS_SERVERS)
def test_a_dns_server_is_asked_a_question(name: str) -> None:
    """Silence decides there: what takes a query for the root answers it, if only to refuse."""
    answer, state, words = DNS_SERVERS[name]

    class Server(Net):
        def ask(self, question: AnyQuestion) -> Any:
            self.asked.append(question)
            return answer

    net = Server("answered")
    path = walked("api", "192.0.2.99/dns", made())
    packet = probe.send(Host(net), made(), RESOLVERS, path)
    assert replace(path, packet=packet).state == state
    assert packet.text.startswith("to 192.0.2.99:53/udp: ")
    assert words in packet.text
    (asked,) = net.asked
    assert (asked.kind, asked.args["type"], asked.args["pid"]) == ("dns.query", "NS", PIDS["api"])


def test_a_packet_leaves_the_namespace_of_its_sender() -> None:
    net = Net("accepted", NAMES)
    path = walked("api", "db:5432", made())
    probe.send(Host(net), made(), RESOLVERS, path)
    assert [(asked.kind, asked.args["pid"]) for asked in net.asked] == [
        ("dns.query", PIDS["api"]),
        ("net.probe", PIDS["api"]),
    ]
    hostly = Net("accepted")
    probe.send(Host(hostly), made(), RESOLVERS, walked("hostly", "db:5432", made()))
    assert [asked.args["pid"] for asked in hostly.asked] == [None]


@pytest.mark.parametrize("ways", [("internet", "web:80"), ("web", "internet")], ids=" ".join)
def test_no_packet_can_be_sent_from_or_to_anywhere(ways: tuple[str, str]) -> None:
    with pytest.raises(ends.UnknownEndError, match="--probe sends"):
        probe.require_sendable(*ways)


@root
def test_what_becomes_of_a_packet() -> None:
    """In a namespace of its own: listeners, none, rules, and no route."""
    setup = """
ip link set lo up; ip addr add 10.9.9.1/32 dev lo
iptables -A INPUT -p tcp --dport 81 -j DROP
iptables -A INPUT -p tcp --dport 82 -j REJECT --reject-with icmp-host-prohibited
"$PYTHON" - <<'END' &
import os, socket
os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(50))  # it closes while a probe waits for that
served = socket.create_server(("10.9.9.1", 80), backlog=8)
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); echo.bind(("10.9.9.1", 53))
closing = socket.create_server(("10.9.9.1", 83), backlog=8)  # the last one: it is waited for
import threading
def close():
    while True:
        closing.accept()[0].close()
threading.Thread(target=close, daemon=True).start()
while True:
    data, peer = echo.recvfrom(99); echo.sendto(data, peer)
END
while ! ss -ltn | grep -q :83; do sleep 0.05; done
"""
    cases = {
        "accepted": ("10.9.9.1", 80, "tcp"),
        "refused": ("10.9.9.1", 84, "tcp"),
        "silent": ("10.9.9.1", 81, "tcp"),
        "unreachable": ("10.9.9.1", 82, "tcp"),
        "closed": ("10.9.9.1", 83, "tcp"),
        "answered": ("10.9.9.1", 53, "udp"),
    }
    script = """
import json, sys
from diagnose.live import Live
from diagnose.live.network.probe import probe
from diagnose.questions.probes import ProbeServer
from diagnose.questions.run import Options
live = Live(Options(send=True))
cases = json.loads(sys.argv[1])
outcomes = {name: probe(live, ProbeServer(*case))["outcome"] for name, case in cases.items()}
outcomes["no route"] = probe(live, ProbeServer("10.8.8.8", 80))["outcome"]
outcomes["without the option"] = Live().ask(ProbeServer("10.9.9.1", 80)).reason
print(json.dumps(outcomes))
"""
    run = f'{setup}\n"$PYTHON" -c "$1" "$2"; kill %1'
    done = subprocess.run(
        ["unshare", "--net", "bash", "-ec", run, "bash", script, json.dumps(cases)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    seen = json.loads(done.stdout)
    assert seen.pop("no route") == "unreachable"
    assert seen.pop("without the option") == "not allowed"
    assert seen == {name: name for name in cases}
