"""network.udp-clients-missed: packets to a port that a container serves, and does not publish."""

from diagnose.evidence.network.sockets.missed_datagrams import AllMissedDatagrams, MissedDatagrams
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.phrases import counted
from diagnose.registry import check


@check("network.udp-clients-missed", severity=Severity.warning)
def udp_clients_missed(all_missed_datagrams: AllMissedDatagrams) -> CheckResult:
    """Clients send UDP packets to a port that a container does not publish.

    Telephony and video calls (SIP, WebRTC, TURN) begin at one port, and their sound and pictures go
    to many others. Where only the first one is published, calls are set up and nobody hears
    anything. It shows in the kernel's table of connections: packets of other machines came to a
    port of the host at which nobody listens, and a container takes UDP at the same number.
    It is advice where all clients are strangers of the internet, which may be scanners. Containers
    that publish no UDP port are left out.
    """
    if not all_missed_datagrams.asked:
        return Skipped("no container publishes some of the UDP ports that it serves, and not all")
    for datagrams in all_missed_datagrams:
        yield _finding(datagrams)
    yield from all_missed_datagrams.unread


def _finding(datagrams: MissedDatagrams) -> Finding:
    container = datagrams.container
    (first, last) = datagrams.span
    served = f"{first}-{last}" if last > first else str(first)
    return Finding.about(
        container,
        f"{container} takes UDP at port {served} inside and does not publish that: packets of "
        f"{counted('client', datagrams.clients, most=2)} to port {datagrams.port} of this host get no answer",
        {
            "UDP sockets inside": served,
            "NetworkSettings.Ports": container.published_names,
            "clients over UDP without an answer": list(datagrams.clients[:5]),
        },
        discriminator="udp",
        severity=None if datagrams.is_near else Severity.advice,
        recheck=(container.run,),
        variables={"media": container.name, "udp_ports": f"{served}:{served}/udp"},
    )
