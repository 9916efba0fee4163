"""Advice about the engine: its age, its debug mode, and whether containers outlive it."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info, Ping
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.phrases import count
from diagnose.registry import check

MAINTAINED = frozenset({25, 28, 29})
"""Lines of the upstream engine that still get fixes; a vendor maintains 25."""

DISTRIBUTION = LazyPattern(
    r"\+dfsg|\+ds|[-~+]\d*(ubuntu|deb)|\.el\d|\.fc\d|-ce|\+azure|\+amzn|\.amzn"
)
"""Marks in the version of a distribution's build: the number does not show its fixes."""


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
            summary=f"engine {version} still runs, although its program on disk has been replaced",
            evidence={f"/proc/{process.pid}/exe": program, "running": version},
            variables={"program": program.removesuffix(" (deleted)")},
            discriminator="replaced",
        )
    major = ping.version[0]
    has_ended = 0 < major < max(MAINTAINED) and major not in MAINTAINED
    if has_ended and not DISTRIBUTION.search(version):
        yield Finding(
            subject=DAEMON,
            summary=f"engine {version} gets no more fixes: release line {_line(ping.version)} has ended",
            evidence={
                "GET /version": version,
                "lines with fixes": ", ".join(map(str, sorted(MAINTAINED))),
            },
            variables={"ended": version},
            discriminator="ended",
        )


def _line(version: tuple[int, ...]) -> str:
    return f"{version[0]}.{version[1]}" if len(version) > 1 and version[0] < 23 else str(version[0])


@check("daemon.live-restore-off", severity=Severity.advice, posture=True)
def live_restore_off(info: Info, daemon: Daemon, containers: Containers | None) -> CheckResult:
    """A restart of the engine stops every container, because live-restore is off.

    Swarm does not allow it, and on an engine without containers it changes nothing. Containers with
    a restart policy start again with the engine; the others are counted.
    """
    if daemon.is_podman:
        return Skipped("Podman has no daemon that could be restarted")
    if info.swarm_state != "inactive":
        return Skipped("live-restore cannot be used in a swarm")
    if info.live_restore_enabled or not info.containers_running:
        return None
    yield Finding(
        subject=DAEMON,
        summary=_effect_of_restart(info, containers),
        evidence={
            "GET /info LiveRestoreEnabled": False,
            "GET /info ContainersRunning": info.containers_running,
        },
    )


def _effect_of_restart(info: Info, containers: Containers | None) -> str:
    """The sentence about the containers that a restart of the engine stops, and those that do not
    start again."""
    interrupted = count(info.containers_running, "running container")
    if containers is None:
        return f"a restart or upgrade of the engine would stop {interrupted}"
    left_down = sum(not container.restarts_always for container in containers.running)
    if not left_down:
        return f"a restart or upgrade of the engine would interrupt {interrupted}, and start them again"
    stopped = f"a restart or upgrade of the engine would stop {interrupted}"
    if left_down == len(containers.running):
        return f"{stopped}, without a restart policy that starts them again"
    return f"{stopped}, and {left_down} of them would stay down"


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
