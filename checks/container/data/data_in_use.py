"""The checks container.data-locked and container.data-version-mismatch.

A program finds its data in use, or of another version.
"""

from collections.abc import Iterator
from typing import NamedTuple

from checks.container.claims import Claim, claims, is_broken
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.data.data_files import DataFiles, DataVersion
from diagnose.evidence.containers.mounts.data.foreign_data import ForeignData, ForeignDataList
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.images.builds import repository_of
from diagnose.evidence.images.listing import name_of, tag_of
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check

LOCKED = "container.data-locked"
MISMATCH = "container.data-version-mismatch"
_FLAVOURS = frozenset({"alpine", "apache", "fpm"})
"""Parts of tags that stand for another C library or another server."""


@check(LOCKED, severity=Severity.critical)
def data_locked(containers: Containers, clock: Clock, log_tails: LogTails) -> CheckResult:
    """A container's data is in use by another running container.

    The program's log says that a file of its data is locked, and another running container has the
    same volume or the same folder of the host mounted for writing. Where no other container has it,
    a process of the host or a former run left the lock: that is only what the program says.
    """
    for claim in claims(LOCKED, containers, log_tails, clock):
        place = next(_shared_places(claim.container, containers), None)
        if place is None:
            continue
        holder, mount = place
        yield claim.finding(
            f"cannot lock its data in {mount.place}: {holder} is already using it",
            {f"{holder.name} mounts": str(mount), f"{holder.name} State": holder.state.status},
            touches=(holder.subject, *mount.volumes),
            variables={"holder": holder.name, "source": mount.source},
        )


class _SharedPlace(NamedTuple):
    """A running container that writes to the same place, and its mount there."""

    holder: Container
    mount: Mount


def _shared_places(container: Container, containers: Containers) -> Iterator[_SharedPlace]:
    """The places of the host to which this container and another one write."""
    written = {mount.source for mount in container.mounts if mount.rw and mount.source}
    others = (other for other in containers.running if other.id != container.id)
    for other in others:
        for mount in other.mounts:
            if mount.rw and mount.source in written:
                yield _SharedPlace(other, mount)


@check(MISMATCH, severity=Severity.critical)
def data_version_mismatch(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    data_files: DataFiles,
    foreign_data: ForeignDataList | None,
) -> CheckResult:
    """A container's data was written by another version of its program.

    The log says so. Where the program keeps its version in a file (PG_VERSION of PostgreSQL), that
    file is on the host and agrees; other programs name the version in their log. An image tag
    without a version moves to the next major release, whose server does not read the old files.
    Images of other publishers number their releases in their own way: they are left out. Data of
    MinIO's old format, and that of MariaDB under MySQL or the reverse, show themselves by a file.
    """
    reported_ids = set()
    for claim in claims(MISMATCH, containers, log_tails, clock):
        container = claim.container
        version = data_files.versions.get(container.id)
        if claim.failure.needs:
            if version is not None and _agrees(version, claim):
                reported_ids.add(container.id)
                yield _with_version_file(claim, version)
            continue
        old_image = _old_image(claim)
        if old_image and old_image != container.config.image:
            reported_ids.add(container.id)
            yield claim.finding(
                f"cannot use its data: {claim.failure.cause}",
                {"Config.Image": container.config.image, "what fixes it": claim.failure.cure},
                variables={"old_image": old_image},
            )

    for foreign in foreign_data or ():
        container = foreign.container
        if container.id not in reported_ids and is_broken(container, clock, log_tails):
            yield _foreign_finding(foreign, log_tails.of(container))


def _foreign_finding(foreign: ForeignData, tail: LogTail) -> Finding:
    container = foreign.container
    marker = foreign.marker
    old = f"{name_of(container.config.image)}:{marker.old_tag}"
    return Finding.about(
        container,
        f"{container} cannot use its data in {foreign.mount.place}: it {marker.cause}",
        {
            foreign.path: "shows who wrote the data",
            "Config.Image": container.config.image,
            "what fixes it": marker.cure,
            **present({LINE: tail.last}),
        },
        touches=foreign.mount.volumes,
        signs=tail.signs,
        onset=container.failed_first,
        variables={"old_image": old} if marker.old_tag else {"cure": marker.cure},
    )


def _with_version_file(claim: Claim, version: DataVersion) -> Finding:
    image = claim.container.config.image
    program = claim.value("program") or claim.container.config.value_of("PG_MAJOR") or "another one"
    return claim.finding(
        f"runs version {program}, but its data was written by version {version.version}",
        {version.path: version.version, "Config.Image": image},
        touches=version.mount.volumes,
        variables={"old_image": f"{name_of(image)}:{version.version}{_flavour(image)}"},
    )


def _agrees(version: DataVersion, claim: Claim) -> bool:
    stated = claim.value("data")
    return not stated or stated == version.version or stated.startswith(f"{version.version}.")


def _old_image(claim: Claim) -> str:
    """The image that reads the data: the container's own repository, with the tag of the version.

    "" where the image comes from another publisher than the one whose tags are known.
    """
    known_image = claim.failure.page_variables({}).get("old_image", "")
    repository, _, tag = known_image.rpartition(":")
    image = claim.container.config.image
    own_name = name_of(image)
    is_its_own = bool(repository) and repository_of(image) in (
        repository_of(repository),
        f"docker.elastic.co/{repository}/{repository}",
    )
    return f"{own_name}:{tag}{_flavour(image)}" if is_its_own else ""


def _flavour(image: str) -> str:
    """The part of the tag that names the base of the image, which the old image needs too."""
    tag = tag_of(image) or ""
    words = [word for word in tag.split("-")[1:] if word in _FLAVOURS]
    return "".join(f"-{word}" for word in words)
