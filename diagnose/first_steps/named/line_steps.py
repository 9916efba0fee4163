"""First steps that the line of the log itself leads to, whatever the program.

A migration that the program asks for, a mounted file that it wants to replace, options that were
taken for a part of its command, a host name whose place in the settings is not known. Each is held
against the container before it is said.
"""

import posixpath
import shlex

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.peers.stray_calls import called_host
from diagnose.evidence.containers.programs.missing_programs import options_in_command
from diagnose.evidence.containers.settings.named.named_settings import NamedSetting
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Json, PageVariables
from diagnose.programs.migrations import migration_of

_OF_SETTINGS = LazyPattern(
    r"conf|/etc\b|settings|\.(?:ya?ml|toml|json|ini|cfg|env|properties|xml)$"
)
"""Mounts in which a setting is looked for, where a container has several."""
_FILE_NAME = LazyPattern(r"\.(?!d$)\w{1,12}$")
"""A name with an ending; folders of further settings end in `.d`."""
_OF_SYSTEM = LazyPattern(r"/(?:dev|proc|run|sys|var/run)?(?:/|$)")
_NGINX_FILE = "/etc/nginx/nginx.conf"
_OF_A_SITE = ("server", "upstream", "map")
"""Blocks that a file in conf.d may begin with."""
_SHORTEST = 2
"""Characters of a name that is worth looking for."""


def line_evidence(container: Container, tail: LogTail) -> dict[str, Json]:
    """The part of the container that the line complains of, as evidence: a mounted file, or
    options in its command."""
    evidence: dict[str, Json] = {}
    if mount := _replaced_file(container, tail):
        evidence["mounted as a single file"] = str(mount)
    if options := options_in_command(container, tail):
        evidence["options of docker run behind the image's name"] = shlex.join(options)
    return evidence


def line_variables(
    container: Container, tail: LogTail, setting: NamedSetting | None
) -> PageVariables:
    """The variables of a page about a program that has ended."""
    if mount := _replaced_file(container, tail):
        if container.host_config.readonly_rootfs:
            return {}  # the file cannot be copied into it either
        inside = f"{container.name}:{mount.destination}"
        return {"held": mount.destination, "held_source": mount.source, "held_target": inside}
    if site := _site_mount(container, tail):
        return {"site": _NGINX_FILE, "site_mount": site}
    if options_in_command(container, tail):
        return {"misplaced": container.name}
    if migration := migration_of(tail.failure, tail.lines):
        network = container.host_config.network_mode
        return {
            "migration": migration,
            "migrated": container.name,
            "migrated_network": "bridge" if network in ("", "default") else network,
            "migrated_image": container.config.image,
        }
    return {} if setting is not None else _host_name_variables(container, tail)


def _replaced_file(container: Container, tail: LogTail) -> Mount | None:
    """The mount of the file that the program wants to replace, where it is a mount of its own."""
    failure = tail.failure_named("mounted-file-replaced")
    if failure is None:
        return None
    file = failure.values.get("file", "")
    below = [mount for mount in container.mounts if mount.destination.endswith(f"/{file}")]
    mount = container.mount_at(file) if file.startswith("/") else only(below)
    return mount if mount is not None and mount.has_host_path else None


def _site_mount(container: Container, tail: LogTail) -> str:
    """The mount of nginx's main file at the place of a site, where the file contains only a site.
    "" elsewhere."""
    failure = tail.failure_named("nginx-block")
    if failure is None or failure.values.get("path") != _NGINX_FILE:
        return ""
    mount = container.mount_at(_NGINX_FILE)
    is_of_a_site = failure.values.get("block") in _OF_A_SITE
    if mount is None or mount.type != "bind" or not is_of_a_site:
        return ""
    return f"{mount.source}:/etc/nginx/conf.d/{posixpath.basename(mount.source)}"


def _host_name_variables(container: Container, tail: LogTail) -> PageVariables:
    """The page variables with a host name of the line, and with the mount whose files may contain
    it."""
    name = called_host(tail.failure) if tail.failure is not None else ""
    places = _setting_mounts(container)
    is_name = len(name) >= _SHORTEST and not name.replace(".", "").isdigit()
    if not is_name or len(places) != 1:
        return {}
    return {"sought": name, "sought_in": places[0].source}


def settings_folder(container: Container) -> str:
    """The only mount from the host that may have its settings; "" where none or several may."""
    mount = only(_setting_mounts(container))
    return mount.source if mount is not None else ""


def shown_settings(container: Container) -> PageVariables:
    """The page variables that show the only mount which looks like settings."""
    mount = only(_likely_mounts(container))
    if mount is None:
        return {}
    if _FILE_NAME.search(mount.destination):
        return {"setting_file": mount.source, "setting_line": "0"}
    return {"setting_folder": mount.source}


def _setting_mounts(container: Container) -> list[Mount]:
    """The mounts that look like settings; all that may hold any where none does."""
    return _likely_mounts(container) or _own_mounts(container)


def _likely_mounts(container: Container) -> list[Mount]:
    return [
        mount
        for mount in _own_mounts(container)
        if _OF_SETTINGS.search(f"{mount.source} {mount.destination}")
    ]


def _own_mounts(container: Container) -> list[Mount]:
    return [mount for mount in container.bind_mounts if not is_of_system(mount.source)]


def is_of_system(path: str) -> bool:
    """Whether a path of the host is / or belongs to the kernel, with files that never end."""
    return _OF_SYSTEM.match(path) is not None
