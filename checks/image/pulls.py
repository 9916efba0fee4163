"""Pulls that fail for the disk, for ids, for layers, for limits, or for what arrives."""

from collections.abc import Mapping

from checks.image.failed_pulls import FailedPulls, image_of, mirrors_of, reason_of
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.subordinate_ids import SubordinateIds, remapped_user
from diagnose.evidence.images.build_cache import BuildCache
from diagnose.evidence.images.listing import Images
from diagnose.evidence.images.pulls.pulls import Pulls
from diagnose.evidence.images.pulls.registry_names import HUB_HOST
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.loop_images import LoopImages, in_image
from diagnose.mappings import present
from diagnose.model import CheckResult, Count, Json, PageVariables, Seconds, Severity
from diagnose.phrases import size
from diagnose.registry import check

LAST_ID = 2**32 - 2
"""The highest user id of the kernel."""


@check(
    "image.pull-no-space",
    severity=Severity.warning,
    caused_by=["storage.disk-full", "storage.inodes-exhausted"],
    observed=True,
)
def pull_no_space(
    pulls: Pulls,
    clock: Clock,
    filesystems: Filesystems | None,
    loop_images: LoopImages | None,
    images: Images | None,
    cache: BuildCache | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A pull failed because the disk had no room for the image.

    The engine removes the unfinished layers, so the room is back a moment later and the disk looks
    well. An image needs its unpacked size and, while it is pulled, its packed layers as well. The
    data root may lie in an image file that is smaller than the disk around it (docker.img on
    Unraid). A prune that would free nothing is not offered.
    """
    disk = filesystems.of_data_root if filesystems is not None else None
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("no-space"):
        variables = {**image_of(trouble), **_prunes(images, cache)}
        if disk is None:
            yield failures.finding(trouble, variables=variables)
            continue
        available = size(disk.usage.available)
        image = loop_images.by_point.get(disk.point) if loop_images is not None else None
        yield failures.finding(
            trouble,
            proof={f"statvfs({disk.point}).available": available},
            variables={
                **variables,
                "point": disk.point,
                **(image.variables if image is not None else {}),
            },
            touches=(disk.subject,),
            clause=f"; {disk.point} has {available} free now{in_image(image)}",
        )


def _prunes(images: Images | None, cache: BuildCache | None) -> PageVariables:
    """The page variables of the prunes that free room, or that may do so for all that is known."""
    has_cache = cache is None or bool(cache.not_asked) or cache.bytes > 0
    counted = images if images is not None and images.users_known else None
    has_nameless = counted is None or bool(counted.dangling)
    has_unused = counted is None or bool(counted.unused)
    return present(
        {
            "cache": "--force" if has_cache else "",
            "nameless": "--force" if has_nameless else "",
            "unused": "--force" if has_unused else "",
        }
    )


@check("image.ids-out-of-range", severity=Severity.warning)
def ids_out_of_range(
    pulls: Pulls,
    clock: Clock,
    config: DaemonConfig | None,
    ids: SubordinateIds | None,
    log: DaemonLog | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """An image has files of a user id that the engine's user namespace does not have.

    An engine with `userns-remap`, and a rootless one, own a range of ids from /etc/subuid and
    /etc/subgid, by default 65,536 of them. A file whose owner has a higher number cannot be
    unpacked. Images built on hosts with directory users have such files. A failure is over where
    the engine has started since, with a range that holds the id: nobody has to pull that image
    again.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("ids"):
        id = trouble.words.unmapped_id
        has_id_by_now = id is not None and ids is not None and id < ids.count
        if has_id_by_now and log is not None and log.has_started_since(trouble.last):
            continue
        variables = image_of(trouble)
        user = remapped_user(config)
        if id is not None and user and id < LAST_ID:
            variables |= {"user": user, "count": str(id + 1)}
        yield failures.finding(
            trouble,
            variables=variables,
            proof={"userns-remap": config.value("userns-remap")} if config and user else None,
            clause=_owner_beyond(id),
        )


def _owner_beyond(id: int | None) -> str:
    if id is None:
        return ""
    return f"; a file of the image belongs to user {id}, beyond the range that the engine remaps"


@check("image.too-many-layers", severity=Severity.warning)
def too_many_layers(
    pulls: Pulls, clock: Clock, *, repeated: Count = Count(3), recent_s: Seconds = Seconds(3600)
) -> CheckResult:
    """An image has more layers than the storage driver can stack.

    overlay2 takes 125 (its mount options must fit into one page of memory). The same image may work
    with another storage driver.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("depth"):
        yield failures.finding(trouble, variables=image_of(trouble))


@check("image.pull-rate-limited", severity=Severity.warning)
def pull_rate_limited(
    pulls: Pulls,
    clock: Clock,
    info: Info | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A registry refuses pulls because too many were made.

    Docker Hub counts by address where nobody is logged in: behind a shared address this host may be
    innocent. Other registries have limits of their own; the text shows it. A later pull from the
    same registry ends the finding. Nothing is pulled to find out.
    """
    mirrors = mirrors_of(info)
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    failing = [trouble for trouble in pulls.of("unreachable") if trouble.registry in mirrors]
    proof: dict[str, Json] = {"RegistryConfig.Mirrors": list(mirrors.values()) or "none"}
    clause = ""
    if failing:
        mirror = failing[0]
        proof[f"mirror {mirror.registry}"] = reason_of(mirror)
        clause = (
            f"; mirror {mirror.registry}, which could replace Docker Hub, cannot be reached either"
        )
    for trouble in pulls.of("rate-limit"):
        is_hub = trouble.host == HUB_HOST
        yield failures.finding(trouble, proof=proof, clause=clause if is_hub else "")


@check("image.pull-altered", severity=Severity.warning)
def pull_altered(
    pulls: Pulls,
    clock: Clock,
    info: Info | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A pulled image does not match what its registry announced.

    A layer whose digest or size is another one, or that breaks off: the engine keeps nothing of it,
    and nothing on this host is damaged. A mirror or a proxy that stores a wrong copy, a device on
    the way that looks into the traffic, or a damaged store of the registry.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    between = _mirrors_and_proxy(info) if info is not None else {}
    for trouble in pulls.of("altered"):
        yield failures.finding(
            trouble,
            proof=between,
            variables=image_of(trouble),
            clause="" if not between else f"; {_way_clause(between)} may have altered it",
        )


def _mirrors_and_proxy(info: Info) -> dict[str, Json]:
    """The mirrors and the proxy between this host and a registry, as evidence."""
    mirrors = list(mirrors_of(info).values())
    return present(
        {"RegistryConfig.Mirrors": mirrors, "HttpsProxy": info.https_proxy or info.http_proxy}
    )


def _way_clause(between: Mapping[str, Json]) -> str:
    return " or ".join(
        "a mirror" if key.endswith("Mirrors") else f"proxy {value}"
        for key, value in between.items()
    )
