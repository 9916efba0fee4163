"""The check in checks/daemon/starting/bridge_init_failed.py."""

from __future__ import annotations

import pytest

from diagnose import runbooks
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.routes import Route, Routes
from diagnose.questions.network import Interface
from tests.checks.daemon.evidence import ROOT, daemon, log, only_finding
from tests.judging import judge


@pytest.mark.parametrize(
    ("words", "first"),
    [
        pytest.param(
            "invalid CIDR address: 10.0.0.1", "cat /etc/docker/daemon.json", id="an address"
        ),
        pytest.param(
            "libnet controller initialization: invalid database", "mv ", id="a torn record"
        ),
        pytest.param(
            "failed to create NAT chain DOCKER: iptables not found",
            "iptables -t nat -nL",
            id="no program",
        ),
    ],
)
def test_networks_that_cannot_be_set_up_have_cures_of_their_own(words: str, first: str) -> None:
    said = log(f"failed to start daemon: Error initializing network controller: {words}")
    finding = only_finding(
        judge("daemon.bridge-init-failed", daemon=daemon(), log=said, root=ROOT).findings
    )
    cure = runbooks.cure("daemon.bridge-init-failed", finding.variables, runbooks.Place())
    look = runbooks.confirm("daemon.bridge-init-failed", finding.variables, runbooks.Place())
    command = cure or look
    assert command is not None
    assert command.text.startswith(first)


@pytest.mark.parametrize(
    ("folder", "around", "cause"),
    [
        pytest.param(
            "/lib/modules/7.0",
            "",
            "modules this kernel cannot find",
            id="a kernel without legacy tables",
        ),
        pytest.param("", "lxc", "modules this kernel cannot find", id="an LXC guest"),
        pytest.param("", "", "without a reboot", id="a kernel that was upgraded"),
    ],
)
def test_legacy_tables_that_the_kernel_does_not_have(folder: str, around: str, cause: str) -> None:
    said = log(
        "failed to start daemon: Error initializing network controller: iptables failed: modprobe: "
        "FATAL: Module ip_tables not found in directory /lib/modules/7.0"
    )
    here = Modules("7.0", loaded=90, folder=folder, others=("7.1",), around=around)
    (finding,) = judge(
        "daemon.bridge-init-failed", daemon=daemon(), log=said, root=ROOT, modules=here
    ).findings
    assert cause in finding.summary


_NO_SUBNET = {
    "engine 20.10": "list bridge addresses failed: PredefinedLocalScopeDefaultNetworks List: "
    "[172.17.0.0/16 172.18.0.0/16]: no available network",
    "engine 28": 'error creating default "bridge" network: all predefined address pools have been '
    "fully subnetted",
}


@pytest.mark.parametrize("words", _NO_SUBNET.values(), ids=_NO_SUBNET)
def test_routes_that_take_all_pools_are_named(words: str) -> None:
    said = log(f"failed to start daemon: Error initializing network controller: {words}")
    links = Interfaces((Interface(index=2, name="wg0"), Interface(index=3, name="eth0")))
    routes = Routes(
        (
            Route(dst="192.168.0.0", prefix=16, oif=2, scope="link", family="inet"),
            Route(dst="172.16.0.0", prefix=12, oif=2, scope="link", family="inet"),
            Route(dst="10.0.0.0", prefix=8, gateway="192.0.2.1", oif=3, family="inet"),
        )
    )
    finding = only_finding(
        judge(
            "daemon.bridge-init-failed",
            daemon=daemon(),
            log=said,
            root=ROOT,
            routes=routes,
            links=links,
        ).findings
    )
    assert finding.summary.endswith(
        "these routes take them: 192.168.0.0/16 (wg0) and 172.16.0.0/12 (wg0)"
    )
    # 10.0.0.0/8 goes through a gateway, and still is not a place for a container
    assert "192.168" not in finding.variables["setting_json"]


def test_ipv6_without_a_subnet_gets_one() -> None:
    said = log(
        "failed to start daemon: Error initializing network controller: IPv6 is enabled for the "
        "default bridge, but no subnet is configured. Specify an IPv6 subnet using --fixed-cidr-v6"
    )
    config = DaemonConfig("/etc/docker/daemon.json", {"ipv6": True})
    finding = only_finding(
        judge("daemon.bridge-init-failed", daemon=daemon(), log=said, config=config).findings
    )
    cure = runbooks.cure("daemon.bridge-init-failed", finding.variables, runbooks.Place())
    assert cure is not None
    assert cure.text.startswith('diagnose repair --set \'{"fixed-cidr-v6": "fd00:')


def test_a_bridge_that_is_not_there_is_taken_out_of_the_file() -> None:
    said = log(
        "failed to start daemon: Error initializing network controller: error creating default "
        '"bridge" network: bridge device with non default name br0 must be created manually'
    )
    values = {"bridge": "br0", "mtu": 1400}
    config = DaemonConfig("/etc/docker/daemon.json", values=values)
    finding = only_finding(
        judge("daemon.bridge-init-failed", daemon=daemon(), log=said, config=config).findings
    )
    cure = runbooks.cure("daemon.bridge-init-failed", finding.variables, runbooks.Place())
    assert cure is not None
    assert cure.text.startswith("diagnose repair --set")


_LACKS = {
    "legacy iptables": "can't initialize iptables table `nat': Table does not exist (do you need to insmod?)",
    "nf_tables": "iptables v1.8.7 (nf_tables):  RULE_APPEND failed (No such file or directory)",
    "the bridge": 'Error creating default "bridge" network: operation not supported',
}


@pytest.mark.parametrize("words", _LACKS.values(), ids=_LACKS)
@pytest.mark.parametrize(("loaded", "gone"), [(90, True), (0, False)])
def test_a_kernel_whose_modules_are_gone_is_rebooted(words: str, loaded: int, gone: bool) -> None:
    """A kernel that was built in one piece has no folder of modules, and misses none."""
    said = log(f"failed to start daemon: Error initializing network controller: {words}")
    here = Modules("6.1.8", loaded=loaded, folder="", others=("6.1.9",))
    (finding,) = judge(
        "daemon.bridge-init-failed", daemon=daemon(), log=said, root=ROOT, modules=here
    ).findings
    assert ("modules of the running kernel 6.1.8" in finding.summary) is gone
    assert ("release" in finding.variables) is gone
