"""Page variables that bring a plugin of volumes back, or remove its record."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.plugins import SOCKETS, LegacyPlugin, LegacyPlugins
from diagnose.mappings import names_of, present
from diagnose.model import PageVariables

_MOUNTED = ("/run/docker", "/var/run/docker", SOCKETS, f"/var{SOCKETS}")
"""Folders of the host that a plugin in a container mounts to leave its socket there."""


def plugin_steps(
    plugin: LegacyPlugin,
    plugins: LegacyPlugins,
    users: list[Container],
    containers: Containers | None,
) -> PageVariables:
    """The page variables of a plugin that is gone: one that nobody uses may be removed."""
    variables = {"plugin": plugin.name, "socket": plugin.socket}
    if users or containers is None:
        return variables
    if plugin.name in plugins.in_memory:
        return variables | {"remembered": plugin.file or plugin.socket}
    return variables | {"leftover": plugin.file}


def provider_of(
    plugin: LegacyPlugin, refused: list[Container], containers: Containers | None
) -> PageVariables:
    """The stopped container that was given the plugin's folder, if there is one.

    The containers that were refused can start after it; without it they would wait again.
    """
    places = (*_MOUNTED, f"{SOCKETS}/{plugin.name}", f"/var{SOCKETS}/{plugin.name}")
    for container in containers or ():
        sources = {mount.source.rstrip("/") for mount in container.mounts}
        if not container.is_running and sources & set(places):
            names = "\n".join(names_of(refused))
            return {"provider": container.name} | present({"refused": names})
    return {}
