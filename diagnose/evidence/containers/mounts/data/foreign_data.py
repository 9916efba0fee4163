"""Data of failed containers that another program, or another version, has written.

The log of the program often does not show that: "drive not found", "Invalid arguments specified".
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import Items
from diagnose.model import Failed
from diagnose.programs.data_markers import DATA_MARKERS, DataMarker
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, ReadFile
from diagnose.registry import evidence

MOST = 10
"""Containers whose data is looked at."""
_FOLDERS = ("", "/data")
_BYTES = 4096


class ForeignData(msgspec.Struct, frozen=True):
    """A mount whose data the program of its container does not read."""

    container: Container
    marker: DataMarker
    mount: Mount
    path: str
    """The file that shows it, on the host."""


class ForeignDataList(Items[ForeignData], frozen=True):
    """The foreign data, at most one mount for each container."""


@evidence
def foreign_data(host: Host, containers: Containers, log_tails: LogTails) -> ForeignDataList:
    """The data of other programs in mounts of failed containers, by files that mark them."""
    failed = [
        (container, marker)
        for container in containers
        if container.id in log_tails.by_id
        for marker in DATA_MARKERS
        if marker.image.search(container.config.image)
    ]
    foreign: dict[str, ForeignData] = {}
    for container, marker in host.first(failed, MOST, "failed databases and stores"):
        data = next(_foreign_data_of(host, container, marker), None)
        if data is not None:
            foreign.setdefault(container.id, data)
    return ForeignDataList(tuple(foreign.values()))


def _foreign_data_of(host: Host, container: Container, marker: DataMarker) -> Iterator[ForeignData]:
    """The mounts with the marking file whose content differs."""
    for mount in container.mounts:
        if not mount.has_host_path or not mount.rw:
            continue
        for folder in _FOLDERS:
            below = f"{folder}/{marker.file}"
            path = f"{mount.source}{below}"
            if marker.says is None:
                statuses = path_statuses(host, [path], follow=False)
                is_there = statuses.get(path, NOT_ASKED).type == "file"
            else:
                text = host.ask(ReadFile(below, max_bytes=_BYTES, root=mount.source))
                is_there = not isinstance(text, Failed) and bool(marker.says.search(text.text))
            if is_there:
                yield ForeignData(container, marker, mount, path)
