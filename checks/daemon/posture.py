"""The engine's age, its doors and its clock."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig, key_of
from diagnose.evidence.engine.daemon import Daemon, Unit
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.socket_clients import TOO_OLD, SocketClients, TurnedAway
from diagnose.evidence.images.builds import repository_of
from diagnose.evidence.images.listing import tag_of
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of
from diagnose.model import (
    DAEMON,
    HOST,
    CheckResult,
    Finding,
    PageVariables,
    Seconds,
    Severity,
    Skipped,
)
from diagnose.phrases import count, counted, duration
from diagnose.registry import check

MAINTAINED = frozenset({25, 28, 29})
"""Lines of the upstream engine that still get fixes; 25 is kept by one of its vendors."""

DISTRIBUTION = LazyPattern(
    r"\+dfsg|\+ds|[-~+]\d*(ubuntu|deb)|\.el\d|\.fc\d|-ce|\+azure|\+amzn|\.amzn"
)
"""What the version of a distribution's build carries: its fixes do not show in the number."""


@check("daemon.engine-outdated", severity=Severity.advice, posture=True)
def engine_outdated(daemon: Daemon, ping: Ping, info: Info | None) -> CheckResult:
    """The running engine gets no more fixes, or is older than the installed one.

    It is an upstream engine of a release line that has ended; a distribution's build has its own
    calendar, and its number is not judged. Or it is any engine whose program file was replaced
    after its start: an upgrade that waits for a restart.
    """
    if ping.is_podman:
        return Skipped("Podman answers here")
    version = (info.server_version if info is not None else "") or ping.engine_version
    process = daemon.processes.engine
    program = (process.exe if process is not None else "") or ""
    if process is not None and program.endswith(" (deleted)"):
        yield Finding(
            subject=DAEMON,
            summary=f"the running engine {version} was replaced on disk, but was not restarted",
            evidence={f"/proc/{process.pid}/exe": program, "running": version},
            variables={"program": program.removesuffix(" (deleted)")},
            discriminator="replaced",
        )
    major = ping.version[0]
    has_ended = 0 < major < max(MAINTAINED) and major not in MAINTAINED
    if has_ended and not DISTRIBUTION.search(version):
        yield Finding(
            subject=DAEMON,
            summary=f"engine {version}: the {_line(ping.version)} line gets no more fixes",
            evidence={
                "GET /version": version,
                "lines with fixes": ", ".join(map(str, sorted(MAINTAINED))),
            },
            variables={"program": "/usr/bin/dockerd"},
            discriminator="ended",
        )
    return None


def _line(version: tuple[int, ...]) -> str:
    return f"{version[0]}.{version[1]}" if len(version) > 1 and version[0] < 23 else str(version[0])


@check("daemon.client-api-too-old", severity=Severity.warning)
def client_api_too_old(
    clients: SocketClients, log: DaemonLog | None, options: Options, clock: Clock
) -> CheckResult:
    """The engine refuses a client because its API version is too old.

    By the logs of running containers that hold the engine's socket, which repeat the engine's
    answer. The engine itself logs it only while it debugs (seen on 20.10, 26.1 and 28.5); then
    clients that are no containers are reported too. The engine's least version rose to 1.24 with
    25.0 and to 1.44 with 29.0 (29.7.2 begins at 1.40): older proxies and dashboards break there.
    """
    for client in clients.turned_away:
        requirement = f"this engine requires at least {client.least}"
        finding = Finding.about(
            client.container,
            f"{client.container} speaks API {client.client} and is turned away: {requirement}",
            {"last such line of its log": client.line},
            touches=(DAEMON,),
            name=client.container.name,
            least=client.least,
        )
        yield finding.with_variables(_newer_client(client))
    if clients.turned_away or log is None:
        return None
    refusals = [
        (line, match)
        for line in log.since(clock.wall - options.since_s)
        if (match := TOO_OLD.search(line.text))
    ]
    if refusals:
        last, match = refusals[-1]
        holders = names_of(clients.holders)
        yield Finding(
            subject=DAEMON,
            summary=(
                f"a client of API {match['client']} is turned away: "
                f"this engine requires at least {match['least']}"
            ),
            evidence={
                **log.evidence(last),
                "times": len(refusals),
                "containers with the socket": holders or "none",
            },
            variables={"least": match["least"]} | ({"name": holders[0]} if holders else {}),
        )
    return None


def _newer_client(client: TurnedAway) -> PageVariables:
    """What puts a client in its place that the engine accepts, as variables of the page.

    Traefik asks for API 1.24 until it negotiates; Watchtower asks for the version of its variable.
    """
    image = client.container.config.image
    repository, tag = repository_of(image), tag_of(image) or ""
    if repository == "docker.io/library/traefik":
        is_of_two = tag.lstrip("v").startswith("2")
        return {"newer_client": "traefik:v2.11" if is_of_two else "traefik:v3.6"}
    if repository.endswith("/watchtower"):
        return {"version_setting": f"DOCKER_API_VERSION={client.least}"}
    return {"client_image": image} if tag else {}


@check("daemon.remote-api-open", severity=Severity.warning)
def remote_api_open(config: DaemonConfig, daemon: Daemon) -> CheckResult:
    """The engine takes commands over TCP from anyone, without a client certificate.

    From the command line of the running engine and its file: `tcp://` without `tlsverify`. On a
    loopback address it is advice: every user and every container on the host's network may be root
    there. A firewall in front is not seen.
    """
    if daemon.processes.engine is None or daemon.is_podman:
        return Skipped("no process of a Docker engine is seen")
    if config.value("tlsverify") is True:
        return None
    hosts = config.value("hosts")
    for host in hosts if isinstance(hosts, list) else ():
        text = str(host)
        if text.startswith(("unix://", "fd://", "npipe://")):
            continue
        address = text.partition("://")[2] or text
        local = address.startswith(("127.", "localhost", "[::1]"))
        tls = config.value("tls") is True
        encrypted = "encrypted and without a client certificate" if tls else "without TLS"
        yield Finding(
            subject=DAEMON,
            summary=(
                f"the engine's API is open at {text}, {encrypted}: "
                "whoever reaches it is root on this host"
            ),
            evidence={
                config.where("hosts"): text,
                "tlsverify": config.value("tlsverify") or False,
                "tls": tls,
            },
            variables={"address": address, **_without_tcp(config, daemon)},
            discriminator=address,
            severity=Severity.advice if local else None,
        )
    return None


def _without_tcp(config: DaemonConfig, daemon: Daemon) -> PageVariables:
    """What the page needs to close the address: that the file has it, or a command line without."""
    if config.in_file("hosts"):
        return {"in_file": "daemon.remote-api-open"}
    program = (daemon.installation.program or "").removesuffix(" (deleted)")
    if not program:
        return {}
    words = [program]
    for flag, values in config.flags.items():
        is_address = key_of(flag) == "hosts"
        kept = [value for value in values if not (is_address and value.startswith("tcp:"))]
        words += [f"--{flag}" if value == "true" else f"--{flag}={value}" for value in kept]
    return {"command_line": shlex.join(words)}


@check("daemon.clock-skewed", severity=Severity.warning, causes=["image.registry-tls"])
def clock_skewed(
    clock: Clock, ping: Ping | None, containers: Containers | None, *, skew: Seconds = Seconds(60)
) -> CheckResult:
    """The host's clock is wrong, or was.

    Seen by containers that the engine says were created or started in the future: the clock was
    ahead then, or is behind now. An engine on another machine whose own clock (the Date of its
    answers) differs from this machine's. Containers share the host's clock, so that theirs cannot
    differ.
    """
    future = sorted(_future_times(containers, clock.wall, skew), reverse=True)
    if future:
        furthest = future[0]
        seconds = f"{furthest.ahead:.0f}"
        yield Finding(
            subject=HOST,
            summary=(
                f'container "{furthest.container}" began {duration(furthest.ahead)} in the future: '
                "the clock is behind now, or was ahead then"
            ),
            evidence={
                f"{furthest.container} {furthest.field}": f"{seconds} s in the future",
                "containers of the future": len({time.container for time in future}),
            },
            variables={"seconds": seconds},
            touches=(DAEMON,),
            signs=frozenset({"certificate-date"}),
        )
    apart = ping.date - clock.wall if ping is not None and ping.date is not None else 0.0
    if abs(apart) > skew:
        direction = "ahead of" if apart > 0 else "behind"
        yield Finding(
            subject=HOST,
            summary=f"the engine's clock is {duration(abs(apart))} {direction} this machine's",
            evidence={"Date of /_ping": f"{apart:+.0f} s against this machine"},
            variables={"seconds": f"{abs(apart):.0f}"},
            discriminator="engine",
            touches=(DAEMON,),
            signs=frozenset({"certificate-date"}),
        )
    return None


class _FutureTime(NamedTuple):
    """A time of a container that is yet to come."""

    ahead: float
    """Seconds from now."""
    container: str
    field: str


def _future_times(containers: Containers | None, now: float, skew: float) -> Iterator[_FutureTime]:
    """The times that lie more than `skew` seconds in the future."""
    for container in containers or ():
        times = {"Created": container.created_at, "State.StartedAt": container.started_at}
        for field, moment in times.items():
            if moment is not None and moment - now > skew:
                yield _FutureTime(moment - now, container.name, field)


@check("daemon.live-restore-off", severity=Severity.advice, posture=True)
def live_restore_off(info: Info, daemon: Daemon) -> CheckResult:
    """A restart of the engine stops every container, because live-restore is off.

    Swarm does not allow it, and on an engine without containers it changes nothing.
    """
    if daemon.is_podman:
        return Skipped("Podman has no daemon that could be restarted")
    if info.swarm_state != "inactive":
        return Skipped("live-restore cannot be used in a swarm")
    if info.live_restore_enabled or not info.containers_running:
        return None
    yield Finding(
        subject=DAEMON,
        summary=(
            "a restart or upgrade of the engine stops "
            f"{count(info.containers_running, 'running container')}"
        ),
        evidence={
            "GET /info LiveRestoreEnabled": False,
            "GET /info ContainersRunning": info.containers_running,
        },
    )
    return None


@check("daemon.not-enabled", severity=Severity.advice, posture=True)
def not_enabled(
    daemon: Daemon, containers: Containers, clock: Clock | None, *, late: Seconds = Seconds(300)
) -> CheckResult:
    """The engine will not start at boot: docker.service is not enabled.

    Containers with a restart policy stay down after a reboot, until somebody starts the engine.
    With docker.socket enabled the first docker command starts it, and until then they stay down as
    well. A unit that requires docker.service starts it too, which is not looked at. A host where no
    container is to come back is left alone. It is a warning where that has happened: the engine has
    not run before since the boot, was started more than `late` seconds after it, and has containers
    that are older than the boot.
    """
    unit = daemon.installation.unit
    if unit is None or daemon.is_podman:
        return Skipped("no unit of systemd starts this engine")
    if not daemon.answers or unit.unit_file_state != "disabled":
        return None
    names = names_of(item for item in containers.running if item.restarts_always)
    if not names:
        return None
    down = _was_down(daemon, containers, clock, late) if clock is not None else None
    socket_unit = daemon.installation.socket_unit or Unit(unit_file_state="none")
    name = daemon.installation.unit_name
    effect = down.in_words if down is not None else _effect_of_reboot(names, socket_unit)
    yield Finding(
        subject=DAEMON,
        summary=f"{name} is not enabled: {effect}",
        evidence={
            f"{name} UnitFileState": unit.unit_file_state,
            "docker.socket UnitFileState": socket_unit.unit_file_state,
        },
        variables={"unit": name},
        severity=Severity.warning if down is not None else None,
    )
    return None


def _effect_of_reboot(names: list[str], socket_unit: Unit) -> str:
    """How long containers with a restart policy will stay down."""
    until = "it is started by hand"
    if socket_unit.unit_file_state == "enabled":
        until = "the first docker command starts the engine"
    return f"after a reboot {counted('container', names)} will stay down until {until}"


class _Down(msgspec.Struct, frozen=True):
    """How long containers of an engine that is not enabled were down after the boot."""

    names: list[str]
    seconds: float

    @property
    def in_words(self) -> str:
        return (
            f"after the last boot {counted('container', self.names)} stayed down for "
            f"{duration(self.seconds)}, until something started the engine"
        )


def _was_down(daemon: Daemon, containers: Containers, clock: Clock, late: float) -> _Down | None:
    """The containers that the boot did not bring back; None where it is not known to be so."""
    unit, age = daemon.installation.known_unit, daemon.processes.age
    is_first_start = unit.active_enter_timestamp and not unit.inactive_enter_timestamp
    if age is None or not clock.booted or not is_first_start:
        return None
    seconds = clock.wall - age - clock.booted
    names = [
        container.name
        for container in containers.running
        if container.restarts_always and (container.created_at or clock.wall) < clock.booted
    ]
    return _Down(names, seconds) if names and seconds > late else None


@check("daemon.debug-on", severity=Severity.advice, posture=True)
def debug_on(info: Info, daemon: Daemon) -> CheckResult:
    """The engine runs in debug mode: it logs every request.

    Seen on 20.10, 26.1 and 28.5: two lines for each API request, with its body, environment
    variables included.
    """
    if daemon.is_podman:
        return Skipped("Podman's debug mode belongs to each command")
    if info.debug:
        yield Finding(
            subject=DAEMON,
            summary="the engine runs in debug mode and logs every API request",
            evidence={"GET /info Debug": True},
            variables={"path": "/etc/docker/daemon.json"},
        )
    return None
