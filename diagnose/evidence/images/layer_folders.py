"""The state of image layers on the disk, and the daemon's log lines about them."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from stat import S_IXOTH

import msgspec

from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.images.details import MOST, Detail, ImageDetails, ask_each
from diagnose.evidence.images.listing import Images
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

PARTS = ("diff", "link")
"""Entries of every layer of overlay2: its files, and its short name for the mount's options."""
_DAMAGED = LazyPattern(
    r"open \S*/overlay2/\w+/link: no such file|readlink \S*/overlay2/\S*: invalid argument"
    r"|layer does not exist"
    r"|failed to stat parent: stat \S*/snapshots/\d+/fs: no such file"
    r"|content digest sha256:\w+: not found|failed to get layer"
    r"|rename \S*/overlay2/\S* directory not empty"
)
"""The engine misses a layer, or a file that belongs to one."""
_FULL = "no space left on device"
_FOLDER = LazyPattern(r"open (\S*/overlay2/\w+)/link: no such file")


class LayerFolders(msgspec.Struct, frozen=True):
    """The folders of images' layers on the disk."""

    missing: tuple[tuple[str, str], ...]
    """(image's name, path) of each part of a layer that is not on the disk."""
    looked_at: int
    """The number of layers that were looked at."""
    reports: tuple[LogLine, ...] = ()
    """Lines of the daemon's log about damaged layers, oldest first, without those about a layer
    that is complete again."""
    unexamined: tuple[Unexamined, ...] = ()
    closed: Mapping[str, int] = msgspec.field(default_factory=dict)
    """The mode of the layers' folders by the image's name, where no other user may enter any of
    them."""


@evidence
def layer_folders(
    host: Host,
    details: ImageDetails,
    images: Images | None,
    log: DaemonLog | None,
    clock: Clock,
    options: Options,
) -> LayerFolders | Unavailable:
    """The folders of images in use, and those that the log complains of; overlay2 only, as root."""
    reports = tuple(_reports(log, clock.wall - options.since_s))
    owners = _owners(host, details, images, reports)
    if not owners:
        return LayerFolders(missing=(), looked_at=0, reports=reports, unexamined=details.unexamined)
    statuses = host.require(StatPaths([f"{layer}/{part}" for layer in owners for part in PARTS]))
    failed = {path: status.failed for path, status in statuses.items() if status.failed}
    hidden = _why_hidden(failed)
    if hidden is not None:
        return hidden
    whole = owners.keys() - set(map(posixpath.dirname, failed))
    return LayerFolders(
        missing=tuple((name, path) for path in failed for name in owners[posixpath.dirname(path)]),
        looked_at=len(owners),
        reports=tuple(line for line in reports if _folder_of(line) not in whole),
        unexamined=details.unexamined,
        closed=_closed_images(owners, statuses),
    )


def _reports(log: DaemonLog | None, since: float) -> Iterator[LogLine]:
    """The lines in which the engine reports damaged layers, since this Unix time."""
    if log is not None:
        yield from filter(_reports_damage, log.since(since))


def _owners(
    host: Host, details: ImageDetails, images: Images | None, reports: Sequence[LogLine]
) -> dict[str, list[str]]:
    """The layers to look at, each with the images that it is a part of.

    Those of images in use, and those of other images of which the log complains.
    """
    owners = _by_layer({details.subject(detail).name: detail for detail in details})
    suspects = {_folder_of(line) for line in reports} - owners.keys() - {""}
    if suspects and images is not None:
        owners_by_layer = _by_layer(_details_by_name(host, images))
        owners |= {layer: names for layer, names in owners_by_layer.items() if layer in suspects}
    return owners


def _why_hidden(failed: Mapping[str, str]) -> Unavailable | None:
    """The reason why a layer is hidden, not missing; None without a hidden one."""
    for path, reason in failed.items():
        if reason == "forbidden":
            return Unavailable("forbidden", f"{path} cannot be seen by this user")
        if reason != "missing":
            return Unavailable("timed out", f"{path} cannot be seen by this user")
    return None


def _closed_images(
    owners: Mapping[str, Sequence[str]], statuses: Mapping[str, PathStatus]
) -> dict[str, int]:
    """The images of whose layers no other user may enter any folder, with the mode of one."""
    modes: dict[str, list[int]] = {}
    for layer, names in owners.items():
        status = statuses.get(f"{layer}/diff")
        if status is None or not status.mode:
            continue
        for name in names:
            modes.setdefault(name, []).append(status.mode)
    return {name: of_layers[0] for name, of_layers in modes.items() if _are_closed(of_layers)}


def _are_closed(modes: Sequence[int]) -> bool:
    """Whether no other user may enter any of these folders."""
    return not any(mode & S_IXOTH for mode in modes)


def _reports_damage(line: LogLine) -> bool:
    """Whether a line of the engine's log is about a damaged layer.

    What failed on a full disk is not damaged.
    """
    return line.is_error and bool(_DAMAGED.search(line.text)) and _FULL not in line.text


def _folder_of(line: LogLine) -> str:
    """The folder of the layer that a line names, "" if it names none."""
    match = _FOLDER.search(line.text)
    return match[1] if match else ""


def _by_layer(details: Mapping[str, Detail]) -> dict[str, list[str]]:
    """Layer -> names of the images that it is a part of."""
    return by_key((layer, name) for name, detail in details.items() for layer in detail.layers)


def _details_by_name(host: Host, images: Images) -> dict[str, Detail]:
    """Every image by name.

    Asked only when the log complains of a layer that no image in use has.
    """
    names = {image.id: image.name for image in list(images)[:MOST]}
    details = ask_each(host, InspectImage, names)
    return {names[id]: detail for id, detail in details.by_id.items()}
