"""container.start-refused: the engine refuses a start for a reason that no other check knows."""

from collections.abc import Mapping

import msgspec

from checks.container.causes import causes_without
from checks.container.starts.closed_mount import closed_mount_finding
from checks.container.starts.device_missing import DEVICE
from checks.container.starts.network_gone import NETWORK
from checks.container.starts.replaced_partner import replaced_partner_finding
from checks.container.starts.runtime_limit_hit import CGROUPS, LIMITS, RUNTIME
from checks.container.starts.start_errors import failed_start, joined_by_error
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.access.closed_mounts import ClosedMounts
from diagnose.evidence.containers.mounts.bind_mounts import BindSources, PathStatus
from diagnose.evidence.containers.mounts.moved_sources import MovedSources
from diagnose.evidence.containers.mounts.refused_mounts import RefusedMount, refused_mount
from diagnose.evidence.containers.programs.missing_programs import own_program
from diagnose.evidence.containers.programs.start_refusals import (
    UNMADE_SOURCE,
    Refusal,
    held_addresses,
    is_of_own_runtime,
    refusal_of,
    taken_address,
)
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.starting.unfound_programs import UnfoundPrograms, missed_program
from diagnose.evidence.images.own_users import ImageUsers
from diagnose.first_steps.starts.start_steps import (
    LOCAL,
    driver_of,
    file_below_mount,
    known_error,
    mountpoint_steps,
    refusal_steps,
    swapped_address,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, PageVariables, Severity, Subject
from diagnose.programs.failures import Failure, Recognised
from diagnose.registry import check

_EXPLAINED = LazyPattern(
    r"port is already allocated|: bind: (?!permission denied)|failed to bind host port"
    r"|no available IPv4 addresses"
)
"""Errors that checks of other families report."""


@check(
    "container.start-refused",
    severity=Severity.critical,
    caused_by=[*causes_without("container.start-refused"), "image.corrupt"],
    observed=True,
)
def start_refused(
    containers: Containers,
    bind_sources: BindSources | None,
    data_root: DataRoot | None,
    moved_sources: MovedSources | None,
    unfound_programs: UnfoundPrograms | None,
    closed_mounts: ClosedMounts | None,
    events: Events | None,
    image_users: ImageUsers | None,
) -> CheckResult:
    """The engine refuses to start a container, and says why.

    Another container whose network, IPC or link it needs does not run or is gone; a user that its
    image does not have; a volume that cannot be mounted, a file over a folder; options that a log
    driver or the kernel does not know; a program of the host that the engine calls (runc, its shim,
    docker-init). A refusal that another check explains is left to that check. The same error in
    several containers is one finding. No restart policy tries a refused start again. Seen on
    engines 20.10.24, 26.1.5 and 28.5.2.
    """
    refused: list[tuple[Container, Finding]] = []
    for container in containers:
        if not container.start_failed or _is_explained(container):
            continue
        finding = (
            _late_source_finding(container, bind_sources)
            or _snap_finding(container, data_root)
            or _unfound_finding(container, unfound_programs)
            or closed_mount_finding(container, closed_mounts)
            or replaced_partner_finding(container, containers, events)
            or _finding(container, containers, bind_sources)
        )
        if finding is not None:
            source = finding.variables.get("link", "")
            cure = moved_sources.variables_of(source) if moved_sources is not None else {}
            own_user = image_users.of(container) if image_users is not None else None
            if own_user is not None and own_user == container.config.user:
                finding = _with_number_for_user(finding, container)
            refused.append((container, finding.with_variables(cure)))
    yield from joined_by_error(refused)


def _with_number_for_user(finding: Finding, container: Container) -> Finding:
    """The finding with a number in place of the user that the image itself names: the container has
    no option that could be left out."""
    if "userless" not in finding.variables:
        return finding
    numbered = {"numbered": container.name}
    return finding.without_variable("userless").with_variables(numbered)


def _finding(
    container: Container, containers: Containers, bind_sources: BindSources | None
) -> Finding | None:
    mount = refused_mount(container)
    if mount is not None and mount.kinds_differ:
        return _file_over_folder_finding(container, mount, bind_sources)
    if mount is not None and mount.is_for_source(_status_of(mount.source, bind_sources)):
        return None  # container.mount-source-missing
    meaning = known_error(container)
    if meaning is not None:
        meaning = msgspec.structs.replace(meaning, values=_by_name(meaning.values, containers))
    refusal = refusal_of(container, containers)
    peer = refusal.peer
    image = () if peer else (Subject("image", container.config.image),)
    engine = () if refusal.is_of_container else (DAEMON,)
    return failed_start(
        container,
        _late_volume_clause(refusal, bind_sources) or _reason(refusal, container, containers),
        known=meaning,
        evidence=_address_holders(refusal, container, containers),
        touches=(*image, *engine),
        calls=subjects_of([peer]),
        variables=_cure(refusal, container, containers, bind_sources),
    )


def _cure(
    refusal: Refusal, container: Container, containers: Containers, bind_sources: BindSources | None
) -> PageVariables:
    """The page variables that remove the obstacle of the start."""
    if _late_volume_clause(refusal, bind_sources):
        return {"came_late": container.name}
    swapped = swapped_address(container, containers) if refusal.kind == "address" else {}
    if swapped:
        return swapped
    steps = refusal_steps(refusal, container)
    if "mountpoint_of" in steps:
        return mountpoint_steps(container, steps["mountpoint_of"], bind_sources)
    return steps


def _late_volume_clause(refusal: Refusal, bind_sources: BindSources | None) -> str:
    """The clause that says that the disk or folder of a volume is there by now.

    "" where it is not, or where that is not known.
    """
    absent = refusal.absent
    if absent is None or bind_sources is None:
        return ""
    now = [bind_sources.by_path.get(path) for path in (absent.device, absent.folder)]
    if any(status is None or status.failed for status in now):
        return ""
    return f'{absent.device}, on which its volume "{refusal.name}" stands, was not there then; it is there now'


def _late_source_finding(container: Container, bind_sources: BindSources | None) -> Finding | None:
    """The finding about a path of the host that was missing at the start, and is there by now.

    A share or a disk that is mounted after the engine has started does so at each boot.
    """
    error = UNMADE_SOURCE.search(container.state.error)
    if error is None or bind_sources is None:
        return None
    path = error["path"]
    status = bind_sources.by_path.get(path)
    if status is None or status.type not in ("folder", "file"):
        return None
    late = Failure(
        name="source-late",
        mark="",
        pattern="",
        cause=f"{path}, which it mounts, was not there then; it is there now",
        cure="start it; for the next boot, let the engine's unit wait for the mount "
        f"(RequiresMountsFor={path})",
        source="docker/for-linux#293",
    )
    return failed_start(
        container,
        "",
        known=Recognised(late, container.state.error, {}),
        evidence={path: f"a {status.type} of {status.owner}"},
        variables={"came_late": container.name},
    )


_SNAP = "/var/snap/"
"""Below it lies the data root of an engine that is installed as a snap."""


def _snap_finding(container: Container, data_root: DataRoot | None) -> Finding | None:
    """The finding about a start that an engine in a snap refuses, since it does not see a folder of
    the host."""
    meaning = known_error(container)
    is_snap = data_root is not None and data_root.path.startswith(_SNAP)
    if not is_snap or meaning is None or meaning.name != "source-read-only":
        return None
    path = meaning.values["path"]
    explained = msgspec.structs.replace(
        meaning,
        failure=msgspec.structs.replace(
            meaning.failure,
            cause=f"Docker is installed as a snap, which sees no folder outside /home: it finds no "
            f"{path}, and cannot make one",
            cure="move the folder below /home, or install the engine from the distribution's package",
        ),
    )
    return failed_start(
        container,
        "",
        known=explained,
        evidence={"data root": data_root.path if data_root else ""},
        variables={"unseen": path},
    )


def _unfound_finding(container: Container, unfound: UnfoundPrograms | None) -> Finding | None:
    """The finding about a program of the host that exists in a folder where its caller does not
    look."""
    name = missed_program(container.state.error)
    program = unfound.by_name.get(name) if unfound is not None else None
    if program is None:
        return None
    search = f"its PATH is {program.search}" if program.search else "it has no PATH"
    short_path = Failure(
        name="path-too-short",
        mark="",
        pattern="",
        cause=f"{program.caller} cannot find {name}, which is in {program.folder}: {search}",
        cure=f"add {program.folder} to PATH in the unit of {program.caller}, and restart it",
        source="containerd/containerd#2481",
    )
    finding = failed_start(
        container,
        "",
        known=Recognised(short_path, container.state.error, {}),
        evidence={f"PATH of {program.caller} (pid {program.pid})": program.search or "not set"},
        touches=(DAEMON,),
    )
    if not program.searched:
        return finding
    link = {"searched": program.searched, "unfound": program.path}
    if program.companion:
        link = {
            "searched": program.searched,
            "shim": program.path,
            "runtime_too": program.companion,
        }
    return finding.with_variables(link)


def _file_over_folder_finding(
    container: Container, mount: RefusedMount, bind_sources: BindSources | None
) -> Finding | None:
    """The finding about a file that cannot be mounted over a folder; None where the source is not a
    file, or not known."""
    on_host = _status_of(mount.source, bind_sources)
    if on_host is None or on_host.type != "file":
        return None
    reason = f"{mount.source} is a file, {mount.target} in it is a folder"
    return failed_start(container, reason, variables=file_below_mount(container, mount.source))


def _status_of(source: str, bind_sources: BindSources | None) -> PathStatus | None:
    return bind_sources.by_path.get(source) if bind_sources is not None else None


def _reason(refusal: Refusal, container: Container, containers: Containers) -> str:
    """The reason why the start was refused, in words."""
    match refusal.kind:
        case "peer" if refusal.peer is None:
            return f'container "{refusal.name[:12]}", which it needs, no longer exists'
        case "peer" if refusal.peer is not None and refusal.peer.is_running:
            return f"{refusal.peer}, which it needs, was not running then; it runs now"
        case "peer":
            return f"{refusal.peer}, which it needs, is not running"
        case "user":
            kind = "user" if refusal.wants_user else "group"
            return f'its image has no {kind} "{refusal.name}"'
        case "sysctl":
            return (
                f"the host does not let the runtime set {refusal.name}: "
                "the engine runs inside a confined container (LXC) or profile"
            )
        case "program":
            return f"the host has no {refusal.name}{_runtime_clause(container, refusal)}"
        case "volume":
            return _volume_reason(refusal, container)
        case "address":
            return _taken_reason(container, containers)
        case "log driver":
            driver = container.host_config.log_config.type
            return f"its log driver {driver} says {refusal.driver_says}"[:160]
    return refusal.core


def _runtime_clause(container: Container, refusal: Refusal) -> str:
    """The clause about the runtime whose program is gone.

    "" for a program of the engine itself, and for a container of the engine's own runtime.
    """
    if not is_of_own_runtime(container, refusal.program):
        return ""
    return f', the program of its runtime "{container.host_config.runtime}"'


def _volume_reason(refusal: Refusal, container: Container) -> str:
    """The reason why a volume of a container could not be mounted."""
    if refusal.unknown_volume:
        return _unknown_volume_reason(refusal.unknown_volume, container)
    if refusal.lost_volume:
        return f'the folder of its volume "{refusal.lost_volume}" is gone, with all that was in it'
    volume = f'its volume "{refusal.name}"' if refusal.name else "a volume"
    absent = refusal.absent
    device = refusal.unknown_filesystem
    if absent is not None:
        or_folder = "or the volume's own folder is gone"
        if absent.is_bind:
            return f"{absent.device}, on which {volume} stands, does not exist, {or_folder}"
        return f"there is no {absent.device}, the disk of {volume}, {or_folder}"
    if device:
        kind = "NFS" if ":" in device else "the file system"
        return f"{volume} cannot be mounted: this kernel has no module for {kind} of {device}"
    return f"{volume} cannot be mounted, {refusal.core}"


def _unknown_volume_reason(volume: str, container: Container) -> str:
    """The reason about a volume that its driver has forgotten, or that was removed without the
    engine."""
    driver = driver_of(volume, container)
    if driver == LOCAL:
        return (
            f'its volume "{volume}" no longer exists: its folder was removed with all that was in it, '
            "or lies on a disk that is not mounted"
        )
    return (
        f'plugin "{driver}" does not know its volume "{volume}": a plugin that keeps its list in '
        "memory forgets the volumes when its program ends"
    )


def _taken_reason(container: Container, containers: Containers) -> str:
    address = taken_address(container, containers)
    if address is not None:
        return f'its address {address.address} of network "{address.network}" is held by {address.holder}'
    networks = " or ".join(container.endpoints) or "its network"
    return f"the fixed address that it asks for on {networks} is taken"


def _address_holders(
    refusal: Refusal, container: Container, containers: Containers
) -> dict[str, object]:
    """The holders of addresses on each network that refuses the container one, as evidence."""
    if not refusal.wants_address:
        return {}
    holders_by_network = held_addresses(container, containers)
    return {f"addresses on {network}": holders for network, holders in holders_by_network.items()}


def _by_name(values: Mapping[str, str], containers: Containers) -> dict[str, str]:
    """The values of an error with names in place of the ids of containers."""
    names = {other.id: other.name for other in containers}
    return {key: names.get(value, value) for key, value in values.items()}


def _is_explained(container: Container) -> bool:
    error = container.state.error
    lowered = error.lower()
    if own_program(container) or container.lacks_log_receiver:
        return True
    if RUNTIME.search(lowered) and any(text in lowered for text in (*LIMITS, *CGROUPS)):
        return True
    return any(pattern.search(error) for pattern in (_EXPLAINED, DEVICE, NETWORK))
