"""Page variables that let a container start that the engine refuses."""

import posixpath

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.bind_mounts import BindSources
from diagnose.evidence.containers.mounts.program_places import hiding_mount
from diagnose.evidence.containers.programs.start_refusals import (
    STOCK,
    Refusal,
    is_of_own_runtime,
    taken_address,
)
from diagnose.mappings import first_of, only, present
from diagnose.model import PageVariables
from diagnose.programs.failures import START_ERRORS, Recognised, recognise
from diagnose.programs.path_errors import path_of_error
from diagnose.programs.volume_folders import volumes_in

_LEAST_MEMORY = 64 * 2**20
"""Bytes in which the runtime and a small program can begin."""


def known_error(container: Container) -> Recognised | None:
    """The known failure of the engine's error; None where it is not known."""
    return recognise(container.state.error.splitlines(), None, START_ERRORS)


def cures(container: Container) -> PageVariables:
    """The page variables of the commands that heal the error, where its cause is known.

    Where it is not, nothing better is known than another try.
    """
    error = known_error(container)
    if error is None:
        return {"retry": container.name}
    volumes = volumes_in(container.state.error)
    networks = list(container.endpoints)
    return error.page_variables(
        {
            "container": container.name,
            "larger_memory": _larger_memory(container),
            "only_network": only(networks) or "",
            "volume": only(volumes) or "",
        }
    )


def _larger_memory(container: Container) -> str:
    """A memory limit with which it can begin, in bytes; "" for a container without a limit."""
    limit = container.host_config.memory
    return str(max(_LEAST_MEMORY, 4 * limit)) if limit else ""


LOCAL = "local"
"""The engine's own driver of volumes."""
_OF_THE_KERNEL = ("/proc/", "/sys/", "/dev/")
_NO_ROOM = "no space left on device"


def driver_of(volume: str, container: Container) -> str:
    """The driver of a container's volume."""
    drivers = (mount.driver for mount in container.mounts if mount.name == volume)
    return next(filter(None, drivers), LOCAL)


def refusal_steps(refusal: Refusal, container: Container) -> PageVariables:
    """The page variables of a refused start, beside the container; empty for none."""
    if refusal.peer is not None and not refusal.peer.is_running:
        return {"needed": refusal.peer.name}
    if refusal.is_of_log_driver:
        return _log_cures(container)
    if refusal.wants_user:
        return {"userless": container.name}
    if refusal.kind == "program":
        if is_of_own_runtime(container, refusal.program):
            return {"added": f"--runtime={STOCK}"}
        return {"lost_program": refusal.program}
    if known_error(container) is None:
        if refusal.kind == "volume":
            return _volume_variables(refusal, container) or cures(container)
        if refusal.kind == "address" and len(container.endpoints) == 1:
            return {"network": first_of(container.endpoints)}
        return _path_variables(container) or cures(container)
    return cures(container)


def swapped_address(container: Container, containers: Containers) -> PageVariables:
    """The container that has a fixed address by chance, and gets another one at its next start."""
    address = taken_address(container, containers)
    if address is None or address.holder.endpoints[address.network].fixed_address:
        return {}
    is_alone = set(address.holder.endpoints) == {address.network} and address.holder.is_running
    return {"by_chance": address.holder.name} if is_alone else {}


def _path_variables(container: Container) -> PageVariables:
    """The page variable of the host's path at which an unknown error ends; another start meets it
    too.

    None for a file system that was full: a start works as soon as there is room.
    """
    if _NO_ROOM in container.state.error:
        return {}
    path = path_of_error(container.state.error)
    return {} if path.startswith(_OF_THE_KERNEL) else present({"refused_path": path})


def _volume_variables(refusal: Refusal, container: Container) -> PageVariables:
    """The page variables of the folder or the disk that a volume lacks, or of the volume that its
    driver lacks."""
    if volume := refusal.unknown_volume:
        driver = driver_of(volume, container)
        if driver == LOCAL:
            return {"removed_volume": volume}
        return {"forgotten": volume, "volume_driver": driver}
    if refusal.emptied_folder:
        return {"emptied": refusal.emptied_folder}
    absent = refusal.absent
    if absent is None:
        return {}
    if not absent.is_bind:
        return {"disk": absent.device}
    return {"device": absent.device, "folder": absent.folder}


def _log_cures(container: Container) -> PageVariables:
    """The page variables of the cure for a log driver that does not start: its known cure, or
    the engine's own log."""
    cure = cures(container) if known_error(container) is not None else {}
    return cure or {"unlogged": container.name}


def mountpoint_steps(
    container: Container, target: str, bind_sources: BindSources | None
) -> PageVariables:
    """The page variables that make the missing file or folder below another mount."""
    outer = container.mount_at(hiding_mount(container, target))
    mount = container.mount_at(target)
    if outer is None or mount is None:
        return {}
    source = bind_sources.by_path.get(mount.source) if bind_sources is not None else None
    is_file = source is not None and source.type == "file"
    return {"empty_file" if is_file else "empty_folder": outer.on_host(target)}


def file_below_mount(container: Container, source: str) -> PageVariables:
    """The page variables that mount a file below the folder over which it cannot be mounted."""
    mounts = [mount for mount in container.mounts if mount.source == source]
    if len(mounts) != 1:
        return {}
    target = mounts[0].destination.rstrip("/")
    access = "" if mounts[0].rw else ":ro"
    name = posixpath.basename(source)
    return {"misplaced": mounts[0].destination, "as_file": f"{source}:{target}/{name}{access}"}
