"""Images that do not fit this host, or are damaged."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable

from checks.image._words import NAMES_SHOWN, short
from diagnose.error_signatures import signs
from diagnose.evidence.containers.exposure import Exposed, has_failed
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.details import Detail, ImageDetails
from diagnose.evidence.images.layer_folders import LayerFolders
from diagnose.evidence.images.pulls import Pulls
from diagnose.evidence.machine.clock import Clock
from diagnose.model import (
    DAEMON,
    Finding,
    Seconds,
    Severity,
    Skipped,
    Subject,
    Unavailable,
)
from diagnose.phrases import ago
from diagnose.registry import check

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
"""What a kernel runs by itself (uname -m) as image architectures; 64-bit x86 and ARM run their 32-bit programs
too."""


@check("image.platform-mismatch", severity=Severity.warning)
def platform_mismatch(
    exposed: Exposed,
    containers: Containers,
    details: ImageDetails,
    info: Info,
    pulls: Pulls | Unavailable,
    clock: Clock,
) -> Iterable[Finding] | Skipped:
    """An image was built for a different kind of processor than this host has.

    A container of such an image that runs is emulated (binfmt_misc, qemu) or its image is labelled wrongly: advice.
    One that failed is a warning. An image without an architecture (imported, `scratch`) is not judged. With
    containerd's store (from engine 28) the container's own manifest counts, not the index.
    """
    if info.architecture not in ARCHITECTURES:
        return Skipped(f"what {info.architecture or 'an unknown'} processor can run is not known here")
    return _mismatches((*exposed, *filter(has_failed, containers)), details, info.architecture, pulls, clock)


def _mismatches(
    containers: Iterable[Container], details: ImageDetails, machine: str, pulls: Pulls | Unavailable, clock: Clock
) -> Iterable[Finding]:
    able = ARCHITECTURES[machine]
    for container in containers:
        built = _architecture(container, details.by_id.get(container.image))
        if not built or built in able:
            continue
        does = "runs emulated, or its label is wrong" if container.is_running else "cannot run here"
        yield Finding(
            subject=container.subject,
            summary=f"{container.name} {does}: {container.config.image} is for {built}, this host is {machine}",
            evidence={"Architecture": built, "/info Architecture": machine, "State.Status": container.state.status},
            variables={"container": container.name, "image": container.config.image, "architecture": able[0]},
            touches=(Subject("image", container.config.image),),
            severity=Severity.advice if container.is_running else None,
            signs=frozenset({"exec-format"}),
            service=container.service,
        )
    for each in pulls.of("platform") if isinstance(pulls, Pulls) else ():
        age = clock.age(each.last) or 0.0
        yield Finding(
            subject=each.subject,
            summary=f"pulling {each.what} failed, last {ago(age)} ago: it does not exist for {machine}",
            evidence={"log": short(each.text), "failures": each.count, "/info Architecture": machine},
            variables={"container": "NAME", "image": each.image or "IMAGE", "architecture": able[0]},
            discriminator=f"{each.registry} {each.image}".strip(),
            severity=Severity.advice,
            onset=each.first,
        )


def _architecture(container: Container, detail: Detail | None) -> str:
    platform = (container.image_manifest_descriptor or {}).get("platform") or {}
    return str(platform.get("architecture") or (detail.architecture if detail else ""))


_LOST_LAYER = re.compile(r"HTTP 500: (?:stat|lstat|open) (?P<path>\S+/overlay2/\S+): no such file")


@check(
    "image.corrupt",
    severity=Severity.critical,
    caused_by=["storage.disk-full", "storage.inodes-exhausted", "storage.read-only", "kernel.filesystem-errors"],
)
def corrupt(
    layers: LayerFolders,
    pulls: Pulls | Unavailable,
    clock: Clock,
    containers: Containers,
    *,
    recent_s: Seconds = Seconds(3600),
) -> Generator[Finding, None, Skipped | None]:
    """Layers of an image are damaged or gone from the disk.

    Containers that run go on for now; none can be made or started anew. Looked for are the folders of the layers of
    images in use, and of those that the daemon's log complains of (overlay2 only, as root); then the log's texts
    alone, for an hour. A container whose own layer is gone cannot even be inspected (HTTP 500, seen on engines 20.10.24,
    26.1.5 and 28.5.2). Bytes that changed inside a layer are noticed by nobody.
    """
    for unread in containers.unexamined:
        if match := _LOST_LAYER.search(unread.why):
            yield Finding(
                subject=unread.subject,
                summary=f"{unread.subject.name} has lost its own layer: it can be neither started nor inspected",
                evidence={"GET /containers/ID/json": unread.why, "not on the disk": match["path"]},
                variables={"image": "IMAGE"},
            )
    lost: dict[str, list[str]] = {}
    for name, path in layers.missing:
        lost.setdefault(name, []).append(path)
    for name, paths in lost.items():
        folders = [path.rpartition("/")[0] for path in paths]
        mine = [line for line in layers.told if any(folder in line.text for folder in folders)]
        yield Finding(
            subject=Subject("image", name),
            summary=f"{name} has lost {len(paths)} part{'s' if len(paths) > 1 else ''} of its layers: nothing can start from it",
            evidence={
                "not on the disk": paths[:NAMES_SHOWN],
                **({"daemon log": short(mine[-1].text)} if mine else {}),
            },
            variables={"image": name},
            onset=mine[0].at if mine else None,
        )
    recent = [line for line in layers.told if line.at is not None and clock.wall - line.at < recent_s]
    if recent and not lost:
        yield _told(len(recent), recent[-1].text, recent[0].at, "the daemon's log tells of damaged layers")
    for each in pulls.of("corrupt") if isinstance(pulls, Pulls) else ():
        yield _told(each.count, each.text, each.first, f"pulling {each.what} broke off at a damaged layer")
    if not layers.looked_at:
        return Skipped("layers on the disk are examined for the storage driver overlay2 only")
    return None


def _told(count: int, text: str, onset: float | None, summary: str) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=f"{summary}, {count} time{'s' if count > 1 else ''}",
        evidence={"daemon log": short(text)},
        variables={"image": "IMAGE"},
        discriminator=summary,
        severity=Severity.warning,
        signs=signs(text),
        onset=onset,
    )
