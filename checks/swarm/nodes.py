"""Managers without a majority, and nodes that are down."""

from ipaddress import ip_address, ip_interface

from checks.swarm.helpers import NO_MANAGER, NOT_USED
from diagnose.error_signatures import signs
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.swarm.swarm import Node, Swarm
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped, Unavailable
from diagnose.model.subjects import DAEMON, Subject
from diagnose.registry import check

_EXPIRED = LazyPattern(
    r"swarm-node\.crt: certificate .{0,300}not valid after (?P<end>[^,]{1,60}, [^,]{1,60}) UTC"
)
"""The error of swarmkit's ca package, 20.10 to 28.5."""
_FOLDER = "/var/lib/docker/swarm"
_CERTIFICATE = f"{_FOLDER}/certificates/swarm-node.crt"


@check(
    "swarm.quorum-lost",
    severity=Severity.critical,
    caused_by=["daemon.clock-skewed"],
    observed=True,
)
def quorum_lost(swarm: Swarm) -> CheckResult:
    """The managers of the swarm have lost their majority.

    Seen on engines 20.10.24, 26.1.5 and 28.5.2: /nodes answers 503 "The swarm does not have a
    leader"; running tasks go on. A swarm that elects a new leader says the same for some seconds.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    error = swarm.nodes.detail if isinstance(swarm.nodes, Unavailable) else swarm.error
    if "does not have a leader" in error or "without a leader" in error:
        managers = f"{swarm.managers} managers" if swarm.managers else "managers"
        yield Finding(
            subject=DAEMON,
            summary=f"the swarm has no leader: too few of its {managers} can be reached",
            evidence={
                "GET /nodes": error,
                "Swarm.LocalNodeState": swarm.state,
                "Swarm.Managers": swarm.managers,
                "Swarm.RemoteManagers": list(swarm.other_managers),
            },
            variables={"manager": swarm.other_managers[0]} if swarm.other_managers else {},
            signs=signs(error),
        )


@check(
    "swarm.node-down", severity=Severity.critical, caused_by=["swarm.quorum-lost"], observed=True
)
def node_down(swarm: Swarm) -> CheckResult:
    """A node of the swarm is down.

    A node that was drained before it was taken down is left out. A manager learns of a dead node
    after some heartbeats (15 s by default).
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if swarm.state in ("error", "locked") or (swarm.state == "pending" and swarm.error):
        yield _own_node_finding(swarm)
        return None
    if not swarm.manager:
        return Skipped(NO_MANAGER)
    if isinstance(swarm.nodes, Unavailable):
        return swarm.nodes
    for node in swarm.nodes:
        if node.is_down and not node.is_drained:
            yield _down_node_finding(node)


def _own_node_finding(swarm: Swarm) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=f"this node cannot take part in its swarm: {_apart_reason(swarm)}",
        evidence={"Swarm.LocalNodeState": swarm.state, "Swarm.Error": swarm.error},
        variables=_cure_of_node(swarm),
        discriminator="self",
        signs=signs(swarm.error),
    )


def _apart_reason(swarm: Swarm) -> str:
    """The reason why this node takes no part in its swarm."""
    expired = _EXPIRED.search(swarm.error)
    if swarm.state == "locked":
        return (
            "it is locked since its engine was restarted, "
            "until `docker swarm unlock` gives it the key"
        )
    if expired:
        return (
            f"its certificate expired on {expired['end']}: it was off, or away from the managers, "
            "when it should have been renewed"
        )
    return swarm.error or swarm.state


def _cure_of_node(swarm: Swarm) -> PageVariables:
    if _EXPIRED.search(swarm.error):
        return {"certificate": _CERTIFICATE, "state_folder": _FOLDER}
    return {"unlock": "unlock"} if swarm.state == "locked" else {}


def _down_node_finding(node: Node) -> Finding:
    role = " (a manager)" if node.manager_status else ""
    return Finding(
        subject=Subject("host", node.name),
        summary=(
            f'node "{node.name}"{role} is {node.status.state}: '
            f"{node.status.message or 'no heartbeat'}"
        ),
        evidence={
            "Status.State": node.status.state,
            "Status.Message": node.status.message,
            "Status.Addr": node.status.addr,
            "Spec.Availability": node.spec.availability,
        },
        variables={"node": node.name, "address": node.status.addr or node.name},
        discriminator=node.id[:12],
    )


@check("swarm.address-gone", severity=Severity.warning)
def address_gone(swarm: Swarm, interfaces: Interfaces) -> CheckResult:
    """The swarm knows this node by an address that the host no longer has.

    Most often DHCP gave the host another one. The node itself keeps working, but the others do not
    reach it, new nodes cannot join through it, and overlay networks end here. An address that a
    router translates lies in no network of this host: only one of a network that the host is in
    counts.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    now = _address_instead(swarm.node_address, interfaces)
    if now:
        yield _address_finding(swarm, now)


def _address_instead(known_address: str, interfaces: Interfaces) -> str:
    """The host's present address in the network of the one that it had; "" where it still
    has it."""
    try:
        former = ip_address(known_address)
    except ValueError:
        return ""
    interfaces_here = [
        ip_interface(f"{entry.address}/{entry.prefix}") for entry in interfaces.addresses
    ]
    if any(address.ip == former for address in interfaces_here):
        return ""
    return next((str(address.ip) for address in interfaces_here if former in address.network), "")


def _address_finding(swarm: Swarm, now: str) -> Finding:
    known_address = swarm.node_address
    is_alone = swarm.manager and swarm.managers == 1
    has_others = not is_alone or len(swarm.known_nodes) > 1
    return Finding(
        subject=DAEMON,
        summary=f"the swarm knows this node by {known_address}, an address that the host no longer has "
        f"(it has {now} now): other nodes cannot reach this node",
        evidence={"GET /info Swarm.NodeAddr": known_address, "address in that network": now},
        variables={"address": now} if is_alone else {"former": known_address},
        discriminator=known_address,
        severity=Severity.critical if has_others else Severity.warning,
    )
