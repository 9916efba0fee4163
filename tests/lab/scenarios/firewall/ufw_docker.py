"""The rules of ufw-docker, which open published ports to private addresses."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS

_LIMITS = ("--memory=64m", "--pids-limit=64")
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
_NEW = "-p tcp --tcp-flags FIN,SYN,RST,ACK SYN"


def _rules(box: Box) -> None:
    """What ufw-docker writes into DOCKER-USER."""
    box.sh("iptables -N ufw-user-forward; iptables -N ufw-docker-logging-deny")
    box.sh("iptables -A ufw-docker-logging-deny -j DROP; iptables -F DOCKER-USER")
    box.sh("iptables -A DOCKER-USER -j ufw-user-forward")
    for subnet in _PRIVATE:
        box.sh(f"iptables -A DOCKER-USER -s {subnet} -j RETURN")
    for subnet in _PRIVATE:
        box.sh(f"iptables -A DOCKER-USER {_NEW} -d {subnet} -j ufw-docker-logging-deny")
    box.sh("iptables -A DOCKER-USER -j RETURN")


def _web(box: Box, name: str, port: int) -> str:
    box.docker("run", "-d", f"--name={name}", *_LIMITS, f"-p={port}:8080", "shop:1.4")
    network = box.inspect(name)["NetworkSettings"]["Networks"]["bridge"]
    return str(network["IPAddress"])


def _ask(box: Box, port: int) -> str:
    return box.provider.curl(f"http://{BOX_ADDRESS}:{port}/", timeout=3, check=False)


def _ufw(box: Box, *, enabled: str, after: str) -> None:
    box.sh("mkdir -p /etc/ufw")
    box.write("/etc/ufw/ufw.conf", f"ENABLED={enabled}\nLOGLEVEL=low\n")
    box.write("/etc/ufw/after.rules", f"*filter\n:ufw-after-input - [0:0]\n{after}COMMIT\n")


@fault("firewall.closed-to-public", subject="host:*")
def rules_of_ufw_docker_are_left(box: Box) -> None:
    """ufw-docker was uninstalled: its file is as it was before, and its rules are in force."""
    _web(box, "left", 18201)
    _rules(box)
    _ufw(box, enabled="yes", after="")
    assert not _ask(box, 18201)


@fault("firewall.closed-to-public", subject="host:*")
def rules_of_ufw_docker_without_ufw(box: Box) -> None:
    """ufw is disabled: the rules of ufw-docker stay in DOCKER-USER, and its openings are gone."""
    _web(box, "stay", 18202)
    _rules(box)
    _ufw(box, enabled="no", after="-A DOCKER-USER -j ufw-user-forward\n")
    assert not _ask(box, 18202)


@healthy()
def ports_that_ufw_has_not_opened(box: Box) -> None:
    """ufw-docker is in use, and nobody has opened the port: it may be meant, and is advice."""
    _web(box, "inner", 18203)
    _rules(box)
    _ufw(box, enabled="yes", after="-A DOCKER-USER -j ufw-user-forward\n")
    assert not _ask(box, 18203)


@healthy()
def a_port_that_ufw_has_opened(box: Box) -> None:
    """ufw-docker is in use and has opened one port; another one is for private addresses."""
    address = _web(box, "outer", 18204)
    _web(box, "behind", 18205)
    _rules(box)
    _ufw(box, enabled="yes", after="-A DOCKER-USER -j ufw-user-forward\n")
    box.sh(f"iptables -A ufw-user-forward -d {address}/32 -p tcp --dport 8080 -j ACCEPT")
    assert _ask(box, 18204)
    assert not _ask(box, 18205)


@healthy(advice=None)
def ports_for_the_office_alone(box: Box) -> None:
    """DOCKER-USER lets in one private network and the VPN, as its administrator wants it."""
    _web(box, "office", 18206)
    box.sh("iptables -F DOCKER-USER; iptables -A DOCKER-USER ! -i eth0 -j RETURN")
    for subnet in ("192.168.7.0/24", "10.8.0.0/24"):
        box.sh(f"iptables -A DOCKER-USER -s {subnet} -j RETURN")
    box.sh(f"iptables -A DOCKER-USER -i eth0 {_NEW} -j DROP")
    assert not _ask(box, 18206)
    run = box.diagnose("check", "firewall.closed-to-public", "--format", "json")
    assert run.report["checks"][0]["verdict"] == "passed"
