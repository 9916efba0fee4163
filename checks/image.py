"""Images: pulls that fail, images that do not fit, and what piles up."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping

from diagnose.evidence.build_cache import BuildCache
from diagnose.evidence.clock import Clock
from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.exposure import Exposed, has_failed
from diagnose.evidence.filesystems import Filesystems
from diagnose.evidence.image_details import Detail, ImageDetails
from diagnose.evidence.images import Images, tag_of
from diagnose.evidence.info import Info
from diagnose.evidence.layer_folders import LayerFolders
from diagnose.evidence.pulls import Pulls, Trouble, Why
from diagnose.model import (
    DAEMON,
    HOST,
    Bytes,
    Count,
    Finding,
    Percent,
    Seconds,
    Severity,
    Skipped,
    Subject,
    Unavailable,
)
from diagnose.registry import check
from diagnose.signs import signs
from diagnose.times import ago, size

NAMES_SHOWN = 8
HUB_HOST = "registry-1.docker.io"
DAY = 86400.0


def _troubles(
    pulls: Pulls,
    why: Why,
    clock: Clock,
    *,
    repeated: float,
    recent_s: float,
    proof: Mapping[str, object] | None = None,
) -> Iterable[Finding]:
    """One finding for each image or registry: a warning where it failed again and again or a moment ago, else
    advice."""
    for each in pulls.of(why):
        age = clock.age(each.last) or 0.0
        times = "once" if each.count == 1 else f"{each.count} times"
        yield Finding(
            subject=each.subject,
            summary=f"pulling {each.what} failed {times}, last {ago(age)} ago: {_reason(each.text)}",
            evidence={
                pulls.source: _short(each.text),
                "failures": each.count,
                "last": f"{ago(age)} ago",
                **(proof or {}),
            },
            variables={"registry": _host(each)},
            discriminator=f"{each.registry} {each.image}".strip(),
            severity=Severity.warning if each.count >= repeated or age < recent_s else Severity.advice,
            touches=(DAEMON,),
            signs=signs(each.text),
            onset=each.first,
        )


def _host(trouble: Trouble) -> str:
    """The registry's host as a command would ask it."""
    return HUB_HOST if trouble.registry in ("", "docker.io") else trouble.registry


_REQUEST = re.compile(r'^.*(?:Get|Head|Post|resolve reference) "[^"]*": ', re.DOTALL)


def _reason(text: str) -> str:
    """What went wrong, without the request that it went wrong with."""
    return _short(_REQUEST.sub("", text).partition(" (possibly")[0], 80)


def _short(text: str, width: int = 240) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


@check("image.pull-rate-limited", severity=Severity.warning)
def pull_rate_limited(
    pulls: Pulls,
    clock: Clock,
    info: Info | Unavailable,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> Iterable[Finding]:
    """A registry refuses pulls because too many were made.

    Docker Hub counts by address where nobody is logged in: behind a shared address this host may be innocent. Other
    registries have limits of their own; the text tells. A later pull from the same registry ends the finding. Nothing
    is pulled to find out.
    """
    config = info.registry_config if isinstance(info, Info) else None
    mirrors = (config or {}).get("Mirrors") or "none"
    yield from _troubles(
        pulls,
        "rate-limit",
        clock,
        repeated=repeated,
        recent_s=recent_s,
        proof={"RegistryConfig.Mirrors": mirrors},
    )


@check("image.pull-denied", severity=Severity.warning)
def pull_denied(pulls: Pulls, clock: Clock, *, repeated: Count = Count(3)) -> Iterable[Finding]:
    """An image that was to be pulled does not exist or is not given out to this host.

    Registries answer alike for a name that is misspelt and one that needs a login, so the two cannot be told apart;
    credentials lie with the client and are not seen from here. One refused pull is most often a slip of the pen: a
    warning takes three.
    """
    yield from _troubles(pulls, "denied", clock, repeated=repeated, recent_s=0.0)


@check(
    "image.registry-unreachable",
    severity=Severity.warning,
    caused_by=["dns.host-broken", "network.subnet-overlaps-route", "network.conntrack-full"],
)
def registry_unreachable(
    pulls: Pulls, clock: Clock, *, repeated: Count = Count(3), recent_s: Seconds = Seconds(3600)
) -> Iterable[Finding]:
    """A registry cannot be reached from this host.

    The text names the layer: a look-up that failed is the host's DNS (the daemon uses the host's resolver, not its
    containers'), a dial that failed a firewall, a route or a registry that is down, a status of 5xx the registry
    itself. Hosts without a way to the internet are silent as long as nobody pulls.
    """
    yield from _troubles(pulls, "unreachable", clock, repeated=repeated, recent_s=recent_s)


@check("image.registry-tls", severity=Severity.warning)
def registry_tls(
    pulls: Pulls, clock: Clock, *, repeated: Count = Count(3), recent_s: Seconds = Seconds(3600)
) -> Iterable[Finding]:
    """A registry's certificate is not accepted, or it speaks no TLS at all.

    127.0.0.0/8 is always taken without TLS. The first question to an insecure registry is sent with TLS and fails;
    that line of the log is no failure and is left out.
    """
    yield from _troubles(pulls, "tls", clock, repeated=repeated, recent_s=recent_s)


@check("image.registry-proxy", severity=Severity.warning)
def registry_proxy(
    pulls: Pulls,
    clock: Clock,
    info: Info | Unavailable,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> Iterable[Finding]:
    """The proxy that the daemon was told to use keeps pulls from working.

    The daemon's proxy is that of its own environment or `proxies` in daemon.json (from engine 23.0), not that of a
    shell in which curl works. A proxy that answers for a registry with an error of its own making reads as that
    registry's error.
    """
    proof = {}
    if isinstance(info, Info):
        proof = {"HttpsProxy": info.https_proxy or info.http_proxy or "not set", "NoProxy": info.no_proxy or "not set"}
    yield from _troubles(pulls, "proxy", clock, repeated=repeated, recent_s=recent_s, proof=proof)


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
    """An image was built for another kind of processor than this host has.

    A container of such an image that runs is emulated (binfmt_misc, qemu) or its image is labelled wrongly: advice.
    One that failed is a warning. An image without an architecture (imported, `scratch`) is not judged. With
    containerd's store (from engine 28) the container's own manifest counts, not the index.
    """
    if info.architecture not in ARCHITECTURES:
        return Skipped(f"what a processor of the kind {info.architecture or 'unknown'} can run is not known here")
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
            summary=f"{container.short} {does}: {container.config.image} is for {built}, this host is {machine}",
            evidence={"Architecture": built, "/info Architecture": machine, "State.Status": container.state.status},
            variables={"container": container.short, "image": container.config.image, "architecture": able[0]},
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
            evidence={"log": _short(each.text), "failures": each.count, "/info Architecture": machine},
            variables={"container": "NAME", "image": each.image or "IMAGE", "architecture": able[0]},
            discriminator=f"{each.registry} {each.image}".strip(),
            severity=Severity.advice,
            onset=each.first,
        )


def _architecture(container: Container, detail: Detail | None) -> str:
    platform = (container.image_manifest_descriptor or {}).get("platform") or {}
    return str(platform.get("architecture") or (detail.architecture if detail else ""))


@check("image.dangling", severity=Severity.advice, posture=True)
def dangling(
    images: Images,
    filesystems: Filesystems | Unavailable,
    *,
    warn_images: Count = Count(2),
    warn_bytes: Bytes = Bytes(1 << 30),
) -> Iterable[Finding] | Unavailable:
    """Images without a name and without a container take up disk space.

    One is the ordinary trace of an update, so it takes two, or one of a gibibyte. Sizes are upper bounds: layers that
    are shared with other images are counted here too, and a prune leaves those. API 1.42 and older list such an image
    as `<none>:<none>`, later ones with no tag at all; an image that was pulled by digest has no tag either, and is
    left alone while a container uses it.
    """
    if not images.users_known:
        return Unavailable("missing", "which images containers use is not known")
    found = sorted(images.dangling, key=lambda each: -each.own_size)
    total = sum(each.own_size for each in found)
    if not found or (len(found) < warn_images and total < warn_bytes):
        return ()
    count = f"{len(found)} image{'s' if len(found) > 1 else ''}"
    disk = filesystems.of_data_root if isinstance(filesystems, Filesystems) else None
    return (
        Finding(
            subject=HOST,
            summary=f"{count} without a name or a container: up to {size(total)} to win back",
            evidence={
                "GET /images/json without a tag": [
                    each.id.removeprefix("sha256:")[:12] for each in found[:NAMES_SHOWN]
                ],
                "largest": size(found[0].own_size),
                "images in all": len(images),
            },
            variables={"count": str(len(found)), "size": size(total)},
            touches=(disk.subject,) if disk else (),
        ),
    )


@check("image.latest-tag", severity=Severity.advice, posture=True)
def latest_tag(exposed: Exposed) -> Iterable[Finding]:
    """A container runs an image by the tag `latest`, which moves with each pull.

    No tag means `latest` too; a digest names one image for ever, whatever its tag. Images that are built and used on
    one host alone are named as well: they cannot be rolled back by name either.
    """
    users: dict[str, list[str]] = {}
    for container in exposed:
        if container.config.image and tag_of(container.config.image) == "latest":
            users.setdefault(container.config.image, []).append(container.short)
    for image, names in users.items():
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield Finding(
            subject=Subject("image", image),
            summary=f"{image} is the image of {names[0]}{others}: which build that is, its name does not say",
            evidence={"Config.Image": image, "containers": names[:NAMES_SHOWN]},
            variables={"image": image, "container": names[0]},
        )


@check("image.unused", severity=Severity.advice, posture=True)
def unused(
    images: Images,
    clock: Clock,
    filesystems: Filesystems | Unavailable,
    *,
    old_s: Seconds = Seconds(30 * DAY),
    warn_images: Count = Count(10),
    warn_bytes: Bytes = Bytes(5 << 30),
) -> Iterable[Finding] | Unavailable:
    """Many old images are used by no container.

    Old by the time of their build: when an image was pulled the list does not say. Base images on a build host and
    images that are kept for a way back are meant to be there. Sizes are upper bounds, as layers are shared.
    """
    if not images.users_known:
        return Unavailable("missing", "which images containers use is not known")
    found = [each for each in images.unused if clock.wall - each.created > old_s]
    total = sum(each.own_size for each in found)
    if len(found) < warn_images and total < warn_bytes:
        return ()
    largest = sorted(found, key=lambda each: -each.own_size)
    disk = filesystems.of_data_root if isinstance(filesystems, Filesystems) else None
    return (
        Finding(
            subject=HOST,
            summary=f"{len(found)} of {len(images)} images are older than {ago(old_s)} and unused: up to {size(total)}",
            evidence={"largest": [f"{each.name} {size(each.own_size)}" for each in largest[:NAMES_SHOWN]]},
            variables={"count": str(len(found)), "size": size(total), "hours": str(round(old_s / 3600))},
            touches=(disk.subject,) if disk else (),
        ),
    )


@check("image.build-cache-large", severity=Severity.advice)
def build_cache_large(
    cache: BuildCache, *, warn_bytes: Bytes = Bytes(10 << 30), warn_pct: Percent = Percent(10)
) -> Iterable[Finding] | Skipped:
    """The build cache takes up much of the disk.

    Ten gibibytes anywhere, or a tenth of a disk that is filling. Counted is what a prune would win back. A buildx
    builder of the kind docker-container keeps its cache in a volume of its own (buildx_buildkit_..._state), which is
    not seen here.
    """
    if cache.not_asked:
        return Skipped(cache.not_asked)
    disk = cache.disk
    if disk is None or cache.bytes < min(warn_bytes, disk.usage.size * warn_pct / 100):
        return ()
    share = 100 * cache.bytes / disk.usage.size
    return (
        Finding(
            subject=HOST,
            summary=f"the build cache holds {size(cache.bytes)}, {share:.0f} % of {disk.point}",
            evidence={
                "/system/df BuildCache not in use": size(cache.bytes),
                "records": cache.records,
                disk.point: f"{disk.usage.used_pct:.0f} % of {size(disk.usage.size)} used",
            },
            variables={"size": size(cache.bytes)},
            touches=(disk.subject,),
        ),
    )


@check("image.labels-missing", severity=Severity.advice, posture=True)
def labels_missing(exposed: Exposed, images: Images) -> Iterable[Finding]:
    """An image in use does not say which source and version it was built from.

    Looked for is any label of `org.opencontainers.image.`; older conventions (org.label-schema, maintainer) do not
    count. Whether what the labels say is true is not looked at.
    """
    seen = set()
    for container in exposed:
        image = images.of(container)
        if image is None or image.id in seen:
            continue
        seen.add(image.id)
        if not any(name.startswith("org.opencontainers.image.") for name in image.labels or ()):
            yield Finding(
                subject=Subject("image", container.config.image),
                summary=f"{container.config.image} (in {container.short}) has no labels that say what it was built from",
                evidence={"Labels": sorted(image.labels or ())[:NAMES_SHOWN] or "none", "container": container.short},
                variables={"image": container.config.image},
            )


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
                **({"daemon log": _short(mine[-1].text)} if mine else {}),
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
        return Skipped("layers are looked at on the disk for the storage driver overlay2 alone")
    return None


def _told(count: int, text: str, onset: float | None, summary: str) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=f"{summary}, {count} time{'s' if count > 1 else ''}",
        evidence={"daemon log": _short(text)},
        variables={"image": "IMAGE"},
        discriminator=summary,
        severity=Severity.warning,
        signs=signs(text),
        onset=onset,
    )
