"""The docker command of the user: where it goes, and whether its plugins work."""

from diagnose.evidence.engine.client import BrokenPlugin, ClientSettings
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.model import DAEMON, HOST, CheckResult, Finding, PageVariables, Severity, Unavailable
from diagnose.registry import check

DEFAULT_SOCKET = "/var/run/docker.sock"
VARIABLE = "DOCKER_HOST"

_OF_DOCKER = {"compose": "docker-compose-plugin", "buildx": "docker-buildx-plugin"}
_OF_DEBIAN = {"compose": "docker-compose", "buildx": "docker-buildx"}
_OF_UBUNTU = {"compose": "docker-compose-v2", "buildx": "docker-buildx"}
"""Packages of the plugins: those of Docker's own repository, and of the distributions that build
the engine themselves."""
_RPM = ("Red Hat", "CentOS", "Rocky", "Alma", "Fedora", "Oracle", "Amazon")
"""Systems whose packages dnf installs, by a part of their name."""


@check("daemon.client-context-dead", severity=Severity.warning)
def client_context_dead(daemon: Daemon | Unavailable, client: ClientSettings) -> CheckResult:
    """The docker command goes to a place where no engine answers.

    Docker Desktop, Colima and rootless installations leave their context behind when they are
    removed. A context counts only if its address is a local socket or a port of this machine, and a
    program listens at the default socket: if the context names a remote engine that is down, the
    user meant that engine. A context that is not there, or whose file names no engine, leads
    nowhere at all.

    This tool finds a user's own engine; the docker command does so only if DOCKER_HOST or a context
    names it. That is advice, because the shell that matters may name it.
    """
    if isinstance(daemon, Unavailable):
        if client.context and client.listens and daemon.reason in ("missing", "malformed"):
            yield _nowhere_finding(client, daemon)
        return daemon
    if _has_own_engine(daemon) and not client.listens:
        yield _own_engine_finding(daemon, client)
    elif _is_dead(daemon) and client.listens:
        yield _dead_finding(daemon, client)


def _is_dead(daemon: Daemon) -> bool:
    """Whether the context in use, or DOCKER_HOST, names a place here at which nobody answers."""
    endpoint = daemon.endpoint
    is_configured = endpoint.source in ("currentContext", VARIABLE) and bool(endpoint.place)
    return is_configured and not endpoint.is_default and daemon.reason in ("missing", "refused")


def _dead_finding(daemon: Daemon, client: ClientSettings) -> Finding:
    endpoint = daemon.endpoint
    fault = "does not exist" if daemon.reason == "missing" else "has no program behind it"
    if endpoint.source == VARIABLE:
        return Finding(
            subject=DAEMON,
            summary=f'docker commands of user "{client.user}" go to {endpoint.place}, which {VARIABLE} '
            f"names and which {fault}; an engine listens at {DEFAULT_SOCKET}",
            evidence={
                f"variable {VARIABLE}": endpoint.url,
                f"connect({endpoint.place})": str(daemon.silence),
                "/proc/net/unix": f"a program listens at {DEFAULT_SOCKET}",
            },
            variables={"variable": VARIABLE, "socket": DEFAULT_SOCKET},
        )
    return Finding(
        subject=DAEMON,
        summary=(
            f'docker commands of user "{client.user}" go to context "{endpoint.context}", whose '
            f"address {endpoint.place} {fault}; an engine listens at {DEFAULT_SOCKET}"
        ),
        evidence={
            "currentContext": f"{endpoint.context} in {client.file}",
            f"connect({endpoint.place})": str(daemon.silence),
            "/proc/net/unix": f"a program listens at {DEFAULT_SOCKET}",
        },
        variables={"context": endpoint.context or "", "socket": DEFAULT_SOCKET},
    )


def _has_own_engine(daemon: Daemon) -> bool:
    """Whether the engine that answers is the caller's own, and nothing names it."""
    endpoint = daemon.endpoint
    rootless = endpoint.rootless
    is_callers = rootless is not None and rootless.uid == daemon.caller.uid
    return is_callers and not endpoint.named and daemon.answers


def _nowhere_finding(client: ClientSettings, why: Unavailable) -> Finding:
    """The finding about a user whose docker commands all fail before they call an engine."""
    fault = "does not exist" if why.reason == "missing" else "names no engine"
    return Finding(
        subject=DAEMON,
        summary=(
            f'docker commands of user "{client.user}" go to context "{client.context}", which '
            f"{fault}; an engine listens at {DEFAULT_SOCKET}"
        ),
        evidence={
            "currentContext": f"{client.context} in {client.file}",
            "context": why.detail,
            "/proc/net/unix": f"a program listens at {DEFAULT_SOCKET}",
        },
        variables={"context": client.context, "socket": DEFAULT_SOCKET},
    )


def _own_engine_finding(daemon: Daemon, client: ClientSettings) -> Finding:
    url = daemon.endpoint.url
    return Finding(
        subject=DAEMON,
        summary=(
            f'docker commands of user "{client.user}" go to {DEFAULT_SOCKET}, which no program '
            f"serves, while the user's own engine serves {url}: neither DOCKER_HOST nor a context "
            "names it"
        ),
        evidence={"GET /_ping": f"{url} answers", "/proc/net/unix": f"nobody at {DEFAULT_SOCKET}"},
        variables={"own": url},
        severity=Severity.advice,
    )


@check("daemon.client-plugin-broken", severity=Severity.warning)
def client_plugin_broken(client: ClientSettings, info: Info | None) -> CheckResult:
    """A plugin of the docker command, such as compose or buildx, cannot be run.

    It is a link whose file is gone, as after Docker Desktop was removed, or a file that may not be
    executed, as after a download by hand. A plugin that a later folder has as well counts only if
    the first file keeps the docker command from looking there.
    """
    for plugin in client.plugins:
        yield Finding(
            subject=HOST,
            summary=f'"docker {plugin.name}" does not work for user "{client.user}": {_defect_clause(plugin)}',
            evidence={plugin.path: _state(plugin)},
            variables={"plugin": plugin.name, "path": plugin.path} | _cure(plugin, info),
            discriminator=plugin.name,
        )


def _defect_clause(plugin: BrokenPlugin) -> str:
    if plugin.failure == "missing":
        return f"its plugin {plugin.path} is a link to {plugin.target}, which does not exist"
    return f"its plugin {plugin.path} is not executable"


def _state(plugin: BrokenPlugin) -> str:
    if plugin.failure == "missing":
        return f"link to {plugin.target}: no such file or directory"
    return "no x bit"


def _cure(plugin: BrokenPlugin, info: Info | None) -> PageVariables:
    """The page variables that repair this plugin."""
    if plugin.failure == "forbidden":
        return {"unexecutable": plugin.path}
    if plugin.name not in _OF_DOCKER or info is None:
        return {"dangling": plugin.path}
    if any(name in info.operating_system for name in _RPM):
        return {"link": plugin.path, "rpm": _OF_DOCKER[plugin.name]}
    version = info.server_version
    if "ubuntu" in version:
        package = _OF_UBUNTU[plugin.name]
    elif "dfsg" in version:
        package = _OF_DEBIAN[plugin.name]
    else:
        package = _OF_DOCKER[plugin.name]
    return {"link": plugin.path, "deb": package}
