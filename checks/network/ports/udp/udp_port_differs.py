"""network.udp-port-differs: UDP is published at one port, and the program takes it at another."""

from diagnose.evidence.network.sockets.moved_udp_ports import MovedUdpPort, MovedUdpPorts
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import numbered
from diagnose.registry import check


@check(
    "network.udp-port-differs",
    severity=Severity.warning,
    causes=["network.published-port-not-listening", "network.udp-clients-missed"],
)
def udp_port_differs(moved_udp_ports: MovedUdpPorts) -> CheckResult:
    """A container publishes a UDP port where nothing listens, and uses another one.

    `-p 12345:51820/udp` leads port 12345 of the host to port 51820 inside. With
    `-p 12345:12345/udp` the packets of clients meet nobody, and no client over UDP gets an error.
    Reported where none of the published UDP ports is served, and the container takes UDP at exactly
    one other port. It is advice where neither the image nor its settings name that port. A range of
    many ports, of which calls open each one for a moment, counts where a file of WireGuard names
    another port.
    """
    for moved in moved_udp_ports:
        yield _finding(moved)
    yield from moved_udp_ports.unread


def _finding(moved: MovedUdpPort) -> Finding:
    container = moved.container
    port = moved.port
    numbers = sorted({published.number for published in moved.published})
    return Finding.about(
        container,
        f"{container} publishes UDP {numbered('port', numbers)}, where nothing listens inside; it "
        f"takes UDP at port {port}, which it does not publish",
        present(
            {
                "NetworkSettings.Ports": container.published_names,
                "UDP socket inside": f"port {port}",
                "the port is named by": moved.named_by,
            }
        ),
        discriminator=str(port),
        severity=None if moved.named_by else Severity.advice,
        recheck=(container.run,),
        variables={"port": str(port), **_cure(moved)},
    )


def _cure(moved: MovedUdpPort) -> PageVariables:
    """The page variable with the option for the served port: in the place of a published one, or
    beside several."""
    port = f"{moved.port}/udp"
    places = {published.leading_to(port) for published in moved.published}
    if len(places) == 1:
        (published, *_) = moved.published
        return {"publish": places.pop(), "narrow": published.leading_to(published.port)}
    return {"further": f"{moved.port}:{port}"}
