"""Images: pulls that fail, images that do not fit, and what piles up."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.evidence.containers import Containers
from diagnose.evidence.exposure import most_exposed_first
from diagnose.evidence.filesystems import Filesystems
from diagnose.evidence.images import Images, tag_of
from diagnose.model import HOST, Bytes, Count, Finding, Severity, Subject, Unavailable
from diagnose.registry import check
from diagnose.times import size

NAMES_SHOWN = 8


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
def latest_tag(containers: Containers) -> Iterable[Finding]:
    """A container runs an image by the tag `latest`, which moves with each pull.

    No tag means `latest` too; a digest names one image for ever, whatever its tag. Images that are built and used on
    one host alone are named as well: they cannot be rolled back by name either.
    """
    users: dict[str, list[str]] = {}
    for container in most_exposed_first(containers):
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
