"""Images that pile up, and images that nobody can tell apart."""

from diagnose.evidence.containers.exposure import Exposed
from diagnose.evidence.images.build_cache import BuildCache
from diagnose.evidence.images.listing import Images, tag_of
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.mappings import by_key, subjects_of
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Subject, Unavailable
from diagnose.model.units import Bytes, Count, Percent, Seconds
from diagnose.phrases import agree, count, duration, named, short_id, size
from diagnose.registry import check

DAY = 86400.0
NAMES_SHOWN = 8


@check("image.dangling", severity=Severity.advice, posture=True)
def dangling(
    images: Images,
    filesystems: Filesystems | None,
    *,
    warn_images: Count = Count(2),
    warn_bytes: Bytes = Bytes(1 << 30),
) -> CheckResult:
    """Images without a name or a container take up disk space.

    One is the ordinary trace of an update, so it takes two, or one of a gibibyte. Sizes are upper
    bounds: layers that are shared with other images are counted here too, and a prune leaves those.
    API 1.42 and older list such an image as `<none>:<none>`, later ones with no tag at all; an
    image that was pulled by digest has no tag either, and is left out while a container uses it.
    """
    if not images.users_known:
        return Unavailable("missing", "which images containers use is not known")
    unnamed = sorted(images.dangling, key=lambda image: -image.own_size)
    total = sum(image.own_size for image in unnamed)
    if not unnamed or (len(unnamed) < warn_images and total < warn_bytes):
        return None
    disk = filesystems.of_data_root if filesystems is not None else None
    shown = unnamed[:NAMES_SHOWN]
    yield Finding(
        subject=HOST,
        summary=(
            f"{count(len(unnamed), 'image')} {agree(unnamed, 'has', 'have')} no name and no container: "
            f"removing {agree(unnamed, 'it', 'them')} frees up to {size(total)}"
        ),
        evidence={
            "GET /images/json without a tag": [short_id(image.id) for image in shown],
            "largest": size(unnamed[0].own_size),
            "images in all": len(images),
        },
        variables={"count": str(len(unnamed)), "size": size(total)},
        touches=subjects_of([disk]),
    )


@check("image.latest-tag", severity=Severity.advice, posture=True)
def latest_tag(exposed: Exposed) -> CheckResult:
    """A container runs an image by the tag `latest`, which moves with each pull.

    No tag means `latest` too; a digest names one image for ever, whatever its tag. Images that are
    built and used on one host alone are named as well: they cannot be rolled back by name either.
    """
    users = by_key(
        (container.config.image, container.name)
        for container in exposed
        if container.config.image and tag_of(container.config.image) == "latest"
    )
    for image, names in users.items():
        yield Finding(
            subject=Subject("image", image),
            summary=f"{named('container', names)} {agree(names, 'runs', 'run')} image "
            f'"{image}" by a tag that moves'
            " (latest), so the build cannot be identified",
            evidence={"Config.Image": image, "containers": names[:NAMES_SHOWN]},
            variables={"image": image, "container": names[0]},
        )


@check("image.unused", severity=Severity.advice, posture=True)
def unused(
    images: Images,
    clock: Clock,
    filesystems: Filesystems | None,
    *,
    old_s: Seconds = Seconds(30 * DAY),
    warn_images: Count = Count(10),
    warn_bytes: Bytes = Bytes(5 << 30),
) -> CheckResult:
    """Many old images are not used by any container.

    Old by the time of their build: when an image was pulled the list does not say. Base images on a
    build host and images that are kept for a way back are meant to be there. Sizes are upper
    bounds, as layers are shared.
    """
    if not images.users_known:
        return Unavailable("missing", "which images containers use is not known")
    old = [image for image in images.unused if clock.wall - image.created > old_s]
    total = sum(image.own_size for image in old)
    if len(old) < warn_images and total < warn_bytes:
        return None
    largest = sorted(old, key=lambda image: -image.own_size)
    disk = filesystems.of_data_root if filesystems is not None else None
    yield Finding(
        subject=HOST,
        summary=(
            f"{len(old)} of {len(images)} images are older "
            f"than {duration(old_s)} and unused: up to {size(total)}"
        ),
        evidence={
            "largest": [f"{image.name} {size(image.own_size)}" for image in largest[:NAMES_SHOWN]]
        },
        variables={"count": str(len(old)), "size": size(total), "hours": str(round(old_s / 3600))},
        touches=subjects_of([disk]),
    )


@check("image.build-cache-large", severity=Severity.advice)
def build_cache_large(
    cache: BuildCache, *, warn_bytes: Bytes = Bytes(10 << 30), warn_pct: Percent = Percent(10)
) -> CheckResult:
    """The build cache takes up much of the disk.

    Ten gibibytes anywhere, or a tenth of a disk that is filling. The space that a prune would free
    is counted. A buildx builder of the kind docker-container keeps its cache in a volume of its own
    (buildx_buildkit_..._state), which is not seen here.
    """
    if cache.not_asked:
        return Skipped(cache.not_asked)
    disk = cache.disk
    if disk is None or cache.bytes < min(warn_bytes, disk.usage.size * warn_pct / 100):
        return None
    share = 100 * cache.bytes / disk.usage.size
    yield Finding(
        subject=HOST,
        summary=f"the build cache holds {size(cache.bytes)}, {share:.0f} % of {disk.point}",
        evidence={
            "/system/df BuildCache not in use": size(cache.bytes),
            "records": cache.records,
            disk.point: f"{disk.usage.used_pct:.0f} % of {size(disk.usage.size)} used",
        },
        variables={"size": size(cache.bytes)},
        touches=(disk.subject,),
    )


@check("image.labels-missing", severity=Severity.advice, posture=True)
def labels_missing(exposed: Exposed, images: Images) -> CheckResult:
    """An image in use does not say which source and version it was built from.

    Any label of `org.opencontainers.image.` is enough; older conventions (org.label-schema,
    maintainer) do not count. Whether what the labels say is true is not looked at. The official
    images of Docker Hub have none, and are left out: their reader cannot build them again.
    """
    known_images = set()
    for container in exposed:
        image = images.of(container)
        if image is None or image.id in known_images:
            continue
        known_images.add(image.id)
        labels = sorted(image.labels or ())
        says_so = any(name.startswith("org.opencontainers.image.") for name in labels)
        if says_so or image.is_official:
            continue
        name = container.config.image
        yield Finding(
            subject=Subject("image", name),
            summary=(f'image "{name}" ({container}) has no labels that say what it was built from'),
            evidence={"Labels": labels[:NAMES_SHOWN] or "none", "container": container.name},
            variables={"image": name},
        )
