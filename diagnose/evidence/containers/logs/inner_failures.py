"""Programs inside running containers that have failed, as the logs of their keepers say.

A container is `running` as long as its first process is. Where that one is a supervisor, a child
that it has given up leaves no other trace; and a server may run on while it refuses its work. Logs
are read of those containers alone that run such a program, by the names of their processes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unexamined
from diagnose.programs.log_message import message, plain
from diagnose.programs.telling_line import telling_line
from diagnose.questions import Host
from diagnose.questions.containers import ContainerLog, ReadLogs
from diagnose.registry import evidence

LINES = 200
BYTES = 48 * 1024
MOST = 40
"""Logs that are read in one run, those of the youngest containers first."""
FRESH_S = 24 * 3600.0
"""Lines that are older say nothing about today."""


class Pattern(msgspec.Struct, frozen=True):
    """One way in which a program inside a running container fails."""

    name: str
    commands: frozenset[str]
    """Names of processes, of which the container has one."""
    failed: LazyPattern
    """The line; its group `program` names what failed, and a group `detail` how."""
    over: str
    """What a later line says once that is over, with `{program}` for its name.

    A reload of HAProxy checks all servers again.
    """
    cause: str
    """A sentence behind the container's name, with `{program}` and `{detail}`."""
    noise: LazyPattern = LazyPattern(r"(?!)")
    """Lines of the keeper itself, which do not explain the failure."""
    lasts: bool = False
    """Whether it lasts until a restart, so that a line of any age counts."""
    is_of_address: bool = False
    """Whether `program` is an address: only those of private networks count, and one stands for
    all."""
    why: LazyPattern = LazyPattern(r"(?!)")
    """A line above, which explains the failure although its program calls it information."""

    @property
    def is_of_each_program(self) -> bool:
        """Whether each program that fails is a failure of its own."""
        return "{program}" in self.cause and not self.is_of_address


PATTERNS = (
    Pattern(
        "supervisord",
        frozenset({"supervisord"}),
        LazyPattern(r"gave up: (?P<program>\S+) entered FATAL state"),
        r"(?:success: {program} entered RUNNING|spawned: '{program}') ",
        'supervisord has given up program "{program}"',
        LazyPattern(
            r"\b(?:INFO|CRIT|WARN)\s+(?:spawned|spawnerr|exited|success|gave up|supervisord|Supervisor"
            r"|Included|RPC|Set uid|Server|reaped)"
        ),
    ),
    Pattern(
        "s6",
        frozenset({"s6-svscan", "s6-rc"}),
        LazyPattern(r"s6-rc: warning: unable to start service (?P<program>[^\s:]+)"),
        r"s6-rc: info: service {program} successfully started",
        's6 could not start service "{program}"',
        LazyPattern(r"^s6-"),
    ),
    Pattern(
        "s6-run",
        frozenset({"s6-svscan", "s6-supervise"}),
        LazyPattern(
            r"s6-supervise (?P<program>(?!s6-)[\w.@-]{1,80}): (?:warning|fatal): unable to (?:spawn|exec) \S*run\b"
        ),
        r"s6-rc: info: service {program} successfully started",
        's6 cannot start service "{program}" and tries again and again',
        LazyPattern(r"^s6-supervise \S+: warning|^\["),
    ),
    Pattern(
        "pm2",
        frozenset({"PM2", "pm2", "pm2-runtime"}),
        LazyPattern(r"PM2\b.{0,40}Script (?P<program>\S+) had too many unstable restarts"),
        r"PM2\b.{{0,40}}App \[[^\]]*\] online",
        'PM2 has given up script "{program}"',
        LazyPattern(r"\bPM2\b"),
    ),
    Pattern(
        "redis",
        frozenset({"redis-server", "valkey-server", "keydb-server"}),
        LazyPattern(
            r"(?P<program>Failed opening the (?:temp )?RDB file|Write error (?:while )?saving DB"
            r"|Background saving error)"
        ),
        r"Background saving terminated with success|DB saved on disk|RDB: \d+ MB of memory",
        "Redis cannot save its data to disk, and refuses writes by default (MISCONF)",
        LazyPattern(r"Background saving error|Background saving started|\. Saving\.\.\."),
    ),
    Pattern(
        "rabbitmq",
        frozenset({"beam.smp", "rabbitmq-server"}),
        LazyPattern(r"(?P<program>disk|memory) resource limit alarm set on node"),
        "{program} resource limit alarm cleared on node",
        "RabbitMQ blocks those who send it messages: its {program} alarm was set",
        lasts=True,
        why=LazyPattern(r"Free disk space is insufficient|vm_memory_high_watermark set"),
    ),
    Pattern(
        "mongo-member",
        frozenset({"mongod"}),
        LazyPattern(r"(?P<program>This node is not a member of the config)"),
        r'Transition to primary complete|"newState":"(?:PRIMARY|SECONDARY)"',
        "MongoDB takes no writes: its replica set knows it under another host name",
        lasts=True,
        why=LazyPattern(r"No host described in new configuration"),
    ),
    Pattern(
        "portainer",
        frozenset({"portainer"}),
        LazyPattern(r"(?P<program>instance timed out for security purposes)"),
        "starting HTTPS? server",
        "Portainer serves nothing until it is restarted: "
        "nobody made its administrator within five minutes of its start",
        LazyPattern(r"instance timed out for security purposes"),
        lasts=True,
    ),
    Pattern(
        "servarr",
        frozenset({"Lidarr", "Prowlarr", "Radarr", "Readarr", "Sonarr", "Whisparr"}),
        LazyPattern(r"(?P<program>Non-recoverable failure, waiting for user intervention)"),
        "Now listening on:",
        "its program has failed at its start, waits for a key at a terminal, and serves nothing",
        LazyPattern(r"Non-recoverable failure|Press enter to exit"),
        lasts=True,
    ),
    Pattern(
        "wireguard",
        frozenset({"s6-svscan"}),
        LazyPattern(r"\*{4} Tunnel (?P<program>\S{1,200}) failed, will stop all others"),
        r"\*{{4}} (?:Activating tunnel {program}|All tunnels are now active)",
        'its WireGuard tunnel "{program}" could not be set up, and it runs on without any',
        LazyPattern(r"^\*{4} |^\[#\] "),
        lasts=True,
    ),
    Pattern(
        "dns-local",
        frozenset({"dnsmasq", "pihole-FTL"}),
        LazyPattern(r"ignoring query from non-local network (?P<program>[\d.:a-f]+)"),
        "",
        "its DNS server ignores all clients that are not on the container's own network, "
        "such as {program}",
        LazyPattern(r"ignoring query from non-local network"),
        lasts=True,
        is_of_address=True,
    ),
    Pattern(
        "haproxy",
        frozenset({"haproxy"}),
        # with 503 a server says itself that it is not to be called: a stand-by, Patroni's replicas
        LazyPattern(
            r"Server (?P<program>[^\s/]{1,200})/\S{1,200} is DOWN, reason: "
            r"(?!Layer7 wrong status, code: 503\b)(?P<detail>Layer[67] [^,.]{0,200}(?:, code: \d{1,3})?)"
            r".{0,300} 0 active and 0 backup servers left"
        ),
        r"Server {program}/\S+ is UP|\bLoading success\b|\bNew worker \S*.{{0,20}}\bforked\b",
        'HAProxy answers 503 for backend "{program}": its own check of the last server there failed '
        "({detail})",
        LazyPattern(r"Server \S+ is DOWN|has no server available"),
        lasts=True,
    ),
    Pattern(
        "java-memory",
        frozenset({"java"}),
        LazyPattern(
            r"Exception in thread \"(?P<program>[^\"]+)\" java\.lang\.OutOfMemoryError"
            r"|OutOfMemoryError thrown from the UncaughtExceptionHandler in thread"
        ),
        "",
        'Java ran out of heap, and thread "{program}" ended while the container runs on',
    ),
)
"""Their words are the programs' own: supervisor/process.py, s6-rc, pm2, rdb.c of Redis,
rabbit_alarm.erl of RabbitMQ, MongoDB, dnsmasq, check.c of HAProxy, adminmonitor of Portainer,
ConsoleApp of Servarr, svc-wireguard of linuxserver/wireguard, and the JDK's ThreadGroup."""


class InnerFailure(msgspec.Struct, frozen=True):
    """A program inside a running container that has failed and is not back."""

    container: Container
    name: str
    """The name of the pattern that found the failure."""
    program: str
    cause: str
    line: str
    at: float | None
    """Unix time of the line, None if it has none."""
    reason: str
    """The line that explains it, "" where no line does."""


class InnerFailures(Items[InnerFailure], frozen=True):
    """The first of each kind and program per container."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def inner_failures(
    host: Host, containers: Containers, processes: Processes, clock: Clock
) -> InnerFailures:
    """One log for each running container with such a program; most hosts have few."""
    commands = {
        container.id: _own_words(container)
        | {_command(process.comm) for process in processes.inside(container.id)}
        for container in containers.running
    }
    wanted = [
        container
        for container in containers.running
        if any(pattern.commands & commands[container.id] for pattern in PATTERNS)
    ]
    wanted.sort(key=lambda container: container.started_at or 0.0, reverse=True)
    items: list[InnerFailure] = []
    unexamined: list[Unexamined] = []
    logs = host.ask_about(wanted[:MOST], lambda container: ReadLogs(container.id, LINES, BYTES))
    for container, log in logs:
        if not isinstance(log, Failed):
            words = commands[container.id]
            since = 0.0 if _may_last(words) else clock.wall - FRESH_S
            items += in_lines(container, words, _of_this_run(log, container, since))
        elif log.reason != "gone":
            unexamined.append(Unexamined(container.subject, f"its log: {log}"))
    items.sort(key=lambda item: (item.container.name, item.name, item.program))
    unexamined += [
        Unexamined(container.subject, "its log was not read: too many have such a program")
        for container in wanted[MOST:]
    ]
    return InnerFailures(tuple(items), tuple(unexamined))


def _may_last(commands: set[str]) -> bool:
    """Whether one of these programs writes of a failure once, and the failure lasts."""
    return any(pattern.lasts and pattern.commands & commands for pattern in PATTERNS)


def _own_words(container: Container) -> set[str]:
    """The names of programs and Python modules in its command."""
    return {re.split(r"[/.]", word)[-1] for word in container.command}


def _command(comm: str) -> str:
    """The name of a process without the title that PM2 and others write behind it."""
    return comm.partition(" ")[0]


def _of_this_run(
    log: ContainerLog, container: Container, since: float
) -> list[tuple[float | None, str]]:
    """Time and text of the lines since the container's start, and since this Unix time."""
    return [
        (line.at, plain(line.text))
        for line in log.lines
        if line.at is None or (line.at >= since and container.wrote_in_this_run(line.at))
    ]


def in_lines(
    container: Container, commands: set[str], lines: Sequence[tuple[float | None, str]]
) -> list[InnerFailure]:
    """The failures that these lines of one container show, and that no later line takes back."""
    texts = [text for _, text in lines]
    inner_failures = []
    for pattern in PATTERNS:
        if not pattern.commands & commands:
            continue
        for sign in _first_signs(pattern, texts):
            if not _is_over(pattern, sign.program, texts[sign.index + 1 :]):
                at, line = lines[sign.index]
                cause = pattern.cause.format(program=sign.program, detail=sign.detail)
                failure = InnerFailure(
                    container,
                    name=pattern.name,
                    program="" if pattern.is_of_address else sign.program,
                    cause=cause,
                    line=line,
                    at=at,
                    reason=_reason(pattern, sign, texts),
                )
                inner_failures.append(failure)
    return inner_failures


class _Sign(msgspec.Struct, frozen=True):
    """A line that mentions a program's failure."""

    index: int
    program: str
    detail: str


def _first_signs(pattern: Pattern, texts: Sequence[str]) -> Iterable[_Sign]:
    """The first line of each failure that a pattern finds."""
    signs: dict[str, _Sign] = {}
    for index, text in enumerate(texts):
        match = pattern.failed.search(text)
        if match is None or (pattern.is_of_address and _is_of_internet(match["program"])):
            continue
        program = match["program"] or ""
        detail = match.groupdict().get("detail") or ""
        which = program if pattern.is_of_each_program else ""
        signs.setdefault(which, _Sign(index, program, detail))
    return signs.values()


def _is_of_internet(address: str) -> bool:
    """Whether an address is a stranger's, whom a server does well to ignore."""
    try:
        return ipaddress.ip_address(address.rstrip(".:")).is_global
    except ValueError:
        return False


def _is_over(pattern: Pattern, program: str, after: Sequence[str]) -> bool:
    if not pattern.over:
        return False
    over = re.compile(pattern.over.format(program=re.escape(program)))
    last_over = max((at for at, line in enumerate(after) if over.search(line)), default=-1)
    failed_again = (
        at
        for at, line in enumerate(after)
        if (match := pattern.failed.search(line)) and (match["program"] or "") == program
    )
    return last_over > max(failed_again, default=-1)


def _reason(pattern: Pattern, sign: _Sign, texts: Sequence[str]) -> str:
    """The line that explains a failure, "" where no line does."""
    own = [text for text in texts[: sign.index + 1] if not pattern.noise.search(text)]
    for text in reversed(own):
        if pattern.why.search(text) and (why := message(text).text):
            return why
    telling = telling_line(own)
    if telling is not None and telling.explains:
        return telling.whole
    return _keepers_reason(sign.program, texts[: sign.index])


def _keepers_reason(program: str, before: Sequence[str]) -> str:
    """What the keeper says of the program's end, where the program itself said nothing.

    supervisord names the command that it cannot find, and not its program: the line that holds the
    name counts first.
    """
    ends = [line for line in reversed(before) if "spawnerr: " in line or "exit" in line]
    own = [line for line in ends if program and program in line]
    return next(iter(own or ends), "")
