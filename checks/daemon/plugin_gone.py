"""Legacy plugins that the engine waits for."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log import NO_LOG, DaemonLog
from diagnose.evidence.engine.plugins import MISSING, LegacyPlugin, LegacyPlugins
from diagnose.first_steps.engine.plugin_steps import plugin_steps, provider_of
from diagnose.mappings import names_of
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity, Skipped
from diagnose.phrases import named, sentence, shortened
from diagnose.registry import check

WAITS = "Unable to connect to plugin"
"""The engine's words at each try but the last (20.10 and 28.5)."""


@check("daemon.plugin-gone", severity=Severity.warning, causes=["container.start-refused"])
def plugin_gone(
    plugins: LegacyPlugins, daemon: Daemon, containers: Containers | None, log: DaemonLog | None
) -> CheckResult:
    """A plugin of the engine does not run, and the engine waits for it.

    The engine waits 15 s for such a plugin at each list of volumes, for each `docker run` with a
    new volume (20.10: also one without a name), and at its own start if it knows a volume of the
    plugin. At the start of a container with such a volume it waits three times as long. Seen on
    20.10 and 28.5, where `docker system df` does not wait. It is critical where the engine has
    refused a container for it. A program that listens and never answers is not seen.
    """
    if daemon.is_podman:
        return Skipped("Podman has no legacy plugins")
    for plugin in plugins.gone:
        users = _users(plugin, containers)
        refused = [
            user for user in users if not user.is_running and plugin.socket in user.state.error
        ]
        yield Finding(
            subject=DAEMON,
            summary=sentence(
                f'the program of plugin "{plugin.name}" is gone: {_loss_clause(plugin)}',
                _waiting_clause(plugin, plugins, users),
                _harm_to_users(users, refused),
            ),
            evidence=_evidence(plugin, users, NO_LOG if log is None else log),
            variables=plugin_steps(plugin, plugins, users, containers)
            | provider_of(plugin, refused, containers),
            discriminator=plugin.name,
            severity=Severity.critical if refused else Severity.warning,
            touches=tuple(
                user.subject for user in users if user in refused or not user.state.error
            ),
        )


def _users(plugin: LegacyPlugin, containers: Containers | None) -> list[Container]:
    """The containers with a volume of this plugin."""
    mounts = ((mount, container) for container in containers or () for mount in container.mounts)
    users = {user.id: user for mount, user in mounts if mount.driver == plugin.name}
    return list(users.values())


def _loss_clause(plugin: LegacyPlugin) -> str:
    file_clause = f", which {plugin.file} names" if plugin.is_spec else ""
    if plugin.failure == MISSING:
        comma = "," if file_clause else ""
        return f"its socket {plugin.socket}{file_clause}{comma} does not exist"
    return f"nothing listens at {plugin.socket}{file_clause}"


def _waiting_clause(plugin: LegacyPlugin, plugins: LegacyPlugins, users: list[Container]) -> str:
    if plugins.is_for_networks(plugin):
        return "what the engine does with its networks waits 15 s"
    if users:
        return "each `docker volume ls` and each start of the engine waits 15 s"
    return "each `docker volume ls` waits 15 s"


def _harm_to_users(users: list[Container], refused: list[Container]) -> str:
    if refused:
        return f"{named('container', names_of(refused))} did not start"
    if users:
        return f"{named('container', names_of(users))} cannot be started again"
    return ""


def _evidence(plugin: LegacyPlugin, users: list[Container], log: DaemonLog) -> dict[str, Json]:
    """The failed connection, the file that names the plugin, and the containers that wait for it,
    as evidence."""
    evidence: dict[str, Json] = {f"connect {plugin.socket}": plugin.failure}
    if plugin.is_spec:
        evidence["spec"] = plugin.file
    if not plugin.file:
        evidence["/info Plugins.Volume"] = f"{plugin.name}, although no file names this plugin"
    waits = [line for line in log if plugin.socket in line.text and WAITS in line.message]
    for line in waits[-1:]:
        evidence[log.where(line)] = shortened(line.text)
    if users:
        evidence["containers with its volumes"] = names_of(users)
    return evidence
