"""Images that do not fit this host, or are damaged."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from checks.image.failed_pulls import LATELY_S, image_of
from diagnose.error_signatures import signs
from diagnose.evidence.containers.exposure import Exposed, has_failed
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.engine.covered_data_root import CoveredDataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import LogLine
from diagnose.evidence.images.details import Detail, ImageDetails
from diagnose.evidence.images.layer_folders import LayerFolders
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.images.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.emulators import FOLDER, Emulators
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, names_of, subjects_of
from diagnose.model import (
    DAEMON,
    CheckResult,
    Count,
    Finding,
    Json,
    Seconds,
    Severity,
    Skipped,
    Subject,
    Unavailable,
    container,
)
from diagnose.phrases import agree, count, counted, shortened
from diagnose.registry import check

NAMES_SHOWN = 8
ARCHITECTURES = {
    "x86_64": ("amd64", "386"),
    "aarch64": ("arm64", "arm"),
    "armv7l": ("arm",),
    "armv6l": ("arm",),
    "i686": ("386",),
    "riscv64": ("riscv64",),
    "ppc64le": ("ppc64le",),
    "s390x": ("s390x",),
    "loongarch64": ("loong64",),
}
"""Image architectures that a kernel runs by itself, by `uname -m`; 64-bit x86 and ARM run their
32-bit programs too."""


@check(
    "image.platform-mismatch",
    severity=Severity.warning,
    aloud=("could not be pulled", "could not be pulled"),
    aloud_of_engine="could not pull an image",
)
def platform_mismatch(
    exposed: Exposed,
    containers: Containers,
    details: ImageDetails,
    info: Info,
    pulls: Pulls | None,
    clock: Clock,
    emulators: Emulators | None,
    programs: Programs | None,
    *,
    repeated: Count = Count(3),
) -> CheckResult:
    """An image was built for a different kind of processor than this host has.

    A container of such an image that runs is emulated (binfmt_misc, qemu) or its image is labelled
    wrongly: advice. One that failed is a warning, and so are pulls that failed `repeated` times. An
    image without an architecture (imported, `scratch`) is not judged. With containerd's store (from
    engine 28) the container's own manifest counts, not the index. A reboot forgets the emulators
    that a container had registered: a container that is older than the boot may need one again.
    """
    machine = info.architecture
    if machine not in ARCHITECTURES:
        return Skipped(f"what {machine or 'an unknown'} processor can run is not known here")
    able = ARCHITECTURES[machine]
    for candidate in (*exposed, *filter(has_failed, containers)):
        built_for = _architecture(candidate, details.by_id.get(candidate.image))
        if built_for and built_for not in able:
            is_lacking = emulators is not None and not emulators.can_run(built_for)
            is_refused = is_lacking and _is_refused(candidate, built_for, programs)
            runs = candidate.is_running and not is_refused
            finding = _platform_finding(candidate, built_for, machine, runs=runs)
            if is_lacking and not runs:
                finding = _emulator_finding(finding, candidate, built_for, emulators, clock)
            yield finding
    for trouble in pulls.of("platform") if pulls is not None else ():
        yield _missing_platform_finding(trouble, machine, clock, repeated)
    return None


def _missing_platform_finding(
    trouble: PullTrouble, machine: str, clock: Clock, repeated: int
) -> Finding:
    return Finding(
        subject=trouble.subject,
        summary=(
            f"pulling {trouble.what} failed, last {clock.ago(trouble.last)}: "
            f"it does not exist for {machine}"
        ),
        evidence={
            "log": shortened(trouble.text),
            "failures": trouble.count,
            "/info Architecture": machine,
        },
        variables={"architecture": ARCHITECTURES[machine][0], **image_of(trouble)},
        discriminator=f"{trouble.registry} {trouble.image}".strip(),
        severity=Severity.warning if trouble.count >= repeated else Severity.advice,
        onset=trouble.first,
        is_quiet=not clock.is_within(trouble.last, LATELY_S),
    )


def _is_refused(candidate: Container, built_for: str, programs: Programs | None) -> bool:
    """Whether the log says so of a program for this processor.

    Between two runs of a loop, a container is running until the kernel refuses its program.
    """
    program = programs.by_id.get(candidate.id) if programs is not None else None
    if program is None or program.why != "exec format error":
        return False
    return program.machine == built_for


def _platform_finding(candidate: Container, built_for: str, machine: str, *, runs: bool) -> Finding:
    image = candidate.config.image
    effect = "runs emulated, or its label is wrong" if runs else "cannot run here"
    finding = Finding.about(
        candidate,
        f'{candidate} {effect}: image "{image}" is for {built_for}, this host is {machine}',
        {
            "Architecture": built_for,
            "/info Architecture": machine,
            "State.Status": candidate.state.status,
        },
        image=image,
        architecture=ARCHITECTURES[machine][0],
        touches=(Subject("image", image),),
        severity=Severity.advice if runs else None,
        signs=frozenset({"exec-format"}),
    )
    return replace(finding, is_quiet=True)


def _emulator_finding(
    finding: Finding,
    candidate: Container,
    built_for: str,
    emulators: Emulators | None,
    clock: Clock,
) -> Finding:
    """The finding, with the emulator that the host lacks."""
    summary = f"{finding.summary}, and no emulator for {built_for} is registered"
    found = replace(
        finding,
        summary=summary,
        evidence={**finding.evidence, FOLDER: ", ".join(emulators or ()) or "no emulator"},
    )
    if (candidate.created_at or clock.booted) >= clock.booted:
        return found
    return replace(
        found,
        summary=f"{summary} since this boot, before which {candidate} was created",
        variables={"container": candidate.name, "emulated": built_for},
    )


def _architecture(candidate: Container, detail: Detail | None) -> str:
    descriptor = candidate.image_manifest_descriptor
    platform = descriptor.platform if descriptor is not None else None
    if platform is not None and platform.architecture:
        return platform.architecture
    return detail.architecture if detail is not None else ""


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
    for the parts that the daemon's log complains of (overlay2 only, as root). Then the texts of the
    log count alone, for an hour. If whole layers of images are gone, that is one finding: somebody
    deleted them. A container whose own layer is gone cannot even be inspected (HTTP 500, seen on
    engines 20.10.24, 26.1.5 and 28.5.2). Folders of layers that only root may enter are those of a
    data root that was copied without its modes: programs of other users are "not found". Nothing
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
    for trouble in pulls.of("corrupt") if pulls is not None else ():
        variables = {"image": trouble.image} if trouble.image else {}
        summary = f"pulling {trouble.what} broke off at a damaged layer"
        yield _logged_damage_finding(trouble.count, trouble.text, trouble.first, summary, variables)
    if isinstance(layers, Unavailable):
        return layers
    if layers.looked_at:
        return None
    return Skipped("layers on the disk are examined for the storage driver overlay2 only")


def _deleted_layer_finding(stored: Layers, containers: Containers) -> Finding:
    """Whole layers are gone: the engine never does that to a layer that its records still name."""
    names = {container.id: container.name for container in containers}
    unread = [
        item.subject.name for item in containers.unexamined if item.subject.kind == "container"
    ]
    named_in_records = [names[id] for id in stored.robbed_containers if id in names]
    robbed = sorted({*named_in_records, *unread})
    lost = stored.lost_of_images
    also = f"; {counted('container', robbed)} lost their own layer too" if robbed else ""
    return Finding(
        subject=DAEMON,
        summary=(
            f"{count(len(lost), 'image layer')} of {stored.recorded} in the engine's records "
            f"{agree(lost, 'is', 'are')} gone from {stored.path}: nothing can start from "
            f"these images{also}"
        ),
        evidence={
            "image/overlay2/layerdb names": stored.recorded,
            f"of these without a folder in {stored.path}": len(stored.lost),
            "for example": list(lost[:NAMES_SHOWN]),
        },
        variables={"root": stored.path.removesuffix("/overlay2")},
        discriminator="layers",
        # The records do not say which images need a layer: a container that runs keeps its own.
        touches=(DAEMON, *(container(name) for name in sorted({*names.values(), *unread}))),
    )


def _lost_container_layer_findings(containers: Containers) -> Iterator[Finding]:
    """Containers whose own layer alone is gone."""
    for unread in containers.unexamined:
        if match := _LOST_LAYER.search(unread.why):
            name = unread.subject.name
            yield Finding(
                subject=unread.subject,
                summary=(
                    f'container "{name}" has lost its own layer: '
                    "it can be neither started nor inspected"
                ),
                evidence={"GET /containers/ID/json": unread.why, "not on the disk": match["path"]},
                variables={"container": name},
            )


def _lost_short_name_findings(containers: Containers) -> Iterator[Finding]:
    """Links that lead from the short names of layers to their folders: mounts go by them."""
    unread = {
        item.subject: match
        for item in containers.unexamined
        if (match := _LOST_SHORT_NAME.search(item.why))
    }
    for folder, subjects in by_key(
        (match["folder"], subject) for subject, match in unread.items()
    ).items():
        names = [subject.name for subject in subjects]
        yield Finding(
            subject=DAEMON,
            summary=(
                f"links of layers are gone from {folder}: {counted('container', names)} can be "
                "neither started nor inspected"
            ),
            evidence={"GET /containers/ID/json": unread[subjects[0]].string},
            variables={"links": folder},
            discriminator="links",
            touches=tuple(subjects),
        )


def _incomplete_store_findings(
    layers: LayerFolders, clock: Clock, recent_s: float
) -> Iterator[Finding]:
    """Images that have lost parts of their layers, and complaints of the log alone."""
    lost = by_key(layers.missing)
    for name, paths in lost.items():
        folders = [path.rpartition("/")[0] for path in paths]
        lines = [line for line in layers.reports if any(folder in line.text for folder in folders)]
        yield _lost_parts_finding(name, paths, lines)
    recent = [
        line for line in layers.reports if line.at is not None and clock.wall - line.at < recent_s
    ]
    if recent and not lost:
        summary = "the daemon's log reports damaged layers"
        yield _logged_damage_finding(len(recent), recent[-1].text, recent[0].at, summary, {})


def _lost_parts_finding(image: str, paths: list[str], lines: list[LogLine]) -> Finding:
    """paths: what is gone. lines: what the log says of their folders."""
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
    """Images of whose layers no user but root may enter any folder, and that keep a container down.

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
                    f"{counted('container', names_of(down))} cannot run"
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
        summary=f"{summary}, {count(times, 'time')}",
        evidence={"daemon log": shortened(text)},
        variables=variables,
        discriminator=summary,
        severity=Severity.warning,
        signs=signs(text),
        onset=onset,
    )
