"""Does an engine live that serves the socket?"""

from checks.daemon.engine_end import engine_down
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data.data_root_candidates import UnmountedRoot
from diagnose.evidence.engine.installed.engine_upgrades import ChangesWhileDown
from diagnose.evidence.engine.installed.installation import TRACES
from diagnose.evidence.engine.rootless_engines import RootlessEngine, RootlessEngines
from diagnose.evidence.engine.starting.engine_end import EngineEnd
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Unavailable
from diagnose.phrases import count
from diagnose.registry import check


@check(
    "daemon.not-running",
    severity=Severity.critical,
    caused_by=[
        "daemon.config-invalid",
        "daemon.config-flag-conflict",
        "daemon.storage-driver-failed",
        "daemon.bridge-init-failed",
        "daemon.stale-pidfile",
        "daemon.containerd-config-invalid",
        "daemon.unit-invalid",
        "daemon.containerd-down",
        "daemon.containerd-hung",
        "daemon.start-limit-hit",
        "daemon.database-damaged",
        "daemon.database-locked",
        "storage.disk-full",
        "storage.inodes-exhausted",
        "storage.read-only",
        "resources.host-oom",
    ],
    observed=True,
)
def not_running(
    daemon: Daemon,
    end: EngineEnd,
    unmounted: UnmountedRoot | None,
    rootless: RootlessEngines | None,
    changes: ChangesWhileDown | None,
) -> CheckResult:
    """No Docker engine serves its socket.

    The verdict is unknown where the user named an address that was never a socket here, where an
    engine serves another socket, and on a host with only Podman whose socket is not served. In the
    first minute of a start it is a warning. Containers that are still alive are named by their
    shims, whatever the engine's files say. A host whose own engine has never run may have rootless
    engines of users: systemd ends them when their user logs out, unless the user lingers.
    """
    if daemon.answers:
        return None
    if daemon.is_not_an_engine and not daemon.endpoint.named:
        yield _other_program_finding(daemon)
        return None
    if not daemon.is_down:
        if daemon.is_hung or daemon.reason == "forbidden":
            return _unseen_engine(daemon)
        if _has_no_engine(daemon):
            yield _not_installed_finding(daemon)
            return None
        return _unavailable_here(daemon)
    if rootless and not _has_run(daemon, end):
        for engine in rootless:
            yield _rootless_finding(engine)
        return None
    yield engine_down(
        daemon,
        end,
        unmounted.planned if unmounted is not None else (),
        changes if changes is not None else ChangesWhileDown(),
    )


def _has_run(daemon: Daemon, end: EngineEnd) -> bool:
    """Whether the host's own engine, which has no container, has run or should start at boot."""
    is_enabled = daemon.installation.known_unit.unit_file_state == "enabled"
    return is_enabled or daemon.socket is not None or bool(end.failure_text)


def _rootless_finding(engine: RootlessEngine) -> Finding:
    user = engine.user
    number = count(engine.containers, "container")
    summary = f'the rootless engine of user "{user}" is not running, and it has {number}'
    if engine.needs_linger:
        summary = (
            f"{summary}: the user is not logged in, and lingering is off, so systemd stops the "
            "services of this user at logout and starts none at boot"
        )
    return Finding(
        subject=DAEMON,
        summary=summary,
        evidence={
            f"/var/lib/systemd/linger/{user}": "there" if engine.lingers else "missing",
            f"/run/user/{engine.uid}": "there" if engine.has_session else "missing",
            "the host's own engine": "has no socket, no container, and is not enabled",
        },
        variables={"lingering" if engine.needs_linger else "rootless": user},
        discriminator=user,
    )


def _unseen_engine(daemon: Daemon) -> Unavailable | None:
    """The reason why the process of the engine cannot be seen; None where it can."""
    if daemon.reason == "forbidden" and daemon.same_host and daemon.processes.engine is None:
        return Unavailable(
            "forbidden", "the socket is closed to this user, and no engine's process can be seen"
        )
    return None


def _unavailable_here(daemon: Daemon) -> Unavailable:
    """The reason why the silence of this address says nothing about this host's engine."""
    assert daemon.silence is not None
    reason = daemon.silence.reason
    if daemon.same_host and daemon.installation.installed is False and not daemon.endpoint.named:
        podman = (
            "Podman is installed here, but no Docker: "
            "`systemctl start podman.socket` makes its API available"
        )
        return Unavailable("missing", podman)
    endpoint = f"{daemon.endpoint.url} (from {daemon.endpoint.source})"
    if daemon.processes.others:
        other_engine = daemon.processes.others[0]
        hosts = [word for word in other_engine.cmdline or () if "://" in word]
        if not hosts and other_engine.uid:
            hosts = [f"unix:///run/user/{other_engine.uid}/docker.sock"]
        hint = f" and serves {', '.join(hosts)}: name it with -H" if hosts else ""
        return Unavailable(
            reason,
            f"nothing serves {endpoint}; an engine runs here as process {other_engine.pid}{hint}",
        )
    if not daemon.same_host:
        return Unavailable(reason, f"no engine answered at {endpoint}; {daemon.where}")
    return Unavailable(reason, f"no engine answers at {endpoint}: is that the right address?")


def _not_installed_finding(daemon: Daemon) -> Finding:
    return Finding(
        subject=DAEMON,
        summary="no Docker is installed here: no program, no unit, no data root",
        evidence={
            f"connect({daemon.endpoint.path})": "no such socket",
            "looked for": ", ".join(TRACES),
        },
        variables={"socket": daemon.endpoint.path, "log": "docker.service"},
    )


def _other_program_finding(daemon: Daemon) -> Finding:
    assert daemon.silence is not None
    socket = daemon.address
    return Finding(
        subject=DAEMON,
        summary=f"what answers at {socket} is not a working engine",
        evidence={f"GET /_ping at {socket}": daemon.silence.detail, "who listens": daemon.where},
        variables={"socket": socket, "log": "docker.service"},
    )


def _has_no_engine(daemon: Daemon) -> bool:
    """Whether nothing that could be asked is installed here, and the user named no other place."""
    installation = daemon.installation
    is_bare = installation.installed is False and not installation.has_podman
    return daemon.same_host and is_bare and not daemon.endpoint.named
