"""Containers whose start is refused for a reason that no other check knows: the engine's own words tell."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from checks.container._words import causes_without
from checks.container.start import DEVICE, LIMITS, NETWORK, RUNTIME, failed_start, own_program
from diagnose.evidence.containers.bind_mounts import MOUNTING, BindSources
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.model import DAEMON, Finding, Severity, Subject, Unavailable
from diagnose.registry import check

_EXPLAINED = re.compile(r"port is already allocated|: bind: |failed to bind host port|no available IPv4 addresses")
"""What checks of other families name by the same words."""
_TOOL = re.compile(r'exec: "(?P<name>[^"]+)": executable file not found|fork/exec (?P<path>/\S+): no such file')
"""A program of the host that the engine or its runtime calls: docker-init, runc, a shim, a hook."""
_PEER = re.compile(
    r"non running container: /?(?P<joined>[\w.-]+)|No such container: (?P<lost>[\w.-]+)"
    r"|(?:join IPC of|join PID of|join PID namespace of)(?: a)? container:? (?P<space>[\w.-]+)",
    re.IGNORECASE,
)
_USER = re.compile(r"unable to find (?P<kind>user|group) (?P<name>[^:]+):")
_ENDPOINT = re.compile(r"^.*connectivity on endpoint \S+ \(\w+\): ")
_DRIVER = "failed to initialize logging driver: "
_VOLUME = re.compile(
    r"error while mounting volume '[^']*/volumes/(?P<volume>[^/']+)/_data'|failed to mount local volume"
    r"|evaluating symlinks from mount source \"[^\"]*/volumes/(?P<lost>[^/\"]+)/_data\""
)

_ABSENT = re.compile(
    r"local volume: mount (?P<device>/.*):(?P<folder>/.*/volumes/[^/]+/_data)(?:, flags: \S+)?: no such file or directory"
)
"""A bind or a disk by its name; the kernel does not say which of the two paths it misses."""
_TAKEN = re.compile(r"(?<!: bind: )Address already in use$")
"""The engine's own addresses; a port that is taken is `bind: address already in use`, in small letters."""


@check(
    "container.start-refused",
    severity=Severity.critical,
    caused_by=[*causes_without("container.start-refused"), "image.corrupt"],
)
def start_refused(containers: Containers, bind_sources: BindSources | Unavailable) -> Iterable[Finding]:
    """The engine refuses to start a container, and says why.

    Another container whose network, IPC or link it needs does not run or is gone; a user that its image does not
    have; a volume that cannot be mounted, a file over a folder; options that a log driver or the kernel does not know; a
    program of the host that the engine calls (runc, its shim, docker-init). What a check of its own explains is left to
    that one. No restart policy tries a refused start again. Seen on engines 20.10.24, 26.1.5 and 28.5.2.
    """
    for each in containers:
        if not each.start_failed or _explained(each):
            continue
        mount = MOUNTING.search(each.state.error)
        if mount and ("not a directory" in each.state.error or "no such file" in each.state.error):
            known = bind_sources.by_path.get(mount["source"]) if isinstance(bind_sources, BindSources) else None
            if known and known.type == "file":
                yield failed_start(each, f"{mount['source']} is a file, {mount['target']} in it is a folder")
        else:
            what, peer = _reason(each, containers)
            image = () if peer else (Subject("image", each.config.image),)
            calls = (peer.subject,) if peer else ()
            finding = failed_start(each, what)
            yield replace(
                finding,
                evidence={**finding.evidence, **_proof(each, containers)},
                variables={**finding.variables, **_variables(each)},
                touches=(*image, DAEMON),
                calls=calls,
            )


def _explained(each: Container) -> bool:
    patterns = (_EXPLAINED, DEVICE, NETWORK)
    error = each.state.error
    lowered = error.lower()
    limit = RUNTIME.search(lowered) and any(text in lowered for text in LIMITS)
    return bool(
        limit or own_program(each) or each.lacks_log_receiver or any(pattern.search(error) for pattern in patterns)
    )


def _reason(each: Container, containers: Containers) -> tuple[str, Container | None]:
    """What stands in the way, and the other container where it is one."""
    error = each.state.error
    if match := _PEER.search(error):
        name = match["joined"] or match["lost"] or match["space"]
        peer = next((other for other in containers if name == other.name or other.id.startswith(name)), None)
        if peer is None:
            return f"the container {name[:12]} that it needs no longer exists", None
        return f"the container {peer.name} that it needs is not running", peer
    if match := _USER.search(error):
        return f"its image has no {match['kind']} {match['name']}", None
    if match := _TOOL.search(error):
        return f"the host has no {match['name'] or match['path']}", None
    if match := _VOLUME.search(error):
        if match["lost"]:
            return f"the folder of its volume {match['lost']} is gone", None
        volume = f"its volume {match['volume']}" if match["volume"] else "a volume"
        if absent := _ABSENT.search(error):
            return (
                f"{absent['device']}, on which {volume} stands, does not exist, or the volume's own folder is gone",
                None,
            )
        return f"{volume} cannot be mounted, {_core(error)}", None
    if _TAKEN.search(error):
        for name, end in each.endpoints.items():
            holder = _holder(end.fixed_address, name, containers)
            if holder:
                return f"its address {end.fixed_address} of network {name} is held by {holder.name}", None
        networks = " or ".join(each.endpoints) or "its network"
        return f"the fixed address that it asks for on {networks} is taken", None
    if _DRIVER in error:
        return f"its log driver {each.host_config.log_config.type} says {error.rpartition(_DRIVER)[2]}"[:160], None
    return _core(error), None


def _holder(address: str, network: str, containers: Containers) -> Container | None:
    """The running container that has this address on a network."""
    if not address:
        return None
    on_it = (each for each in containers.running if network in each.endpoints)
    return next((each for each in on_it if each.endpoints[network].ip_address == address), None)


def _proof(each: Container, containers: Containers) -> dict[str, list[str]]:
    """Who has which address on the networks where it is refused one."""
    if not _TAKEN.search(each.state.error):
        return {}
    return {
        f"addresses on {name}": [
            f"{other.name} {other.endpoints[name].ip_address}"
            for other in containers.running
            if name in other.endpoints
        ]
        for name in each.endpoints
    }


def _variables(each: Container) -> dict[str, str]:
    """What the page's commands need to know beside the container, if anything."""
    error = each.state.error
    if absent := _ABSENT.search(error):
        return {"device": absent["device"], "folder": absent["folder"]}
    return {"network": next(iter(each.endpoints))} if _TAKEN.search(error) and len(each.endpoints) == 1 else {}


def _core(error: str) -> str:
    """The innermost part of the chain of words, which says what went wrong."""
    chain = error.removesuffix(": unknown")
    for outer in ("container init: ", "container process: ", "create failed: ", "local volume: "):
        chain = chain.rpartition(outer)[2]
    chain = _ENDPOINT.sub("", " ".join(chain.split()))
    return chain if len(chain) <= 140 else f"{chain[:60]} ... {chain[-75:]}"
