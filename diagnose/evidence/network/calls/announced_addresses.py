"""Programs that tell their clients the address that they have inside Docker."""

from collections.abc import Sequence
from ipaddress import ip_address

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.addresses import is_address
from diagnose.evidence.network.networks import Subnet, is_within
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import PageVariables

_ADDRESS = r"(?:\d{1,3}\.){3}\d{1,3}"
_ONE = LazyPattern(rf"(?<![\d.]){_ADDRESS}(?![\d.]*\d)")
ADDRESS_PAIR = LazyPattern(
    rf"(?<![\d.])(?P<own>{_ADDRESS}):(?P<port>\d{{1,5}})(?:/\w{{3,5}}){{0,3}} ?(?:<?->|=>|to) ?"
    rf"(?P<other>{_ADDRESS}):\d{{1,5}}"
)
"""Two ends of a path that a program tries, as ICE has them."""
_FAILS = LazyPattern(r"\b(?:fail(?:ed|ing|s)?|timed? ?out|timeout|unreachable|no response)\b", 2)
_HOLDS = LazyPattern(r"\b(?:succeed(?:ed|s)|validated|nominated?|selected|connected)\b", 2)
"""A client that is reached by another address than its inner one leaves failed paths too."""
_TOLD = LazyPattern(r"ADVERTIS|ANNOUNC|EXTERNAL|PUBLIC|HOST_ADDRESS|NODE[-_]IP", 2)
"""Names of settings with the address for clients."""
_VARIABLES = {"jvb": ("DOCKER_HOST_ADDRESS", "JVB_ADVERTISE_IPS")}
"""By the name of an image, the variables that hold the address for clients: the last one is set
where the container has none of them."""


def has_failed_path(container: Container, nets: Sequence[Subnet], text: str) -> bool:
    """Whether a path from the container's own address to a client outside fails."""
    match = ADDRESS_PAIR.search(text)
    if match is None or _FAILS.search(text) is None or not is_address(match["other"]):
        return False
    ports = {binding.number for binding in container.published_by("udp")}
    is_outside = not any(is_within(match["other"], net) for net in nets)
    return match["own"] in container.ipv4_addresses and int(match["port"]) in ports and is_outside


def has_reached_client(lines: Sequence[RecentLine], since: float) -> bool:
    """Whether a path to a client has held since then."""
    return any(
        line.at >= since
        and _HOLDS.search(line.text) is not None
        and ADDRESS_PAIR.search(line.text) is not None
        for line in lines
    )


def is_told_outer_address(container: Container, uplinks: Uplinks | None) -> bool:
    """Whether the settings of a container name an address of this host, or of the internet."""
    config = container.config
    settings = (*(f"{name}={value}" for name, value in config.environment), *config.words)
    told_texts = " ".join(text for text in settings if _TOLD.search(text) is not None)
    uplink_addresses = {uplink.address for uplink in uplinks or ()}
    return any(
        match[0] in uplink_addresses or (is_address(match[0]) and ip_address(match[0]).is_global)
        for match in _ONE.finditer(told_texts)
    )


def announced_variables(container: Container, uplinks: Uplinks | None) -> PageVariables:
    """The variable of its image with this host's address, where both are known."""
    name = container.config.image_name
    settings_of_program = _VARIABLES.get(name, ())
    usual = settings_of_program[-1] if settings_of_program else ""
    variable = next(filter(container.config.sets, settings_of_program), usual)
    uplink = uplinks.preferred if uplinks is not None else None
    address = uplink.address if uplink is not None else None
    announced = f"{variable}={address}" if variable and address else ""
    return present({"announced": announced, "media": "" if announced else container.name})
