"""What findings about containers share: causes, phrases, the container's own last line."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from diagnose.error_signatures import signs
from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTail, LogTails
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Subject, Unavailable
from diagnose.phrases import ago

PEER_CAUSES = (
    "container.crashed",
    "container.device-missing",
    "container.entrypoint-forbidden",
    "container.entrypoint-missing",
    "container.mount-source-missing",
    "container.network-gone",
    "container.oom-killed",
    "container.paused",
    "container.restarts-exhausted",
    "container.runtime-limit-hit",
    "container.start-refused",
    "logging.driver-blocks-start",
    "network.bind-address-missing",
    "network.port-allocated",
    "network.port-held-by-process",
    "network.subnet-exhausted",
)
"""Why a container does not answer that another one calls: what keeps it from running."""

APPLICATION_CAUSES = (
    "container.exec-format",
    "container.interpreter-missing",
    "container.mount-forbidden",
    "container.mount-stale",
    "daemon.containerd-down",
    "dns.host-broken",
    "dns.loopback-stub",
    "dns.no-nameserver",
    "dns.udp-blocked",
    "dns.upstream-unreachable",
    "firewall.chains-missing",
    "firewall.forward-dropped",
    "firewall.forwarding-off",
    "firewall.masquerade-missing",
    "network.bridge-down",
    "network.host-port-conflict",
    "network.mtu-mismatch",
    "network.veth-detached",
    "resources.host-oom",
    "resources.open-files-exhausted",
    "resources.pids-exhausted",
    "storage.disk-full",
    "storage.inodes-exhausted",
    "storage.network-volume-stale",
    "storage.read-only",
    "storage.shm-full",
)
"""What makes a program fail that is itself in order."""


def causes_without(*ids: str) -> list[str]:
    """What may keep a container from working, without these: no check is its own cause, nor that of its causes."""
    return [id for id in (*APPLICATION_CAUSES, *PEER_CAUSES) if id not in ids]


LINE = "log, last line"
QUOTED = 300


def words_of(last_words: LogTails | Unavailable, container: Container) -> LogTail:
    """Its last lines; none where logs could not be had."""
    return LogTail(()) if isinstance(last_words, Unavailable) else last_words.of(container)


def quoted(words: LogTail) -> dict[str, str]:
    """The last line as evidence, if there is one."""
    return {LINE: words.last[:QUOTED]} if words.last else {}


_NO_ANSWER = frozenset({"dns", "refused", "timeout", "unreachable"})
"""What a program prints when another one that it calls is not there."""
_DEPENDENCY = re.compile(r"(?:^|,)([^:,]+)")
"""The services in compose's label, which says `db:service_healthy:false,init:service_completed_successfully:false`."""
_HOST = re.compile(r"(?:(?<=//)|(?<![/\w.-]))[\w.-]+")
"""A word that may be a host's name: not a part of a path, unless it opens a URL."""
_ADDRESS = re.compile(r"(?P<address>\d+(?:\.\d+){3})(?::\d+)?")
_PLACE = re.compile(
    r"//|\d+(?:\.\d+){3}|[A-Za-z][\w.-]*:\d{2,5}\b|\b[a-z0-9-]+(?:\.[a-z0-9-]+)+(?![\w.-])|['\"][\w.-]+['\"]|\blocalhost\b"
)
"""Where a line says whom it called: a URL, an address, a port, a domain (no class of Java), a name in quotes."""


def peers(
    lines: Iterable[str], caller: Container, containers: Containers, told: Iterable[str] | None = None
) -> tuple[Container, ...]:
    """The containers on a network of the caller that it called in vain.

    Their name or address stands in a line that tells of such a call. Where none says whom it called ("connect timed
    out", or an address on the network that nobody has any more), they are those that the caller was told of: in
    `told`, or else its command, environment, and compose file.
    """
    vain = [line for line in lines if signs(line) & _NO_ANSWER]
    if not vain:
        return ()
    found = _called(vain, caller, containers)
    if found:
        return found
    neighbours = [
        endpoint
        for each in containers
        for network, endpoint in each.endpoints.items()
        if network in caller.endpoints and endpoint.ip_prefix_len
    ]
    if any("dns" in signs(line) or _PLACE.search(_without_neighbours(line, neighbours)) for line in vain):
        return ()
    return _called(_told(caller) if told is None else told, caller, containers)


def _called(texts: Iterable[str], caller: Container, containers: Containers) -> tuple[Container, ...]:
    words = {word.strip(".") for text in texts for word in _HOST.findall(text)}
    return tuple(each for each in containers if each.id != caller.id and words & _answers_to(each, caller))


def _without_neighbours(line: str, neighbours: Iterable[NetworkEndpoint]) -> str:
    """The line without addresses on the networks of these, but for the host's own there: a gateway is no container."""
    return _ADDRESS.sub(
        lambda match: "" if any(_is_beside(match["address"], each) for each in neighbours) else match[0], line
    )


def _is_beside(address: str, neighbour: NetworkEndpoint) -> bool:
    try:
        subnet = ipaddress.IPv4Network(f"{neighbour.ip_address}/{neighbour.ip_prefix_len}", strict=False)
        return address != neighbour.gateway and ipaddress.IPv4Address(address) in subnet
    except ValueError:
        return False


def _told(caller: Container) -> list[str]:
    """What a container was given that may name others: arguments, values of variables, `depends_on` of compose."""
    config = caller.config
    values = [entry.partition("=")[2] for entry in config.env or ()]
    return [*caller.command, *values, caller.labels.get("com.docker.compose.depends_on", "")]


def subjects_of(containers: Iterable[Container]) -> tuple[Subject, ...]:
    return tuple(each.subject for each in containers)


def not_running(callees: Iterable[Container], clock: Clock) -> dict[str, str]:
    """What became of those that cannot answer, as evidence: one that was stopped by hand has no finding of its own."""
    return {
        f"{each.name}, which it calls": _state(each, clock.age(each.finished_at))
        for each in callees
        if not each.is_running
    }


def _state(each: Container, age: float | None) -> str:
    ended = f", exit code {each.state.exit_code}, {ago(age)} ago" if age is not None else ""
    return f"{each.state.status}{ended}"


def _answers_to(each: Container, caller: Container) -> set[str]:
    """By which words a caller on the same networks calls a container."""
    found: set[str] = set()
    for network, endpoint in each.endpoints.items():
        if network in caller.endpoints:
            found |= {each.name, *(endpoint.aliases or ()), *(endpoint.dns_names or ()), endpoint.ip_address}
    return found - {""}


def held_up(each: Container, containers: Containers) -> dict[str, list[str]]:
    """As evidence: the containers of its compose project that were created, and never started because they depend on it."""
    project, service = (each.labels.get(f"com.docker.compose.{key}") for key in ("project", "service"))
    names = [
        other.name
        for other in containers
        if other.state.status == "created" and not other.start_failed
        if project and other.labels.get("com.docker.compose.project") == project
        if service in _DEPENDENCY.findall(other.labels.get("com.docker.compose.depends_on", ""))
    ]
    return {"wait for it, never started": names} if names else {}


def took(seconds: float | None) -> str:
    """How long a run lasted: 0.3 s, 40 s, 3 h."""
    if seconds is None:
        return "an unknown time"
    return f"{seconds:.1f} s" if seconds < 10 else ago(seconds)


def times(count: int) -> str:
    """Once, twice, 5 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
