"""Collectors of logs whose settings name files that their container does not have.

A collector waits for a file that may come, and logs nothing: Promtail, Filebeat, Fluent Bit,
Fluentd and CrowdSec.
"""

import fnmatch
import posixpath
from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_settings import SETTINGS_FILE, mounted_settings
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_parts import OTHER_SOURCE
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

MOST = 6
"""Collectors whose files are read."""
_MOST_PATHS = 12
_MOST_FOLDERS = 8
"""Folders of one pattern that are listed."""
_COLLECTS = LazyPattern(
    r"(?i)(?:^|[/_-])(?:promtail|filebeat|fluent-?bit|fluentd|crowdsec)(?:[:@_-]|$)"
)
_FOLDER = LazyPattern(r"^/(?:etc|mnt/config|fluent-bit|fluentd|usr/share/filebeat|config)(?:/|$)")
_WILD = frozenset("*?[")
_UNKNOWN_SIGNS = frozenset("{}$%\\")
"""Signs of a pattern with choices, a variable or a date, which are not worked out."""


class AbsentLogs(msgspec.Struct, frozen=True):
    """A collector that has none of the files that it should read."""

    container: Container
    paths: tuple[str, ...]
    """The paths and patterns, as its settings have them."""
    path: str
    """The first file of settings, on the host."""


class AbsentLogsList(Items[AbsentLogs], frozen=True):
    """In the order of the containers."""


@evidence
def absent_logs(host: Host, containers: Containers) -> AbsentLogsList:
    """The running collectors without a file to read, by their settings and their folders.

    The folders are listed as the container sees them. A collector with another source, such as the
    engine, the journal or a port, is left out.
    """
    collectors = [
        container
        for container in containers.running
        if _COLLECTS.search(container.config.image) and container.state.pid
    ]
    collectors_without: list[AbsentLogs] = []
    for container in host.first(collectors, MOST, "collectors of logs"):
        read = list(
            mounted_settings(
                host, container, "log paths", SETTINGS_FILE, _FOLDER, with_volumes=True
            )
        )
        paths = list(dict.fromkeys(line for part in read for line in part.text.splitlines()))
        is_told = bool(paths) and OTHER_SOURCE not in paths and len(paths) <= _MOST_PATHS
        if is_told and not any(_has_file(host, container, path) for path in paths):
            settings = next(part.path for part in read if part.text)
            collectors_without.append(AbsentLogs(container, tuple(paths), settings))
    return AbsentLogsList(tuple(collectors_without))


def _has_file(host: Host, container: Container, pattern: str) -> bool:
    """Whether a file of the container fits a pattern; True where that is not known."""
    if not _UNKNOWN_SIGNS.isdisjoint(pattern):
        return True
    folders = ["/"]
    *above, last = pattern.strip("/").split("/")
    for part in above:
        if "**" in part:
            return True
        if _WILD.isdisjoint(part):
            folders = [posixpath.join(folder, part) for folder in folders]
            continue
        folders = _fitting_paths(host, container, folders, part)
    fitting = _fitting_paths(host, container, folders, last)
    return bool(fitting)


def _fitting_paths(
    host: Host, container: Container, folders: Iterable[str], part: str
) -> list[str]:
    """The paths below these folders whose name fits; a folder that cannot be read fits as it is."""
    root = f"/proc/{container.state.pid}/root"
    fitting: list[str] = []
    for folder in list(folders)[:_MOST_FOLDERS]:
        listing = host.ask(ListFolder(folder, root=root))
        if isinstance(listing, Failed):
            fitting += [] if listing.reason == "missing" else [folder]
        else:
            names = fnmatch.filter(listing.names, part)
            fitting += [posixpath.join(folder, name) for name in names]
    return fitting
