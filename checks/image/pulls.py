"""Images that could not be pulled, from what the engine says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from checks.image.failed_pulls import (
    HUB_HOST,
    FailedPulls,
    host_of,
    image_of,
    mirrors_of,
    reason_of,
)
from diagnose.evidence.engine.client import ClientSettings
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.loop_images import LoopImages, in_image
from diagnose.evidence.swarm.swarm import Swarm
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Count, Finding, Json, Seconds, Severity
from diagnose.phrases import size
from diagnose.registry import check

HUB = "docker.io"
"""The Hub as a login names it: under its host's name the credentials would not be found."""
_NO_SUCH_TAG = LazyPattern(r"manifest unknown|manifest for \S+ not found")
LAST_ID = 2**32 - 2
"""The highest user id of the kernel."""


@check(
    "image.pull-no-space",
    severity=Severity.warning,
    caused_by=["storage.disk-full", "storage.inodes-exhausted"],
)
def pull_no_space(
    pulls: Pulls,
    clock: Clock,
    filesystems: Filesystems | None,
    loop_images: LoopImages | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A pull failed because the disk had no room for the image.

    The engine removes the unfinished layers, so the room is back a moment later and the disk looks
    well. An image needs its unpacked size and, while it is pulled, its packed layers as well. The
    data root may lie in an image file that is smaller than the disk around it (docker.img on
    Unraid).
    """
    disk = filesystems.of_data_root if filesystems is not None else None
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("no-space"):
        if disk is None:
            yield failures.finding(trouble, variables=image_of(trouble))
            continue
        available = size(disk.usage.available)
        image = loop_images.by_point.get(disk.point) if loop_images is not None else None
        yield failures.finding(
            trouble,
            proof={f"statvfs({disk.point}).available": available},
            variables={
                **image_of(trouble),
                "point": disk.point,
                **(image.variables if image is not None else {}),
            },
            touches=(disk.subject,),
            clause=f"; {disk.point} has {available} free now{in_image(image)}",
        )
    return None


_UNMAPPED = LazyPattern(r"[Cc]ontainer ID (\d+) cannot be mapped")


@check("image.ids-out-of-range", severity=Severity.warning)
def ids_out_of_range(
    pulls: Pulls,
    clock: Clock,
    config: DaemonConfig | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """An image has files of a user id that the engine's user namespace does not have.

    An engine with `userns-remap`, and a rootless one, own a range of ids from /etc/subuid and
    /etc/subgid, by default 65,536 of them. A file whose owner has a higher number cannot be
    unpacked. Images built on hosts with directory users have such files.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("ids"):
        match = _UNMAPPED.search(trouble.text)
        id = int(match[1]) if match else None
        variables = image_of(trouble)
        user = _remapped_user(config)
        if id is not None and user and id < LAST_ID:
            variables |= {"user": user, "count": str(id + 1)}
        yield failures.finding(
            trouble,
            variables=variables,
            proof={"userns-remap": config.value("userns-remap")} if config and user else None,
        )
    return None


def _remapped_user(config: DaemonConfig | None) -> str:
    """The user whose subordinate ids the engine uses (`default` stands for dockremap).

    "" where the setting is missing, or is the number of a user.
    """
    wanted = config.value("userns-remap") if config is not None else None
    name = str(wanted or "").partition(":")[0]
    if name.isdigit():
        return ""
    return "dockremap" if name == "default" else name


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
    return None


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
    innocent. Other registries have limits of their own; the text tells. A later pull from the same
    registry ends the finding. Nothing is pulled to find out.
    """
    mirrors = mirrors_of(info)
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    failing = [trouble for trouble in pulls.of("unreachable") if trouble.registry in mirrors]
    proof: dict[str, Json] = {"RegistryConfig.Mirrors": list(mirrors.values()) or "none"}
    clause = ""
    if failing:
        mirror = failing[0]
        proof[f"mirror {mirror.registry}"] = reason_of(mirror.text)
        clause = (
            f"; mirror {mirror.registry}, which would spare Docker Hub, cannot be reached either"
        )
    for trouble in pulls.of("rate-limit"):
        is_hub = host_of(trouble) == HUB_HOST
        yield failures.finding(trouble, proof=proof, clause=clause if is_hub else "")
    return None


@check(
    "image.pull-denied",
    severity=Severity.warning,
    aloud=("could not be pulled", "could not be pulled"),
    aloud_of_engine="could not pull an image",
)
def pull_denied(
    pulls: Pulls,
    clock: Clock,
    client: ClientSettings | None,
    swarm: Swarm | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """An image does not exist in its registry, or this host has no right to pull it.

    Registries give the same answer for a name that is misspelt and one that needs a login, so the
    two cannot be distinguished. A login that is no longer valid is worse than none: with it,
    registries refuse public images too (ghcr.io says "denied: denied"). Logins belong to the user
    who pulls; those of the user who runs this are known by the registries' names. Swarm pulls with
    the login that the service was given when it was made, and without one if it was given none. One
    refused pull is most often a slip of the pen: a warning takes three, unless the registry says
    that the login itself is wrong. The first line of the report mentions it for an hour.
    """
    failures = FailedPulls(pulls, clock, repeated)
    recent = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("denied"):
        if _WRONG_LOGIN.search(trouble.text) and not trouble.of_swarm:
            yield _wrong_login_finding(recent, trouble, client)
            continue
        denial = _denial(trouble, pulls.source, client, swarm)
        yield failures.finding(
            trouble,
            variables={"registry": host_of(trouble), **denial.variables},
            proof=denial.proof,
            clause=denial.clause,
        )
    return None


_WRONG_LOGIN = LazyPattern(
    r"(?:incorrect|invalid|wrong) username or password|HTTP Basic: Access denied|bad credentials"
    r"|(?:personal )?access token (?:has|is) (?:been )?(?:expired|revoked|invalid)",
    re.IGNORECASE,
)
"""What registries say of the login itself that they were sent (Docker Hub, GitLab, Harbor, Nexus):
without any login they ask for one."""
_HUB_KEY = "https://index.docker.io/v1/"
"""The name under which the docker command stores the login of Docker Hub."""


def _wrong_login_finding(
    failures: FailedPulls, trouble: PullTrouble, client: ClientSettings | None
) -> Finding:
    """A pull that fails for the login with which it was made: a public image needs none."""
    registry = trouble.registry or HUB
    reason = f"{registry} refuses the login with which it was made: {reason_of(trouble.text)}"
    logins = (client.logins or ()) if client is not None else ()
    if client is None or registry not in logins:
        return failures.finding(trouble, variables={"login": registry}, reason=reason)
    return failures.finding(
        trouble,
        variables={"refused_login": _HUB_KEY if registry == HUB else registry} | image_of(trouble),
        proof={f"{client.file} auths": registry},
        reason=reason,
        clause=f'; user "{client.user}" has one stored in {client.file}',
    )


class _Denial(msgspec.Struct, frozen=True):
    """What is known of a refused pull beyond the registry's words."""

    variables: dict[str, str]
    clause: str = ""
    proof: dict[str, Json] = {}


def _denial(
    trouble: PullTrouble, source: str, client: ClientSettings | None, swarm: Swarm | None
) -> _Denial:
    """By the login with which the pull was made, as far as it is known. source: of the pulls."""
    logins = (client.logins or ()) if client is not None else ()
    registry = trouble.registry or (HUB if trouble.image else _expired_login(trouble, logins))
    service = _service_of(swarm, trouble.image) if trouble.of_swarm else ""
    # the registry has shown the repository: a login would change nothing
    if _NO_SUCH_TAG.search(trouble.text):
        return _Denial({})
    if service:
        return _Denial(
            {"service": service, "service_registry": registry},
            f'; service "{service}" pulls with the login that it was given by '
            "--with-registry-auth, not with that of a user on this node",
        )
    if not registry:
        return _Denial({"unnamed": source})
    if amazon := _AMAZON.fullmatch(registry):
        return _Denial(
            {"amazon": registry, "region": amazon["region"]},
            f"; logins for {registry} last 12 hours",
        )
    return _denial_by_login(trouble, registry, client)


def _denial_by_login(trouble: PullTrouble, registry: str, client: ClientSettings | None) -> _Denial:
    """What the logins of the user, and of the one who called sudo, have to do with it."""
    if client is not None and client.caller is not None and client.lends_login(registry):
        caller = client.caller
        lent = {"as_caller": trouble.image, "caller_config": caller.folder} if trouble.image else {}
        return _Denial(
            lent or {"login": registry},
            f'; user "{client.user}" has no login there, and user "{caller.user}", who called '
            "sudo, has one",
            {f"{caller.folder}/config.json auths": registry},
        )
    if client is None or registry not in (client.logins or ()):
        return _Denial({"login": registry})
    return _Denial(
        {"login": registry, **present({"as_guest": trouble.image})},
        f'; user "{client.user}" has a stored login for {registry}: if it is no '
        "longer valid, even public images are refused",
        {f"{client.file} auths": registry},
    )


def _service_of(swarm: Swarm | None, image: str) -> str:
    """The service whose tasks need this image; "" where this node does not know it."""
    services = swarm.known_services if swarm is not None else ()
    return next((service.spec.name for service in services if service.spec.image == image), "")


_AMAZON = LazyPattern(r"\d+\.dkr\.ecr[\w-]*\.(?P<region>[\w-]+)\.amazonaws\.com(\.cn)?")
_EXPIRED = LazyPattern(r"authorization token has expired")
"""What Amazon's registry says of a login that is too old."""


def _expired_login(trouble: PullTrouble, logins: Sequence[str]) -> str:
    """The registry of Amazon whose login has expired, where the user has only one."""
    of_amazon = [name for name in logins if _AMAZON.fullmatch(name)]
    return of_amazon[0] if len(of_amazon) == 1 and _EXPIRED.search(trouble.text) else ""


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
            clause="" if not between else f"; on the way {_on_the_way(between)}",
        )
    return None


def _mirrors_and_proxy(info: Info) -> dict[str, Json]:
    """The mirrors and the proxy between this host and a registry."""
    mirrors = list(mirrors_of(info).values())
    return present(
        {"RegistryConfig.Mirrors": mirrors, "HttpsProxy": info.https_proxy or info.http_proxy}
    )


def _on_the_way(between: Mapping[str, Json]) -> str:
    return " and ".join(
        "are mirrors" if key.endswith("Mirrors") else f"is the proxy {value}"
        for key, value in between.items()
    )
