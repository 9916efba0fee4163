"""network.inner-address-announced: a program tells clients outside an address inside Docker."""

import functools
from collections.abc import Sequence
from ipaddress import ip_address

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.addresses import is_address
from diagnose.evidence.network.networks import Subnet, is_within
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Count, Finding, PageVariables, Seconds, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check

_ADDRESS = r"(?:\d{1,3}\.){3}\d{1,3}"
_ONE = LazyPattern(rf"(?<![\d.]){_ADDRESS}(?![\d.]*\d)")
_PAIR = LazyPattern(
    rf"(?<![\d.])(?P<own>{_ADDRESS}):(?P<port>\d{{1,5}})(?:/\w{{3,5}}){{0,3}} ?(?:<?->|=>|to) ?"
    rf"(?P<other>{_ADDRESS}):\d{{1,5}}"
)
"""Two ends of a path that a program tries, as ICE has them."""
_FAILS = LazyPattern(r"\b(?:fail(?:ed|ing|s)?|timed? ?out|timeout|unreachable|no response)\b", 2)
_HOLDS = LazyPattern(r"\b(?:succeed(?:ed|s)|validated|nominated?|selected|connected)\b", 2)
"""A client that is reached by another address than its inner one leaves failed paths too."""
_TOLD = LazyPattern(r"ADVERTIS|ANNOUNC|EXTERNAL|PUBLIC|HOST_ADDRESS|NODE[-_]IP", 2)
"""How settings are called that hold the address for clients."""
_VARIABLES = {"jvb": ("DOCKER_HOST_ADDRESS", "JVB_ADVERTISE_IPS")}
"""By the name of an image, the variables that hold the address for clients: the last one is set
where the container has none of them."""


@check("network.inner-address-announced", severity=Severity.critical)
def inner_address_announced(
    containers: Containers,
    recent_logs: RecentLogs,
    clock: Clock,
    uplinks: Uplinks | None,
    *,
    least: Count = Count(3),
    fresh: Seconds = Seconds(90),
) -> CheckResult:
    """A program tells its clients the address that its container has inside Docker.

    Servers of calls and video tell each client where to send sound and pictures. People join then,
    and neither see nor hear each other: only this host reaches that address. The log must say at
    least three times, and lately, that a path from the container's own address, at a port that is
    published over UDP, to an address outside its networks fails. A program that has reached any
    client since, or whose settings name this host's address or a public one, is left alone: paths
    to addresses behind a client's router always fail.
    """
    callers = [caller for caller in containers.running if any(caller.published_by("udp"))]
    for container in callers:
        nets = [
            place.addresses for name in container.endpoints for place in containers.subnets(name)
        ]
        says = functools.partial(_says_so, container, nets)
        lines = recent_logs.repeated(container, says, clock, least, fresh)
        is_well = lines and _reaches(recent_logs.of(container), lines[0].at)
        if lines and not is_well and not _is_told(container, uplinks):
            yield _finding(container, lines[-1].text, len(lines), uplinks)
    yield from recent_logs.left_out(callers)


def _says_so(container: Container, nets: Sequence[Subnet], text: str) -> bool:
    """Whether a path from the container's own address to a client outside fails."""
    match = _PAIR.search(text)
    if match is None or _FAILS.search(text) is None or not is_address(match["other"]):
        return False
    ports = {binding.number for binding in container.published_by("udp")}
    is_outside = not any(is_within(match["other"], net) for net in nets)
    return match["own"] in container.ipv4_addresses and int(match["port"]) in ports and is_outside


def _reaches(lines: Sequence[RecentLine], since: float) -> bool:
    """Whether a path to a client has held since then."""
    return any(
        line.at >= since
        and _HOLDS.search(line.text) is not None
        and _PAIR.search(line.text) is not None
        for line in lines
    )


def _is_told(container: Container, uplinks: Uplinks | None) -> bool:
    """Whether the settings of a container name an address of this host, or of the internet."""
    config = container.config
    settings = (*(f"{name}={value}" for name, value in config.environment), *config.words)
    named = " ".join(text for text in settings if _TOLD.search(text) is not None)
    own = {uplink.address for uplink in uplinks or ()}
    return any(
        match[0] in own or (is_address(match[0]) and ip_address(match[0]).is_global)
        for match in _ONE.finditer(named)
    )


def _finding(container: Container, line: str, times: int, uplinks: Uplinks | None) -> Finding:
    match = _PAIR.search(line)
    assert match is not None  # the line was chosen by it
    return Finding.about(
        container,
        sentence(
            f"{container} tells its clients to call {match['own']}:{match['port']}, its address "
            f"inside Docker, which they cannot reach ({count(times, 'path')} failed lately)",
            f"it publishes port {match['port']} over UDP, and does not know this host's address",
        ),
        {"log": shortened(line, 200), "NetworkSettings.Ports": container.published_names},
        signs=frozenset({"timeout"}),
        stable=(container.life,),
    ).with_variables(_variables(container, uplinks))


def _variables(container: Container, uplinks: Uplinks | None) -> PageVariables:
    """The variable of its image with this host's address, where both are known."""
    name = container.config.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    known = _VARIABLES.get(name, ())
    usual = known[-1] if known else ""
    variable = next(filter(container.config.sets, known), usual)
    uplink = uplinks.preferred if uplinks is not None else None
    address = uplink.address if uplink is not None else None
    announced = f"{variable}={address}" if variable and address else ""
    return present({"announced": announced, "media": "" if announced else container.name})
