"""Does the engine use the data root that holds the containers of this host, and is that whole?"""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data.covered_data_root import CoveredDataRoot
from diagnose.evidence.engine.data.covered_records import CoveredRecord, CoveredRecords
from diagnose.evidence.engine.data.data_root_candidates import (
    DataRootCandidates,
    OtherRoot,
    PlannedMount,
    RunningEngine,
)
from diagnose.evidence.engine.data.hidden_containers import HiddenContainers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.starting.temp_folder import TempFolder
from diagnose.evidence.images.listing import Images
from diagnose.evidence.storage.mounts import Mounted
from diagnose.first_steps.engine.data_root_steps import former_driver, is_snap, one_engine, way_back
from diagnose.mappings import names_of, subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped, Subject
from diagnose.phrases import and_more, count, named
from diagnose.registry import check

NAMES_SHOWN = 8


@check("daemon.wrong-data-root", severity=Severity.critical)
def wrong_data_root(
    candidates: DataRootCandidates, config: DaemonConfig | None, images: Images | None
) -> CheckResult:
    """The engine does not use the data root that holds the containers of this host.

    To the engine nothing is wrong: it finds an empty folder, and everything seems gone. Either the
    disk of the data root is not mounted, as fstab or a mount unit asks (critical for an engine
    without containers, otherwise a warning: they were made since), or an engine without containers
    has another data root beside it with containers in it. That happens when `data-root` or
    `userns-remap` was changed or lost: a warning, and advice where the engine has images, as a
    build host has between two jobs. A root that another living engine uses does not count, nor does
    an old root beside an engine that has containers.

    It is a warning too where another engine is running with containers and without a socket of its
    own, as the snap docker and a package do beside each other: the one that started last has taken
    the socket, and the docker command shows nothing of the other one.
    """
    for engine in candidates.running:
        yield _running_engine_finding(candidates, engine)
    for mount in candidates.unmounted:
        yield _unmounted_disk_finding(candidates, mount)
    if candidates.unmounted:
        return None
    severity = Severity.advice if images is not None and len(images) else Severity.warning
    for other in candidates.others:
        yield _moved_root_finding(candidates, other, config, severity)


def _running_engine_finding(candidates: DataRootCandidates, engine: RunningEngine) -> Finding:
    own = count(candidates.containers, "container") if candidates.containers else "none"
    kind = "the snap docker" if is_snap(engine.path) else "another engine"
    return Finding(
        subject=DAEMON,
        summary=(
            f"{kind} is running too, with {count(engine.containers, 'container')} in {engine.path}: "
            f"the docker command does not show them, because the engine of {candidates.path}, "
            f"which has {own}, has taken the socket"
        ),
        evidence={
            f"process {engine.pid}": "dockerd without a socket of its own (-H, hosts)",
            f"{engine.path}/containers": engine.containers,
            "data root in use": candidates.path,
        },
        variables=one_engine(candidates, engine),
        discriminator=engine.path,
        severity=Severity.warning,
    )


def _unmounted_disk_finding(candidates: DataRootCandidates, mount: PlannedMount) -> Finding:
    empty = not candidates.containers
    if empty:
        state = "has no containers"
    else:
        state = f"has {count(candidates.containers, 'container')} on another disk"
    return Finding(
        subject=DAEMON,
        summary=(
            f"the disk of data root {candidates.path} is "
            f"not mounted ({mount.source} at {mount.point}): the engine {state}"
        ),
        evidence={
            mount.declared_in: f"{mount.source} {mount.point}",
            "/proc/self/mountinfo": f"nothing at {mount.point}",
            "containers of the engine": candidates.containers,
        },
        variables={"point": mount.point},
        discriminator=mount.point,
        severity=Severity.critical if empty else Severity.warning,
        touches=(Subject("filesystem", mount.point),),
    )


def _moved_root_finding(
    candidates: DataRootCandidates,
    other_root: OtherRoot,
    config: DaemonConfig | None,
    severity: Severity,
) -> Finding:
    containers = count(other_root.containers, "container")
    if is_snap(candidates.path):
        summary = (
            "the engine of the snap docker serves the socket, and has no containers; "
            f"{other_root.path} of another Docker, which is not running, has {containers}"
        )
    elif is_snap(other_root.path):
        summary = (
            f"the engine has no containers in {candidates.path}, but the snap docker, which is "
            f"not running, has {containers} in {other_root.path}"
        )
    else:
        summary = (
            f"the engine has no containers in {candidates.path}, but {other_root.path} is a data root with "
            f"{containers}"
        )
    return Finding(
        subject=DAEMON,
        summary=summary,
        evidence={
            "data root in use": candidates.path,
            "data-root is set by": config.where("data-root") if config is not None else "not known",
            f"{other_root.path}/containers": containers,
        },
        variables=way_back(candidates, other_root, config),
        discriminator=other_root.path,
        severity=severity,
    )


@check(
    "daemon.data-root-covered",
    severity=Severity.critical,
    causes=[
        "container.record-damaged",
        "container.start-refused",
        "daemon.errors-in-log",
        "logging.file-missing",
        "storage.overlay-orphans",
    ],
)
def data_root_covered(
    covered: CoveredDataRoot,
    daemon: Daemon,
    containers: Containers | None,
    records: CoveredRecords | None,
) -> CheckResult:
    """Another file system is mounted over the data root of the running engine.

    The disk came late at boot, or somebody mounted it for a new data root before the engine was
    stopped. The engine looks its layers up by name and finds those of the disk, or none: nothing
    starts, and running containers cannot be inspected. Nothing is lost yet, but a container that is
    removed now is lost. The locks on the engine's own records show on which device they are. Seen
    on engines 20.10.24 and 28.5.2. A mount over a part of the data root, such as its folder
    `image`, leaves an engine that starts on it without containers; one that came later hides logs
    or volumes of the containers that run.
    """
    if daemon.is_podman:
        return Skipped("Podman holds no such locks")
    if daemon.is_down:
        return Skipped("an engine that does not run holds no locks")
    if covered.mount is not None:
        yield _covered_finding(covered.mount, containers)
        return None
    for record in records or ():
        if record.is_later:
            yield _later_mount_finding(record, containers)
        else:
            yield _covered_part_finding(record)


def _covered_finding(mount: Mounted, containers: Containers | None) -> Finding:
    """The finding about a data root that a mount hides."""
    subjects = [container.subject for container in containers or ()]
    unexamined = containers.unexamined if containers is not None else ()
    unread = [left_out.subject for left_out in unexamined]
    return Finding(
        subject=DAEMON,
        summary=(
            f"{mount.source} is mounted at {mount.point} over the data root of the running engine: "
            "its images and containers are hidden below, and nothing is lost"
        ),
        evidence={
            "/proc/self/mountinfo": f"{mount.source} {mount.point} {mount.fstype}",
            "/proc/locks": "the engine's own records are on another device",
        },
        variables={"point": mount.point},
        touches=(*subjects, *unread, Subject("filesystem", mount.point)),
    )


def _covered_part_finding(record: CoveredRecord) -> Finding:
    mount = record.mount
    containers = count(len(record.ids), "container")
    return Finding(
        subject=DAEMON,
        summary=(
            f"{mount.source} is mounted at {mount.point} over a part of the engine's data root: the "
            f"engine shows none of {containers}, and what it knew of them is hidden below"
        ),
        evidence={
            "/proc/self/mountinfo": f"{mount.source} {mount.point} {mount.fstype}",
            f"{record.left} names": [id[:12] for id in record.ids[:NAMES_SHOWN]],
            "containers that the engine shows": 0,
        },
        variables={"part": mount.point},
        discriminator=mount.point,
        touches=(Subject("filesystem", mount.point),),
    )


def _later_mount_finding(record: CoveredRecord, containers: Containers | None) -> Finding:
    """The finding about a mount over a part of the data root, where the engine works with the
    folder beneath."""
    mount = record.mount
    hidden_containers = [container for container in containers or () if container.id in record.ids]
    return Finding(
        subject=DAEMON,
        summary=(
            f"{mount.source} is mounted at {mount.point} over a part of the running engine's data "
            f"root: files of {named('container', names_of(hidden_containers))} are hidden below"
        ),
        evidence={
            "/proc/self/mountinfo": f"{mount.source} {mount.point} {mount.fstype}",
            f"below {mount.point}": "nothing of what the engine has there",
        },
        variables={"point": mount.point},
        discriminator=mount.point,
        touches=(*subjects_of(hidden_containers), Subject("filesystem", mount.point)),
    )


@check("daemon.temp-folder-missing", severity=Severity.warning)
def temp_folder_missing(
    temp_folder: TempFolder, daemon: Daemon, covered: CoveredDataRoot | None
) -> CheckResult:
    """The engine's temporary folder in the data root was removed.

    The engine makes it at its start and needs it for each `docker load`, `docker import` and pull.
    Somebody who cleans the disk removes it, and containers keep running. An engine that was given
    another folder (DOCKER_TMPDIR) uses that one, as far as its environment may be read.
    """
    if daemon.is_podman:
        return Skipped("Podman has no such folder")
    if covered is not None and covered.mount is not None:
        return Skipped("another disk is mounted over the data root")
    if not temp_folder.is_missing:
        return None
    yield Finding(
        subject=DAEMON,
        summary=f"the engine's folder {temp_folder.path} was removed: images cannot be loaded or pulled",
        evidence={f"stat {temp_folder.path}": "no such file or directory"},
        variables={"path": temp_folder.path},
    )


@check("daemon.containers-hidden", severity=Severity.critical)
def containers_hidden(
    hidden: HiddenContainers,
    info: Info,
    containers: Containers,
    config: DaemonConfig | None,
    daemon: Daemon,
) -> CheckResult:
    """The engine does not see containers that belong to another storage driver.

    An engine loads only the containers and images of the driver in use. After a switch to
    containerd's image store, or a fall back to another driver, it seems empty, and nothing is lost.
    It is advice where the engine has other containers by now: the old ones may be left there on
    purpose.
    """
    if daemon.is_podman:
        return Skipped("Podman keeps its containers differently")
    if not hidden.count:
        return None
    names = f" ({and_more(hidden.names, NAMES_SHOWN)})" if hidden.names else ""
    yield Finding(
        subject=DAEMON,
        summary=(
            f"the engine now works with the storage driver {info.driver}, and does not show "
            f"{count(hidden.count, 'container')} of {hidden.driver}{names} and their images"
        ),
        evidence={
            "/info Driver": info.driver,
            hidden.folder: f"{count(hidden.count, 'container')} of {hidden.driver}",
            "containers that the engine shows": len(containers),
        },
        variables=former_driver(hidden, info, config),
        severity=Severity.advice if len(containers) else None,
    )
