"""network.broadcast-unheard: broadcasts that a bridge of Docker keeps in, or out."""

from diagnose.evidence.network.sockets.kept_broadcasts import (
    DHCP_PORT,
    KeptBroadcast,
    KeptBroadcasts,
)
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.phrases import named, quoted
from diagnose.registry import check


@check(
    "network.broadcast-unheard",
    severity=Severity.warning,
    aloud=("may not be reached by broadcasts", "may not be reached by broadcasts"),
)
def broadcast_unheard(kept_broadcasts: KeptBroadcasts) -> CheckResult:
    """A program serves or wakes machines by broadcast, and its bridge keeps that in.

    A client of DHCP has no address, and asks all machines of its wire; Wake-on-LAN sends to all as
    well. A bridge of Docker is a wire of its own: no router passes broadcasts on, and docker-proxy
    hands those of clients over as if the bridge had asked. It is a warning where the server's log
    says that it serves no such subnet, and where packets to wake a machine were sent. A server that
    prints nothing may wait for a relay, which is advice. A server is left out that a relay asks, or
    that has given an address within five minutes.
    """
    if not kept_broadcasts.asked:
        return Skipped("no container on a bridge publishes DHCP or wakes machines")
    for broadcast in kept_broadcasts:
        yield _dhcp_finding(broadcast) if broadcast.kind == "dhcp" else _wake_finding(broadcast)
    yield from kept_broadcasts.unread


def _dhcp_finding(broadcast: KeptBroadcast) -> Finding:
    container = broadcast.container
    lack = (
        "they get no address" if broadcast.line else "only those behind a DHCP relay get an address"
    )
    return Finding.about(
        container,
        f"{container} is a DHCP server on {_network_names(broadcast)}, a bridge: clients of the local network "
        f"ask by broadcast, which does not cross it, so that {lack}",
        present(
            {
                "UDP sockets inside": [DHCP_PORT],
                "NetworkSettings.Ports": container.published_names,
                "log": quoted(broadcast.line) if broadcast.line else "",
            }
        ),
        discriminator=broadcast.kind,
        severity=None if broadcast.line else Severity.advice,
        touches=subjects_of(broadcast.networks),
        recheck=(container.run,),
        variables={"server": container.name},
    )


def _wake_finding(broadcast: KeptBroadcast) -> Finding:
    container = broadcast.container
    return Finding.about(
        container,
        f"{container} wakes machines by broadcast on {_network_names(broadcast)}, a bridge, which "
        "broadcasts do not leave: no machine of the local network wakes up",
        {"log": quoted(broadcast.line), "packets that it sent to all": broadcast.broadcasts},
        discriminator=broadcast.kind,
        touches=subjects_of(broadcast.networks),
        recheck=(container.run,),
        variables={"waker": container.name},
    )


def _network_names(broadcast: KeptBroadcast) -> str:
    return named("network", names_of(broadcast.networks))
