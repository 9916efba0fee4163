"""network.ftp-data-unpublished: an FTP server offers a port for data that nobody reaches."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.ftp_addresses import HELPER
from diagnose.evidence.network.sockets.ftp_ports import (
    CONTROL,
    data_port_steps,
    declared_range,
    serves_ftp,
    waiting_ports,
)
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.phrases import numbered
from diagnose.registry import check


@check("network.ftp-data-unpublished", severity=Severity.warning)
def ftp_data_unpublished(
    containers: Containers, namespaces: Namespaces, modules: Modules | None
) -> CheckResult:
    """An FTP server waits for data at a port that is not published.

    A client of FTP logs in at port 21, and gets lists and files over a second connection, to a port
    that the server chooses (passive mode, RFC 959). In a container that port has to be published
    too. It shows while a client is being served: the server listens for it. A host whose kernel
    opens these ports by itself (nf_nat_ftp) is left out, and so is a client that chooses the port
    itself.
    """
    servers = [container for container in containers.running if serves_ftp(container)]
    if not servers:
        return Skipped("no running container publishes port 21")
    if modules is not None and HELPER in modules.names:
        return Skipped(f"the kernel opens data ports of FTP by itself ({HELPER} is loaded)")
    for server in servers:
        netns = namespaces.of(server)
        if netns is not None and netns.serves_others("tcp", CONTROL):
            waiting = waiting_ports(server, netns)
            if waiting:
                yield _finding(server, waiting)
    subjects = {server.subject for server in servers}
    yield from (missed for missed in namespaces.unvisited if missed.subject in subjects)


def _finding(server: Container, waiting: Sequence[int]) -> Finding:
    return Finding.about(
        server,
        f"{server} serves FTP at its published port 21 and waits for a client's data at "
        f"{numbered('port', waiting)}, which it does not publish: lists and transfers fail",
        {
            "TCP sockets inside": list(waiting[:5]),
            "NetworkSettings.Ports": server.published_names,
            "declared by the image (EXPOSE)": [*declared_range(server, waiting[0])],
        },
        recheck=(server.run,),
        variables=data_port_steps(server, waiting[0]),
    )
