"""Overlay networks of two nodes: the box, and an engine beside it in the provider's network."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY
from tests.lab.runner import PATIENT
from tests.lab.scenarios.swarm import SECOND, swarm_of_two

CHECK = "firewall.overlay-lost"
_LIMITS = ("--memory=32m", "--pids-limit=64", "--restart=always", "--net=shop_net")
_CALL = (
    "while :; do nc -w 4 db 5432 </dev/null || "
    "echo 'connection to server at \"db\", port 5432 failed: Connection timed out'; sleep 1; done"
)


def _shop(box: Box) -> None:
    """A database on the other node, and a shop on this one that calls it."""
    swarm_of_two(box, "worker")
    box.sh("mkdir -p /srv/images")
    box.docker("network", "create", "--driver=overlay", "--attachable", "shop_net")
    box.docker("save", "-o", "/srv/images/bb.tar", box.image("bb:1.36"))
    box.spawn(["busybox", "httpd", "-f", "-p", "9998", "-h", "/srv/images"])
    load = f"curl -sS --retry 5 --retry-connrefused http://{BOX_ADDRESS}:9998/bb.tar"
    box.provider.sh(f"{load} | docker -H unix://{SECOND} load", timeout=60)
    box.docker("run", "-d", "--name=api", *_LIMITS, "bb:1.36", "sleep", "1000")
    serve = ("bb:1.36", "nc", "-ll", "-p", "5432", "-e", "echo", "ready")
    second = ["docker", "-H", f"unix://{SECOND}", "run", "-d", "--name=db"]
    box.provider.run([*second, "--net=shop_net", *serve], timeout=60)
    box.wait_for(lambda: _answers(box), what="the database")


def _answers(box: Box) -> bool:
    called = ("exec", "api", "sh", "-c", "nc -w 2 db 5432 </dev/null")
    return box.docker(*called, check=False).stdout == "ready\n"


def _calls_on(box: Box) -> None:
    assert not _answers(box)
    box.docker("run", "-d", "--name=shop", *_LIMITS, "bb:1.36", "sh", "-c", _CALL)
    box.wait_for(
        lambda: box.docker("logs", "shop").stdout.count("timed out") >= 2, what="its complaint"
    )
    _wait_for_next_call(box)


def _wait_for_next_call(box: Box) -> None:
    """Between two tries there is nothing to see: the tool knows lost packets by the call that is
    waiting (state 02, SYN_SENT, of proc_net_tcp)."""
    sockets = f"/proc/{box.inspect('shop')['State']['Pid']}/net/tcp"
    states = f"awk 'NR > 1 {{ print $4 }}' {sockets}"
    box.wait_for(lambda: "02" in box.sh(states).split(), what="the next call")


@fault(CHECK, subject="network:shop_net", also=["network.call-unanswered"], args=PATIENT)
def port_of_overlays_closed_between_nodes(box: Box) -> None:
    """A firewall beyond this host drops what nodes send each other for overlay networks."""
    _shop(box)
    box.provider.drop("-p udp --dport 4789")
    _calls_on(box)


@fault(
    CHECK,
    subject="network:shop_net",
    also=["swarm.ports-closed", "network.call-unanswered"],
    args=PATIENT,
)
def port_of_overlays_closed_on_this_host(box: Box) -> None:
    """The host's own rules open the ports of the swarm, and not that of overlay networks; the
    report's command opens it."""
    _shop(box)
    box.sh(
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; "
        "iptables -A INPUT -p udp --dport 7946 -j ACCEPT; iptables -A INPUT -p udp -j DROP"
    )
    _calls_on(box)
    findings = box.diagnose("check", CHECK, *PATIENT, "--format", "json").findings
    command = findings[0]["fix"][0]["command"]
    assert command == (f"iptables -t filter -I INPUT -s {GATEWAY} -p udp --dport 4789 -j ACCEPT")
    box.sh(command)
    box.wait_for(lambda: _answers(box), what="the database")
    box.sh("iptables -D INPUT 1")
    time.sleep(3)


@healthy(args=PATIENT)
def overlay_that_passes(box: Box) -> None:
    """The same swarm with the port open, and a call of a port at which nobody listens."""
    _shop(box)
    box.docker(
        "run", "-d", "--name=shop", *_LIMITS, "bb:1.36", "sh", "-c", _CALL.replace("5432", "5433")
    )
    box.wait_for(lambda: box.docker("logs", "shop").stdout.count("timed out") >= 2, what="refusals")


@fault("network.mtu-mismatch", subject="network:mesh44", exit_code=0)
def overlay_on_a_small_uplink(box: Box) -> None:
    """The uplink carries 1450 bytes, and so much the packets of an overlay have before its header
    is added. The first command mends that while the network is in use."""
    box.sh(f"docker swarm init --advertise-addr {BOX_ADDRESS}")
    box.docker("network", "create", "--driver=overlay", "--attachable", "mesh44")
    box.sh("ip link set eth0 mtu 1450")
    limits = ("--memory=32m", "--pids-limit=64", "--restart=always", "--net=mesh44")
    box.docker("run", "-d", "--name=node44", *limits, "bb:1.36", "sleep", "1000")
    assert "mtu 1450" in box.docker("exec", "node44", "ip", "link", "show", "eth0").stdout
