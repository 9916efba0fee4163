"""`diagnose path` on real engines: the hop that a fault breaks is named, and the finding that
explains it."""

from __future__ import annotations

import json
import os

import pytest

from tests.lab.box import Box
from tests.lab.engines import Engine
from tests.lab.faults import discover
from tests.lab.provider import SILENT, WEB
from tests.lab.runner import PATIENT, start
from tests.lab.subcommands.path_faults import FAULTS, Broken

pytestmark = pytest.mark.timeout(300)


LONG = bool(os.environ.get("DIAGNOSE_LAB_LONG"))


CHOSEN = FAULTS if LONG else FAULTS[::4]
"""A box for each fault and engine takes a quarter of an hour: all of them run at night."""


UNHEALABLE = "network.nobody_serves_the_port"
"""Only the program itself can listen there."""


@pytest.mark.parametrize("fault", CHOSEN, ids=lambda fault: fault.scenario)
def test_a_fault_breaks_its_hop(fault: Broken, engine: Engine) -> None:
    scenario = discover()[fault.scenario]
    with Box(engine, **scenario.box) as box:
        start(box, scenario)
        box.patience = PATIENT
        scenario.inject(box)
        done = box.diagnose("path", fault.begin, fault.end, "--format", "json")
        assert done.code == 2, done.out + done.err
        answer = json.loads(done.out)
        broken = [hop for hop in answer["hops"] if hop["state"] == "broken"]
        assert [hop["kind"] for hop in broken] == [fault.kind], done.out
        assert (answer["finding"] or {}).get("id") == fault.id, done.out
        assert (answer["fix"] is not None) == (fault.scenario != UNHEALABLE)


OPEN = [
    ("web", "internet", 0),
    ("internet", "web:8080", 0),
    ("internet", "host:8080", 0),
    ("host", "web:8080", 0),
    ("web", "host:8080", 0),
    ("host", "internet", 0),
    ("cart", "api:8080", 0),
    ("cart", "web:8080", 2),
    ("web", "web:9", 2),
    ("web", "host:9", 2),
    ("job", "internet", 2),
]
"""Two ends on a healthy host, and the exit code: what is closed on purpose is broken too, and
blamed on nobody."""


def test_what_is_open_is_open(engine: Engine) -> None:
    with Box(engine) as box:
        box.patience = PATIENT
        box.start_engine()
        serve = ["bb:1.36", "httpd", "-f", "-p", "8080"]
        box.docker("network", "create", "shop")
        box.docker("network", "create", "--internal", "inner")
        box.docker("run", "-d", "--name=web", "-p", "8080:8080", *serve)
        box.docker("run", "-d", "--name=cart", "--network=shop", *serve)
        box.docker("run", "-d", "--name=api", "--network=shop", *serve)
        box.docker("run", "-d", "--name=job", "--network=inner", *serve)
        for begin, end, code in OPEN:
            done = box.diagnose("path", begin, end, "--format", "json")
            assert done.code == code, f"{begin} -> {end}\n{done.out}{done.err}"
            assert json.loads(done.out)["finding"] is None


PACKETS = [
    ("web", "cart2:9", "broken", "broken", "refused"),
    ("cart", "api:8080", "open", "open", "accepted"),
    ("cart", "api:9", "broken", "broken", "refused"),
    ("cart", "web:8080", "broken", "broken", "lost"),
    ("web", "web:8080", "open", "open", "accepted"),
    ("web", "host:8080", "open", "open", "accepted"),
    ("host", "host:8080", "open", "open", "accepted"),
    ("host", "web:8080", "open", "open", "accepted"),
    ("host", "web:9", "broken", "broken", "refused"),
    ("web", f"{WEB}:80", "open", "open", "accepted"),
    ("web", f"{WEB}:81", "broken", "open", "refused"),
    ("cart", "www.lab.test:80", "open", "open", "accepted"),
    ("cart", "nowhere.lab.invalid:80", "broken", "open", None),
    ("web", f"{SILENT}:80", "broken", "open", "lost"),
    ("walled", "api:8080", "broken", "open", "lost"),
    ("cart", "api:53/udp", "broken", "broken", "refused"),
    ("job", f"{WEB}:80", "broken", "broken", "lost"),
]
"""Two ends, the verdict, what the walk says, and what becomes of the packet. In "walled" a packet
filter inside the container drops what leaves, which the walk does not see."""


def test_a_packet_says_more_than_the_walk(engine: Engine) -> None:
    with Box(engine) as box:
        box.patience = PATIENT
        box.start_engine()
        serve = ["bb:1.36", "httpd", "-f", "-p", "8080"]
        box.docker("network", "create", "shop")
        box.docker("network", "create", "--internal", "inner")
        box.docker("run", "-d", "--name=web", "-p", "8080:8080", *serve)
        box.docker("run", "-d", "--name=cart2", *serve)
        for name in ("cart", "api", "walled"):
            box.docker("run", "-d", f"--name={name}", "--network=shop", *serve)
        box.docker("run", "-d", "--name=job", "--network=inner", *serve)
        pid = box.inspect("walled")["State"]["Pid"]
        box.sh(f"nsenter -t {pid} -n iptables -A OUTPUT -p tcp --dport 8080 -j DROP")
        seen = []
        for begin, end, *_ in PACKETS:
            done = box.diagnose("path", begin, end, "--probe", "--format", "json")
            answer = json.loads(done.out)
            packet = answer["packet"]
            # an internal network of engine 20.10 drops what leaves it, a newer one has no route
            is_lost = packet["outcome"] in ("silent", "unreachable")
            outcome = "lost" if is_lost else packet["outcome"]
            seen.append((begin, end, answer["state"], answer["walk"], outcome))
            assert done.code == {"open": 0, "broken": 2, "unknown": 3}[answer["state"]]
            assert packet["sent"] == (packet["outcome"] is not None)
        assert seen == PACKETS


def test_the_proxy_does_not_make_a_dead_port_open(engine: Engine) -> None:
    """docker-proxy accepts for a container that does not listen: no packet proves anything then."""
    with Box(engine) as box:
        box.patience = PATIENT
        box.start_engine()
        box.docker("run", "-d", "--name=mute", "-p", "8090:8090", "bb:1.36", "sleep", "1d")
        done = box.diagnose("path", "host", "127.0.0.1:8090", "--probe", "--format", "json")
        answer = json.loads(done.out)
        assert (done.code, answer["state"], answer["walk"]) == (2, "broken", "broken"), done.out


def test_nothing_is_sent_without_the_option(engine: Engine) -> None:
    with Box(engine) as box:
        box.patience = PATIENT
        box.start_engine()
        box.docker("run", "-d", "--name=web", "bb:1.36", "httpd", "-f", "-p", "8080")
        box.sh("iptables -I OUTPUT -p tcp --dport 8080 -j DROP")
        counter = "iptables -nvxL OUTPUT 1 | awk '{print $1}'"
        box.diagnose("path", "host", "web:8080")
        assert box.sh(counter).strip() == "0"
        box.diagnose("path", "host", "web:8080", "--probe")
        assert int(box.sh(counter)) >= 1
