"""image.corrupt: layers of an image are damaged or missing on this host."""

import posixpath
from collections.abc import Iterator, Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data.covered_data_root import CoveredDataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import LogLine
from diagnose.evidence.images.layer_folders import LayerFolders
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.images.pulls.pulls import Pulls
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, Json, Severity, Skipped, Unavailable
from diagnose.model.subjects import DAEMON, Subject, container
from diagnose.model.units import Seconds
from diagnose.phrases import agree, count, how_often, named, shortened
from diagnose.registry import check

NAMES_SHOWN = 8
_LOST_LAYER = LazyPattern(r"HTTP 500: (?:stat|lstat|open) (?P<path>\S+/overlay2/\S+): no such file")
_LOST_SHORT_NAME = LazyPattern(
    r"HTTP 500: readlink (?P<folder>\S+/overlay2/l)/\w+: (?:no such file|invalid argument)"
)
"""Mounts name layers by links in this folder; seen on engine 28.5.2."""


@check(
    "image.corrupt",
    severity=Severity.critical,
    caused_by=[
        "storage.disk-full",
        "storage.inodes-exhausted",
        "storage.read-only",
        "kernel.filesystem-errors",
    ],
    causes=[
        "container.start-refused",
        "container.entrypoint-missing",
        "container.entrypoint-forbidden",
    ],
    observed=True,
)
def corrupt(
    layers: LayerFolders | Unavailable,
    stored: Layers | None,
    info: Info | None,
    pulls: Pulls | None,
    clock: Clock,
    containers: Containers,
    covered: CoveredDataRoot | None,
    *,
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """Layers of an image are damaged or gone from the disk.

    Containers that run keep running for now; none can be created or started again. The check looks
    for the folders that the engine's records name, for the parts of layers of images in use, and
    for the parts that the daemon's log complains of (overlay2 only, as root). Then only the texts
    of the log count, for an hour. If whole layers of images are gone, that is one finding: somebody
    deleted them. A container whose writable layer is gone cannot even be inspected (HTTP 500, seen
    on engines 20.10.24, 26.1.5 and 28.5.2). Folders of layers that only root may enter are those of
    a data root that was copied without its modes: programs of other users are "not found". Nothing
    notices bytes that changed inside a layer.
    """
    if covered is not None and covered.mount is not None:
        return Skipped("another disk is mounted over the layers: they cannot be looked at")
    uses_overlay = info is not None and info.driver == "overlay2"
    if stored is not None and stored.lost_of_images and uses_overlay:
        yield _deleted_layer_finding(stored, containers)
        return None
    yield from _lost_container_layer_findings(containers)
    yield from _lost_short_name_findings(containers)
    if isinstance(layers, LayerFolders):
        yield from _incomplete_store_findings(layers, clock, recent_s)
        yield from _closed_folder_findings(layers, containers)
    if pulls is not None:
        yield from _damaged_pull_findings(pulls)
    if isinstance(layers, Unavailable):
        return layers
    if layers.looked_at:
        return None
    return Skipped("layers on the disk are examined for the storage driver overlay2 only")


def _damaged_pull_findings(pulls: Pulls) -> Iterator[Finding]:
    for trouble in pulls.of("corrupt"):
        variables = present({"image": trouble.image})
        summary = f"pulling {trouble.what} broke off at a damaged layer"
        yield _logged_damage_finding(trouble.count, trouble.text, trouble.first, summary, variables)


def _deleted_layer_finding(stored: Layers, containers: Containers) -> Finding:
    """The finding about whole layers that are gone: the engine never removes a layer that its
    records still name."""
    names = {container.id: container.name for container in containers}
    subjects = [unread.subject for unread in containers.unexamined]
    nameless = [subject.name for subject in subjects if subject.kind == "container"]
    named_in_records = [names[id] for id in stored.robbed_containers if id in names]
    robbed = sorted({*named_in_records, *nameless})
    lost_layers = stored.lost_of_images
    own_layers = agree(robbed, "its writable layer", "their writable layers")
    container_clause = f"; {named('container', robbed)} lost {own_layers} too" if robbed else ""
    return Finding(
        subject=DAEMON,
        summary=(
            f"{count(len(lost_layers), 'image layer')} of {stored.recorded} in the engine's records "
            f"{agree(lost_layers, 'is', 'are')} gone from {stored.path}: nothing can start from "
            f"these images{container_clause}"
        ),
        evidence={
            "image/overlay2/layerdb names": stored.recorded,
            f"of these without a folder in {stored.path}": len(stored.lost),
            "for example": list(lost_layers[:NAMES_SHOWN]),
        },
        variables={"root": stored.path.removesuffix("/overlay2")},
        discriminator="layers",
        # The records do not say which images need a layer: a container that runs keeps its own.
        touches=(DAEMON, *(container(name) for name in sorted({*names.values(), *nameless}))),
    )


def _lost_container_layer_findings(containers: Containers) -> Iterator[Finding]:
    """Findings about containers of which only the writable layer is gone."""
    for unread in containers.unexamined:
        if match := _LOST_LAYER.search(unread.why):
            name = unread.subject.name
            yield Finding(
                subject=unread.subject,
                summary=(
                    f'container "{name}" has lost its writable layer: '
                    "it can be neither started nor inspected"
                ),
                evidence={"GET /containers/ID/json": unread.why, "not on the disk": match["path"]},
                variables={"container": name},
            )


def _lost_short_name_findings(containers: Containers) -> Iterator[Finding]:
    """Findings about missing links from the short names of layers to their folders, which mounts
    use."""
    matches = {
        unread.subject: match
        for unread in containers.unexamined
        if (match := _LOST_SHORT_NAME.search(unread.why))
    }
    for folder, subjects in by_key(
        (match["folder"], subject) for subject, match in matches.items()
    ).items():
        names = [subject.name for subject in subjects]
        yield Finding(
            subject=DAEMON,
            summary=(
                f"links of layers are gone from {folder}: {named('container', names)} can be "
                "neither started nor inspected"
            ),
            evidence={"GET /containers/ID/json": matches[subjects[0]].string},
            variables={"links": folder},
            discriminator="links",
            touches=tuple(subjects),
        )


def _incomplete_store_findings(
    layers: LayerFolders, clock: Clock, recent_s: float
) -> Iterator[Finding]:
    """Findings about images that have lost parts of their layers, and about complaints of the log
    alone."""
    paths_by_name = by_key(layers.missing)
    for name, paths in paths_by_name.items():
        folders = [posixpath.dirname(path) for path in paths]
        lines = [line for line in layers.reports if _names_one_of(folders, line.text)]
        yield _lost_parts_finding(name, paths, lines)
    recent = [
        line for line in layers.reports if line.at is not None and clock.wall - line.at < recent_s
    ]
    if recent and not paths_by_name:
        summary = "the daemon's log reports damaged layers"
        yield _logged_damage_finding(len(recent), recent[-1].text, recent[0].at, summary, {})


def _names_one_of(folders: Sequence[str], text: str) -> bool:
    return any(folder in text for folder in folders)


def _lost_parts_finding(image: str, paths: list[str], lines: list[LogLine]) -> Finding:
    """The finding about parts of layers. paths: the missing ones. lines: the log's complaints about
    their folders."""
    evidence: dict[str, Json] = {"not on the disk": paths[:NAMES_SHOWN]}
    if lines:
        evidence["daemon log"] = shortened(lines[-1].text)
    return Finding(
        subject=Subject("image", image),
        summary=(
            f'image "{image}" has lost {count(len(paths), "part")} of its layers: '
            "nothing can start from it"
        ),
        evidence=evidence,
        variables={"image": image},
        onset=lines[0].at if lines else None,
    )


def _closed_folder_findings(layers: LayerFolders, containers: Containers) -> Iterator[Finding]:
    """Findings about images whose layers have folders that only root may enter, and that keep a
    container down.

    An image may be built so, on purpose, for root alone.
    """
    failed = [user for user in containers if not user.is_running and user.state.exit_code]
    for name, mode in layers.closed.items():
        down = [user for user in failed if user.config.image == name]
        if down:
            yield Finding(
                subject=Subject("image", name),
                summary=(
                    f'the layers of image "{name}" are closed to all users but root '
                    f"(mode {mode:o}), as after a copy of the data root without its modes: "
                    f"{named('container', names_of(down))} cannot run"
                ),
                evidence={"mode of each layer's folder": f"{mode:o}, usually 755"},
                variables={"image": name},
                discriminator="modes",
                touches=subjects_of(down),
            )


def _logged_damage_finding(
    times: int, text: str, onset: float | None, summary: str, variables: dict[str, str]
) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=f"{summary}, {how_often(times)}",
        evidence={"daemon log": shortened(text)},
        variables=variables,
        discriminator=summary,
        severity=Severity.warning,
        signs=signs(text),
        onset=onset,
    )
