"""network.listed-port-differs: a server enters a port in a list of servers that leads nowhere."""

from collections.abc import Iterator, Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.network.addresses import is_loopback
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import agree, and_more, shortened
from diagnose.registry import check

_LISTS_ITSELF = LazyPattern(
    r"\b(?:(?:server|game server) connected(?: to steam)?$|connection to steam servers successful"
    r"|logged (?:in|on) (?:to|with) steam\b|steam\w{0,40} - server connected to steam"
    r"|server connected to steam\b|heartbeat to (?:the )?master server"
    r"|registered (?:with|at|on) (?:the )?(?:master server|server list))",
    2,  # re.IGNORECASE
)
"""Messages of game servers that have entered themselves in the list of all servers."""
_SETTING = LazyPattern(r"query_?port|beacon_?port", 2)
"""Names in settings of games for the port that the list gets."""


@check(
    "network.listed-port-differs",
    severity=Severity.advice,
    aloud=(
        "registers a port in a public server list that leads nowhere",
        "register ports in a public server list that lead nowhere",
    ),
)
def listed_port_differs(containers: Containers, recent_logs: RecentLogs) -> CheckResult:
    """A game server enters a port in the list of servers that is not published.

    Steam and other lists keep the address from which a server calls, and the port that the server
    names. That is its own one inside the container: with another port of the host before it,
    players who type the address come in, and nobody finds the server in the list. Its log says that
    it has entered itself, or a setting of its container names the port for queries.
    """
    published = {
        published_port.host_port
        for container in containers.running
        for published_port in _ways(container)
    }
    servers = [container for container in containers.running if any(_ways(container))]
    for container in servers:
        by_number = {published_port.number: published_port for published_port in _ways(container)}
        moved = [
            published_port
            for number, published_port in by_number.items()
            if number not in published
        ]
        telling_text = _telling_text(container, moved, recent_logs) if moved else ""
        if telling_text:
            yield _finding(container, moved, telling_text)
    yield from recent_logs.left_out(servers)


def _ways(container: Container) -> Iterator[PortBinding]:
    """The UDP ports that others reach; a port of IPv4 and IPv6 counts once."""
    for published_port in container.published_by("udp"):
        if not is_loopback(published_port.host_ip):
            yield published_port


def _telling_text(container: Container, moved: Sequence[PortBinding], logs: RecentLogs) -> str:
    """The setting with one of these ports, or the line of the log; "" where there is none."""
    config = container.config
    settings = (*(f"{name}={value}" for name, value in config.environment), *config.words)
    ports = {str(published_port.number) for published_port in moved}
    for setting in settings:
        name, _, value = setting.replace(" ", "=").rpartition("=")
        if value in ports and _SETTING.search(name) is not None:
            return setting
    lines = (line.text for line in logs.of_this_run(container))
    return next((text for text in lines if _LISTS_ITSELF.search(text) is not None), "")


def _finding(container: Container, moved: Sequence[PortBinding], telling_text: str) -> Finding:
    shown = and_more(
        f"{published_port.number} (published at {published_port.host_port})"
        for published_port in moved
    )
    noun = agree(moved, "port", "ports")
    return Finding.about(
        container,
        f"{container} registers its own UDP {noun} {shown} in a public server list: players find "
        "nothing there",
        {
            "said in": shortened(telling_text, 160),
            "NetworkSettings.Ports": container.published_names,
        },
        recheck=(container.run,),
        variables={"same_port": f"{moved[0].number}:{moved[0].port}"} if not moved[1:] else {},
    )
