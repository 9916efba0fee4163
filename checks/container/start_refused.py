"""container.start-refused: the engine refuses a start for a reason that no other check knows."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from checks.container.causes import causes_without
from checks.container.start_errors import (
    cures,
    failed_start,
    grouped,
    hiding_mount,
    known_error,
)
from checks.container.start_resources import DEVICE, LIMITS, NETWORK, RUNTIME
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.bind_mounts import MOUNTING, BindSources
from diagnose.evidence.containers.programs.missing_programs import own_program
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Subject
from diagnose.registry import check

_EXPLAINED = LazyPattern(
    r"port is already allocated|: bind: (?!permission denied)|failed to bind host port"
    r"|no available IPv4 addresses"
)
"""What checks of other families name by the same words."""
_TOOL = LazyPattern(
    r'exec: "(?P<name>[^"]+)": executable file not found|fork/exec (?P<path>/(?!proc/)\S+): no such file'
)
"""A program of the host that the engine or its runtime calls: docker-init, runc, a shim, a hook."""
_OF_ENGINE = frozenset({"docker-init", "docker-proxy", "containerd-shim-runc-v2", "runc"})
_STOCK = "runc"
"""The runtime that every engine has."""
_PEER = LazyPattern(
    r"non running container: (?:container )?/?(?P<joined>[\w.-]+)"
    r"|No such container: (?P<lost>[\w.-]+)"
    r"|(?:join IPC of|join PID of|join PID namespace of)(?: a)? container:? (?P<space>[\w.-]+)",
    re.IGNORECASE,
)
_USER = LazyPattern(r"unable to find (?P<kind>user|group) (?P<name>[^:]+):")
_ENDPOINT = LazyPattern(r"^.*connectivity on endpoint \S+ \(\w+\): ")
_DRIVER = "failed to initialize logging driver: "
_VOLUME = LazyPattern(
    r"error while mounting volume '[^']*/volumes/(?P<volume>[^/']+)/_data'"
    r"|failed to mount local volume"
    r"|evaluating symlinks from mount source \"(?P<emptied>[^\"]*/volumes/(?P<lost>[^/\"]+)/_data)\""
)
_ABSENT = LazyPattern(
    r"local volume: mount (?P<device>/.*):(?P<folder>/.*/volumes/[^/]+/_data)"
    r"(?:, flags: (?P<flags>\S+))?: no such file or directory"
)
"""A bind or a disk by its name; the kernel does not say which of the two paths is missing."""
_BIND_FLAG = 0x1000
"""MS_BIND of mount(2): the volume is a folder of the host, not a disk."""
_NO_FILESYSTEM = LazyPattern(
    r"local volume: mount (?P<device>\S+):(?P<folder>\S+).*: no such device"
)
"""The kernel does not know the file system type (mount(2), ENODEV)."""
_TAKEN = LazyPattern(r"(?<!: bind: )Address already in use$")
"""The engine's own addresses; a port that is taken is `bind: address already in use`, in small
letters."""
_SYSCTL = LazyPattern(
    r"open sysctl (?P<name>\S+?):? .*permission denied"
    r"|open sysctl (?P<file>\S+) file: .*permission denied"
)


@check(
    "container.start-refused",
    severity=Severity.critical,
    caused_by=[*causes_without("container.start-refused"), "image.corrupt"],
)
def start_refused(containers: Containers, bind_sources: BindSources | None) -> CheckResult:
    """The engine refuses to start a container, and says why.

    Another container whose network, IPC or link it needs does not run or is gone; a user that its
    image does not have; a volume that cannot be mounted, a file over a folder; options that a log
    driver or the kernel does not know; a program of the host that the engine calls (runc, its shim,
    docker-init). What a check of its own explains is left to that one. The same error in several
    containers is one finding. No restart policy tries a refused start again. Seen on engines
    20.10.24, 26.1.5 and 28.5.2.
    """
    refused: list[tuple[Container, Finding]] = []
    for container in containers:
        if not container.start_failed or _is_explained(container):
            continue
        finding = _finding(container, containers, bind_sources)
        if finding is not None:
            refused.append((container, finding))
    yield from grouped(refused)
    return None


def _finding(
    container: Container, containers: Containers, bind_sources: BindSources | None
) -> Finding | None:
    error = container.state.error
    mount = MOUNTING.search(error)
    if mount and ("not a directory" in error or "no such file" in error):
        source = bind_sources.by_path.get(mount["source"]) if bind_sources is not None else None
        is_file = source is not None and source.type == "file"
        what = f"{mount['source']} is a file, {mount['target']} in it is a folder"
        if not is_file:
            return None
        return failed_start(container, what).with_variables(_below(container, mount["source"]))
    meaning = known_error(container)
    if meaning is not None:
        meaning = msgspec.structs.replace(meaning, values=_by_name(meaning.values, containers))
    what, peer = _reason(container, containers)
    image = () if peer else (Subject("image", container.config.image),)
    engine = () if _is_of_container(error) else (DAEMON,)
    finding = failed_start(
        container,
        what,
        known=meaning,
        evidence=_address_holders(container, containers),
        touches=(*image, *engine),
        calls=(peer.subject,) if peer else (),
    )
    variables = _variables(container, peer)
    if "mountpoint_of" in variables:
        variables = _mountpoint(container, variables["mountpoint_of"], bind_sources)
    return finding.with_variables(variables)


def _is_of_container(error: str) -> bool:
    """Whether a sound engine refuses as well: a user that is missing, an address that is taken."""
    return bool(_USER.search(error) or _TAKEN.search(error))


def _by_name(values: Mapping[str, str], containers: Containers) -> dict[str, str]:
    """The values of an error with names in place of the ids of containers."""
    names = {other.id: other.name for other in containers}
    return {key: names.get(value, value) for key, value in values.items()}


def _mountpoint(
    container: Container, target: str, bind_sources: BindSources | None
) -> dict[str, str]:
    """The variables that make what is missing below another mount: a file or a folder."""
    outer = hiding_mount(container, target)
    mounts = {mount.destination: mount for mount in container.mounts or ()}
    if outer not in mounts or target not in mounts:
        return {}
    path = mounts[outer].source + target.removeprefix(outer.rstrip("/"))
    source = mounts[target].source
    known = bind_sources.by_path.get(source) if bind_sources is not None else None
    is_file = known is not None and known.type == "file"
    return {"empty_file": path} if is_file else {"empty_folder": path}


def _is_explained(container: Container) -> bool:
    error = container.state.error
    lowered = error.lower()
    if own_program(container) or container.lacks_log_receiver:
        return True
    if RUNTIME.search(lowered) and any(text in lowered for text in LIMITS):
        return True
    return any(pattern.search(error) for pattern in (_EXPLAINED, DEVICE, NETWORK))


def _reason(container: Container, containers: Containers) -> tuple[str, Container | None]:
    """Why the start was refused, in words, and the peer container if that is the reason."""
    error = container.state.error
    if match := _PEER.search(error):
        name = match["joined"] or match["lost"] or match["space"]
        peer = next(
            (other for other in containers if name == other.name or other.id.startswith(name)), None
        )
        if peer is None:
            return f'container "{name[:12]}", which it needs, no longer exists', None
        return f"{peer}, which it needs, is not running", peer
    if match := _USER.search(error):
        return f'its image has no {match["kind"]} "{match["name"]}"', None
    if match := _SYSCTL.search(error):
        name = match["name"] or match["file"]
        return (
            (
                f"the host does not let the runtime set {name}: "
                "the engine runs inside a confined container (LXC) or profile"
            ),
            None,
        )
    if match := _TOOL.search(error):
        return f"the host has no {match['name'] or match['path']}{_of_runtime(container)}", None
    if match := _VOLUME.search(error):
        return _volume_reason(error, match), None
    if _TAKEN.search(error):
        return _taken_reason(container, containers), None
    if _DRIVER in error:
        return (
            f"its log driver {container.host_config.log_config.type} says "
            f"{error.rpartition(_DRIVER)[2]}"[:160],
            None,
        )
    return _core(error), None


def _of_runtime(container: Container) -> str:
    """Whose program is gone, for a container with a runtime of its own, as the end of a sentence.

    "" for a program of the engine itself, and for a container of the engine's own runtime.
    """
    missing = _TOOL.search(container.state.error)
    program = (missing["name"] or missing["path"]).rpartition("/")[2] if missing else ""
    runtime = container.host_config.runtime
    if program in _OF_ENGINE or runtime in ("", _STOCK, "io.containerd.runc.v2"):
        return ""
    return f', the program of its runtime "{runtime}"'


def _volume_reason(error: str, match: re.Match[str]) -> str:
    if match["lost"]:
        return f'the folder of its volume "{match["lost"]}" is gone, with all that was in it'
    volume = f'its volume "{match["volume"]}"' if match["volume"] else "a volume"
    absent = _ABSENT.search(error)
    if absent and not _is_bind(absent):
        return (
            f"there is no {absent['device']}, the disk of {volume}, "
            "or the volume's own folder is gone"
        )
    if absent:
        return (
            f"{absent['device']}, on which {volume} stands, "
            "does not exist, or the volume's own folder is gone"
        )
    if unknown := _NO_FILESYSTEM.search(error):
        kind = "NFS" if ":" in unknown["device"] else "the file system"
        return (
            f"{volume} cannot be mounted: "
            f"this kernel has no module for {kind} of {unknown['device']}"
        )
    return f"{volume} cannot be mounted, {_core(error)}"


def _is_bind(absent: re.Match[str]) -> bool:
    """Whether a volume that cannot be mounted is a folder of the host."""
    try:
        return bool(int(absent["flags"] or "0", 16) & _BIND_FLAG)
    except ValueError:
        return False


def _taken_reason(container: Container, containers: Containers) -> str:
    for network, endpoint in container.endpoints.items():
        holder = _holder(endpoint.fixed_address, network, containers)
        if holder is not None:
            return (
                f'its address {endpoint.fixed_address} of network "{network}" is held by {holder}'
            )
    networks = " or ".join(container.endpoints) or "its network"
    return f"the fixed address that it asks for on {networks} is taken"


def _holder(address: str, network: str, containers: Containers) -> Container | None:
    """The running container that has this address on a network."""
    if not address:
        return None
    on_network = (container for container in containers.running if network in container.endpoints)
    return next(
        (
            container
            for container in on_network
            if container.endpoints[network].ip_address == address
        ),
        None,
    )


def _address_holders(container: Container, containers: Containers) -> dict[str, object]:
    """Who has which address on the networks where it is refused one."""
    if not _TAKEN.search(container.state.error):
        return {}
    return {
        f"addresses on {network}": [
            f"{other.name} {other.endpoints[network].ip_address}"
            for other in containers.running
            if network in other.endpoints
        ]
        for network in container.endpoints
    }


def _below(container: Container, source: str) -> dict[str, str]:
    """The variables that mount a file below the folder over which it cannot be mounted."""
    mounts = [mount for mount in container.mounts or () if mount.source == source]
    if len(mounts) != 1:
        return {}
    target = mounts[0].destination.rstrip("/")
    access = "" if mounts[0].rw else ":ro"
    name = source.rpartition("/")[2]
    return {"misplaced": mounts[0].destination, "as_file": f"{source}:{target}/{name}{access}"}


def _variables(container: Container, peer: Container | None) -> dict[str, str]:
    """What the page's commands need beside the container, if anything."""
    error = container.state.error
    if peer is not None and not peer.is_running:
        return {"needed": peer.name}
    if _DRIVER in error:
        return _log_cures(container)
    user = _USER.search(error)
    if user and user["kind"] == "user":
        return {"userless": container.name}
    if tool := _TOOL.search(error):
        if _of_runtime(container):
            return {"added": f"--runtime={_STOCK}"}
        return {"lost_program": (tool["name"] or tool["path"]).rpartition("/")[2]}
    if known_error(container) is not None:
        return cures(container)
    if _VOLUME.search(error):
        return _volume_variables(error) or cures(container)
    is_one = _TAKEN.search(error) and len(container.endpoints) == 1
    return {"network": next(iter(container.endpoints))} if is_one else cures(container)


def _volume_variables(error: str) -> dict[str, str]:
    """The folder or the disk that a volume lacks."""
    volume = _VOLUME.search(error)
    if volume and volume["emptied"]:
        return {"emptied": volume["emptied"]}
    absent = _ABSENT.search(error)
    if absent is None:
        return {}
    if not _is_bind(absent):
        return {"disk": absent["device"]}
    return {"device": absent["device"], "folder": absent["folder"]}


def _log_cures(container: Container) -> dict[str, str]:
    """What heals a log driver that does not start: its known cure, or the engine's own log."""
    known = cures(container) if known_error(container) is not None else {}
    return known or {"unlogged": container.name}


def _core(error: str) -> str:
    """The innermost part of the chain of words, which says what went wrong."""
    chain = error.removesuffix(": unknown")
    for outer in ("container init: ", "container process: ", "create failed: ", "local volume: "):
        chain = chain.rpartition(outer)[2]
    chain = _ENDPOINT.sub("", " ".join(chain.split()))
    return chain if len(chain) <= 140 else f"{chain[:60]} ... {chain[-75:]}"
