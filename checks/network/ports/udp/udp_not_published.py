"""network.udp-not-published: a port is published only for TCP, and its program takes UDP too."""

from diagnose.evidence.network.proxies.pages.announced_http3 import (
    AnnouncedHttp3,
    AnnouncedHttp3Ports,
)
from diagnose.evidence.network.sockets.unpublished_udp import UnpublishedUdp, UnpublishedUdpPorts
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import counted, sentence, shortened
from diagnose.registry import check

_DNS = 53


@check(
    "network.udp-not-published",
    severity=Severity.warning,
    aloud=("sends browsers to HTTP/3, which nothing serves",) * 2,
)
def udp_not_published(
    unpublished_udp_ports: UnpublishedUdpPorts, announced_http3_ports: AnnouncedHttp3Ports | None
) -> CheckResult:
    """A program listens over UDP too, but its port is published only for TCP.

    `-p 53:53` means TCP; UDP needs a second option, `-p 53:53/udp`. It is a warning for DNS, whose
    clients ask over UDP, and where packets of other machines came and got no answer. It is advice
    where the image declares the port for UDP, and where the packets came only from several
    addresses of the internet, of which some may be scanners; nothing is said elsewhere. Browsers
    try UDP at port 443, and at each port of Caddy, and then take TCP. That is advice where the
    server's own answer to a request for its first page sends them to a port over UDP that nobody
    serves: pages come late on some networks.
    """
    for udp_server in unpublished_udp_ports:
        port = udp_server.published.number
        is_missed = (bool(udp_server.clients) and not udp_server.strangers) or port == _DNS
        is_declared = f"{port}/udp" in (udp_server.container.config.exposed_ports or {})
        if is_missed or udp_server.strangers or is_declared:
            yield _finding(udp_server, None if is_missed else Severity.advice)
    for announced in announced_http3_ports or ():
        yield _http3_finding(announced)
    yield from unpublished_udp_ports.unread


def _http3_finding(udp_server: AnnouncedHttp3) -> Finding:
    finding = Finding.about(
        udp_server.container,
        f"{udp_server.container} sends browsers to HTTP/3 at UDP port {udp_server.port} of this "
        "host, where nothing listens: they try it first, and fall back to TCP late",
        {
            "Alt-Svc": shortened(udp_server.header),
            "NetworkSettings.Ports": udp_server.container.published_names,
        },
        discriminator="http3",
        severity=Severity.advice,
        recheck=(udp_server.container.run,),
    )
    if not udp_server.inner_port:
        return finding
    words = {
        "port": str(udp_server.inner_port),
        "udp_port": f"{udp_server.port}:{udp_server.inner_port}/udp",
    }
    return finding.with_variables(words)


def _finding(udp_server: UnpublishedUdp, severity: Severity | None) -> Finding:
    container = udp_server.container
    port = udp_server.published.number
    unanswered = ""
    if udp_server.clients:
        unanswered = f"{counted('client', udp_server.clients, most=2)} sent packets over UDP without an answer"
    return Finding.about(
        container,
        sentence(
            f"{container} listens on port {port} for TCP and UDP, but publishes it only for TCP",
            unanswered,
        ),
        present(
            {
                "NetworkSettings.Ports": container.published_names,
                "sockets inside": [f"{port}/tcp", f"{port}/udp"],
                "clients over UDP without an answer": list(udp_server.clients[:5]),
            }
        ),
        discriminator=str(port),
        severity=severity,
        recheck=(container.run,),
        is_quiet=True,
        variables={"port": str(port), "udp_port": udp_server.published.leading_to(f"{port}/udp")},
    )
