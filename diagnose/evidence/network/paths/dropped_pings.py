"""Pings with which containers watch hosts, and their obstacles on this host."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.paths.walks import ordinary_peer
from diagnose.evidence.network.paths.wanted.called_names import CalledNames, NameSources
from diagnose.evidence.network.paths.wanted.wants import Source
from diagnose.firewall.flow import Flow, Obstacle, Origin, Trace
from diagnose.firewall.trace import trace, trace_bridged
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

IGNORE = "net.ipv4.icmp_echo_ignore_all"
"""The kernel's setting that leaves every ping of its namespace unanswered."""
_ECHO_REQUEST = 8 << 8
_COMMAND = LazyPattern(r"(?<![^\s;&|('\"`!])(?:/[\w./-]*/)?f?ping\s+(?P<words>[^;&|)'\"`\n<>]*)")
_SEPARATORS = ";&|(`'\"!{\n"
"""Characters between a program and the one before it."""
_BEFORE = LazyPattern(
    r"--|-[ex]?c|CMD|CMD-SHELL|(?:docker-)?entrypoint\.sh|dumb-init|tini"
    r"|command|do|elif|else|env|exec|if|sudo|then|until|while"
)
"""Words that a program follows. Behind any other one, `ping` is an argument: `mysqladmin ping`."""
_DURATION = LazyPattern(r"\d+(?:\.\d+)?[smhd]?|\w+=.*")
"""Words that `timeout` and a variable put before a program."""
_WITH_VALUE = frozenset("cWwiIstQMpSlm")
"""Options of ping that are followed by a value."""
_TARGET = LazyPattern(r"(?:\bPING |^--- )(?P<target>[A-Za-z0-9][\w.-]*)")
_ENDS = LazyPattern(r"-[A-Za-z]*[cw]")
"""An option of ping with the number of packets or of seconds after which it ends."""
_LOST = "100% packet loss"
_VARIABLE = LazyPattern(r"\$\{?(?P<name>\w+)(?::?-[^}]*)?\}?")


class DroppedPing(msgspec.Struct, frozen=True):
    """A ping that gets no answer."""

    container: Container
    network: Network
    target: str
    """The pinged machine as the container names it."""
    address: str
    """The address of the target; an address of no particular kind for a name outside."""
    source: Source
    where: str
    obstacle: Obstacle | None = None
    """The obstacle that drops it; None where the machine itself ignores pings."""
    peer: Container | None = None
    failing: bool = False

    @property
    def own_address(self) -> str:
        return self.container.endpoints[self.network.name].ip_address


class DroppedPings(Items[DroppedPing], frozen=True):
    """The pings of containers that get no answer."""

    walked: int = 0
    """Pings that were followed."""
    why_none: str = ""
    """The reason why no ping was traced; "" if one was."""
    unread: tuple[Unexamined, ...] = ()
    """Containers that ping this host, of which it is not known whether it ignores pings."""


class _WantedPing(msgspec.Struct, frozen=True):
    """A ping that a container sends."""

    target: str
    source: Source
    where: str


@evidence
def dropped_pings(
    host: Host,
    sources: NameSources,
    walked_host: WalkedHost,
    recent_logs: RecentLogs | None,
    processes: Processes | None,
    clock: Clock,
) -> DroppedPings:
    """The dropped pings of commands, health checks, endless processes and logs."""
    if walked_host.why_not_inside:
        return DroppedPings((), why_none=walked_host.why_not_inside)
    names = sources.names
    lasting = _lasting_pings(processes)
    pings = []
    for container in sources.containers.running:
        commands = lasting.get(container.id, ())
        for wanted_ping in _wanted_pings(container, commands, recent_logs, clock):
            sent = _sent_ping(container, wanted_ping, names, sources.networks)
            if sent is not None:
                pings.append(sent)
    outcomes = [_outcome(sent, host, sources.host_stack) for sent in pings]
    dropped = tuple(outcome for outcome in outcomes if isinstance(outcome, DroppedPing))
    unread = tuple(outcome for outcome in outcomes if isinstance(outcome, Unexamined))
    return DroppedPings(dropped, len(pings), unread=unread)


def _outcome(
    sent: DroppedPing, host: Host, host_stack: HostStack
) -> DroppedPing | Unexamined | None:
    """The ping with its obstacle; None where it is answered."""
    traced = _trace_of(sent, host_stack)
    if traced.rule_in_the_way is not None:
        return msgspec.structs.replace(sent, obstacle=traced.rule_in_the_way)
    if traced.outcome == "accept" and host_stack.stack.is_local(sent.address):
        setting = host.ask(ReadSysctls([IGNORE]))
        if isinstance(setting, Failed):
            return Unexamined(sent.container.subject, f"{IGNORE}: {setting}")
        return sent if setting.get(IGNORE) == "1" else None
    return sent if sent.peer is not None and _is_silenced(sent.peer) else None


def _wanted_pings(
    container: Container, lasting: Iterable[str], recent_logs: RecentLogs | None, clock: Clock
) -> Iterator[_WantedPing]:
    """The pings of one container, each target once. lasting: command lines of its processes."""
    probe = container.config.healthcheck
    texts: list[tuple[Source, str]] = [
        ("health check", " ".join((probe.test if probe else None) or ())),
        ("command", " ".join(container.command)),
        *(("process", text) for text in lasting),
    ]
    environment = dict(container.config.environment)
    known: set[str] = set()
    for source, text in texts:
        for target in _targets(text, environment):
            if target not in known:
                known.add(target)
                yield _WantedPing(target, source, text[:200])
    if recent_logs is None or not recent_logs.repeated(container, _tells_of_loss, clock):
        return
    for line in recent_logs.of(container):
        match = _TARGET.search(line.text)
        if match is not None and match["target"] not in known:
            known.add(match["target"])
            yield _WantedPing(match["target"], "log", line.text[:200])


def _lasting_pings(processes: Processes | None) -> Mapping[str, Sequence[str]]:
    """The command lines of processes that ping without an end, by container id.

    A ping of a few packets is seen by one look, and not by the next.
    """
    pings = (process for process in processes or () if process.comm == "ping")
    return by_key(
        (process.container, " ".join(process.cmdline or []))
        for process in pings
        if process.container and not any(map(_ENDS.match, process.cmdline or []))
    )


def _tells_of_loss(text: str) -> bool:
    return _LOST in text


def _targets(text: str, environment: Mapping[str, str]) -> Iterator[str]:
    """The targets of the pings in a command line."""
    for match in _COMMAND.finditer(text):
        if not _begins_command(text[: match.start()].rstrip(" \t")):
            continue
        words = iter(match["words"].split())
        for word in words:
            if not word.startswith("-"):
                target = _VARIABLE.sub(lambda found: environment.get(found["name"], ""), word)
                if re.fullmatch(r"[A-Za-z0-9][\w.-]*", target):
                    yield target
                break
            if len(word) == 2 and word[1] in _WITH_VALUE:
                next(words, "")


def _begins_command(before: str) -> bool:
    """Whether a program follows this text, and no argument of another one."""
    if not before or before[-1] in _SEPARATORS:
        return True
    words = [posixpath.basename(word) for word in before.split()]
    if _BEFORE.fullmatch(words[-1]):
        return True
    is_variable = "=" in words[-1] and not words[-1].startswith("-")
    return _DURATION.fullmatch(words[-1]) is not None and (is_variable or "timeout" in words[-4:])


def _sent_ping(
    container: Container, wanted_ping: _WantedPing, names: CalledNames, networks: Networks
) -> DroppedPing | None:
    """The ping as it leaves the container; None where that is not known, or for loopback."""
    target = names.extra_hosts(container).get(wanted_ping.target, wanted_ping.target)
    is_failing = wanted_ping.source in ("log", "process") or container.is_unwell
    for name, endpoint in sorted(container.endpoints.items()):
        network = networks.by_name.get(name)
        called = names.on_network(name, target)
        if network is None or not network.is_bridge or not endpoint.ip_address:
            continue
        sent = DroppedPing(
            container,
            network=network,
            target=wanted_ping.target,
            address=target,
            source=wanted_ping.source,
            where=wanted_ping.where,
            failing=is_failing,
        )
        if called is not None and called.container.id != container.id:
            return msgspec.structs.replace(sent, address=called.address, peer=called.container)
        if called is None and not network.internal and target != "localhost":
            return _leaving_ping(sent)
    return None


def _leaving_ping(sent: DroppedPing) -> DroppedPing | None:
    """A ping that leaves its network; None for loopback."""
    try:
        address = ip_address(sent.address)
    except ValueError:
        return msgspec.structs.replace(sent, address=ordinary_peer("ip"))
    return None if address.is_loopback or address.version != 4 else sent


def _trace_of(sent: DroppedPing, host_stack: HostStack) -> Trace:
    origin = Origin(sent.network.bridge, sent.own_address)
    flow = Flow(origin, sent.address, "icmp", icmp=_ECHO_REQUEST)
    if sent.peer is not None:
        return trace_bridged(host_stack.stack, flow)
    return trace(host_stack.stack, flow)


def _is_silenced(container: Container) -> bool:
    """Whether a setting of a container makes it ignore pings."""
    return (container.host_config.sysctls or {}).get(IGNORE) == "1"
