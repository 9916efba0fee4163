"""Mounted files of settings that a program does not read: it has the image's own instead.

The file is in a folder that is mounted at another path than the one where the program looks.
"""

import posixpath
from collections.abc import Collection, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.items import ByContainer
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, paired
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.registry import evidence

_OF_COMMAND = LazyPattern(
    r"(?:-[\w.-]{1,60}=)?(?P<path>/[\w./-]{1,250}\.(?:conf"
    r"|cfg|ini|ya?ml|toml|json|cnf|xml|properties|hcl))"
)
"""A word of a command that names a file of settings."""
_FOLDER = LazyPattern(r"/etc/|/usr/local/|/(?:[\w.-]+/)*conf(?:ig)?(?:/|$)")
"""Folders in which images look for settings, and not for code."""
_SHARED_FOLDERS = frozenset(
    {"/", "/etc", "/home", "/lib", "/opt", "/root", "/run", "/srv", "/usr", "/usr/etc"}
    | {"/usr/lib", "/usr/local", "/usr/local/bin", "/usr/local/etc", "/usr/local/lib"}
    | {"/usr/local/share", "/usr/share", "/var", "/var/lib"}
)
"""Folders in which an image keeps more than one program's files."""


class UnreadSettings(msgspec.Struct, frozen=True):
    """A mounted file of settings beside the one of the same name that the program read."""

    line: str
    """The line that shows which settings the program read."""
    path_inside: str
    """The file that was read; nothing is mounted there."""
    folder: str
    """The folder of the mounted settings in the container."""
    source: str
    """The folder on the host."""
    may_write: bool = True
    """Whether the container may change it."""

    @property
    def place(self) -> str:
        """The mount, as `--volume` takes it, that brings the settings where the program looks.

        The whole folder, but the file alone where the folder would hide what is not the program's.
        """
        options = "" if self.may_write else ":ro"
        folder, file = posixpath.split(self.path_inside)
        if folder in _SHARED_FOLDERS:
            return f"{self.source}/{file}:{self.path_inside}{options}"
        return f"{self.source}:{folder}{options}"

    @property
    def mounted(self) -> str:
        """The file on the host."""
        return f"{self.source}/{posixpath.basename(self.path_inside)}"

    @property
    def evidence(self) -> dict[str, str]:
        """Both files."""
        file = posixpath.basename(self.path_inside)
        return {
            "settings that it read": f"{self.path_inside}, the image's own",
            "settings that it did not read": f"{self.mounted}, mounted at {self.folder}/{file}",
        }


class UnreadFiles(ByContainer[UnreadSettings], frozen=True):
    """The settings that a running container with a repeated error does not read."""


class SettingsRead(msgspec.Struct, frozen=True):
    """A file of settings that a program read, and the line or command that shows it."""

    line: str
    path: str


@evidence
def unread_files(
    host: Host, containers: Containers, repeated_errors: RepeatedErrors
) -> UnreadFiles:
    """The settings files that complaining programs do not read, by their commands.

    The collector asks nothing where no command names a settings file.
    """
    complaining_ids = {error.container.id for error in repeated_errors}
    complaining = [container for container in containers.running if container.id in complaining_ids]
    reads = {
        container.id: SettingsRead(" ".join(container.config.words), path)
        for container, path in paired(complaining, _file_of_command)
    }
    found = unread_settings(host, tuple(containers.running), reads)
    settings = {id: unread for id, unread in found.items() if _FOLDER.match(unread.folder)}
    return UnreadFiles(settings)


def _file_of_command(container: Container) -> str:
    """The one file of settings that the command names, where nothing is mounted; "" for none."""
    matches = [_OF_COMMAND.fullmatch(word) for word in container.config.words[1:]]
    paths = {match["path"] for match in matches if match is not None}
    path = only(paths) or ""
    return path if path and named_path(container, f"'{path}'") is None else ""


def unread_settings(
    host: Host, containers: Collection[Container], reads: Mapping[str, SettingsRead]
) -> dict[str, UnreadSettings]:
    """The only mounted folder with a file of the same name, by container; one question for all.

    reads: by container id.
    """
    candidates = {
        container.id: _candidates(container, reads[container.id])
        for container in containers
        if container.id in reads
    }
    paths = sorted(
        {_file_of_same_name(settings) for items in candidates.values() for settings in items}
    )
    statuses = path_statuses(host, paths, follow=True)
    files = {path for path, status in statuses.items() if status.type == "file"}
    unread = {}
    for id, items in candidates.items():
        holder = only([settings for settings in items if _file_of_same_name(settings) in files])
        if holder is not None:
            unread[id] = holder
    return unread


def _candidates(container: Container, read: SettingsRead) -> list[UnreadSettings]:
    """The mounted folders that may hold the file; whether they do is not looked at."""
    return [
        UnreadSettings(read.line, read.path, mount.destination, mount.source, mount.rw)
        for mount in container.bind_mounts
        if mount.has_host_path
    ]


def _file_of_same_name(settings: UnreadSettings) -> str:
    """The file of the same name in the mounted folder."""
    return f"{settings.source}/{posixpath.basename(settings.path_inside)}"
