"""Page variables for a program that has failed in a container that runs."""

import re
from collections.abc import Callable, Mapping

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.inner_failures import InnerFailure
from diagnose.evidence.containers.logs.inner_patterns import JOBS
from diagnose.evidence.containers.mounts.access.mount_access import MountAccess
from diagnose.evidence.containers.peers.moved_masters import MovedMaster
from diagnose.evidence.engine.info import Info
from diagnose.first_steps.named.named_things import named_thing_steps
from diagnose.first_steps.rows.row_steps import row_steps
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

_DATA_OF: Mapping[str, tuple[str, ...]] = {
    "rabbitmq": ("/var/lib/rabbitmq", "/bitnami/rabbitmq"),
    "search-flood": (
        "/usr/share/elasticsearch/data",
        "/usr/share/opensearch/data",
        "/bitnami/elasticsearch",
        "/bitnami/opensearch",
    ),
}
"""Folders in which the images of servers keep the data for which there is too little room."""
_PIHOLE = LazyPattern(r"(?:^|/)pihole(?:$|@|:(?P<year>20\d\d(?=\.))?)")
_VERSION_SIX = 2025
"""The year of Pi-hole's first release whose settings are variables of FTL."""
_OF_VARIABLES = ("generated", "typed")
"""Page variables of rows whose remedy is another variable: that touches no data."""
_HOST_NAME = LazyPattern(r"[A-Za-z0-9](?:[A-Za-z0-9-]|\.(?=[A-Za-z0-9])){0,62}")
_ADDRESS = LazyPattern(r"[\d.]{7,15}")
_PID_FILE = "container.pid-file-stale"
_ENDS_OF_PID_FILES = (".pid", ".lock")
"""Only these files are removed because a line of a log names them."""


def inner_steps(
    failure: InnerFailure,
    recognised: Recognised | None,
    mount_access: MountAccess | None,
    info: Info | None,
) -> PageVariables:
    """The page variables of the known failure's own remedy, or else of one that suits the
    program."""
    root = info.docker_root_dir if info is not None else ""
    row = _row_variables(failure, recognised, info)
    return row or _variables(failure, recognised, mount_access, root)


def _row_variables(
    failure: InnerFailure, recognised: Recognised | None, info: Info | None
) -> PageVariables:
    """The page variables of the known failure's own remedy.

    For a program that ends each time, the container is recreated with another variable.
    """
    left_file = ""
    if recognised is not None and recognised.confirmed_by == _PID_FILE:
        left_file = recognised.values.get("file", "")
    if left_file.startswith("/") and left_file.endswith(_ENDS_OF_PID_FILES):
        return {"left_in": failure.container.name, "left_file": left_file}
    row = row_steps(failure.container, recognised, None, is_running=True, info=info)
    if row or not failure.recurs:
        return row
    stopped = row_steps(failure.container, recognised, None, is_running=False, info=info)
    return {name: stopped[name] for name in _OF_VARIABLES if name in stopped}


def _variables(
    failure: InnerFailure,
    recognised: Recognised | None,
    mount_access: MountAccess | None,
    root: str,
) -> PageVariables:
    """The page variables of a cure that suits the program.

    The mount that its user may not write, or the container to start again. root: the folder of the
    engine, where data lies that no mount has.
    """
    container = failure.container
    if failure.name == "java-memory":
        return {"leaking": container.name}
    failure_signs = signs(failure.line, failure.reason)
    if "permission" in failure_signs:
        mount = _denied_mount(container, mount_access)
        if mount:
            return mount
    if failure.name == "watchtower":
        return {"updater": container.name, "outdated": failure.program}
    if failure.name in JOBS:
        return {"scheduler": container.name, "job": failure.program}
    if failure.name in _OF_SERVERS:
        return _OF_SERVERS[failure.name](failure)
    if failure.name in _DATA_OF:
        return _room_variables(failure, _DATA_OF[failure.name], root)
    named_steps = named_thing_steps(container, failure.reason or failure.line)
    may_heal = recognised is None or recognised.failure.may_pass
    is_left_down = may_heal and not named_steps and not failure.recurs
    restart = {"again": container.name} if is_left_down else {}
    return present({"program": failure.program}) | restart | named_steps


def _denied_mount(container: Container, mount_access: MountAccess | None) -> PageVariables:
    """The page variables of the only mount that its user may not write; empty where there are
    several."""
    denied = mount_access.denied if mount_access is not None else ()
    own_refusals = [refusal for refusal in denied if refusal.container.id == container.id]
    mounts = [refusal for refusal in own_refusals if not refusal.is_socket]
    if len(mounts) != 1:
        return {}
    return {"source": mounts[0].mount.source, "owner": mounts[0].user.owner}


def _resolver_variables(failure: InnerFailure) -> PageVariables:
    """The page variable by which Pi-hole answers other networks too; other servers have a file."""
    container = failure.container
    image = _PIHOLE.search(container.config.image)
    if image is None:
        return {"aloof": container.name}
    is_old = image["year"] is not None and int(image["year"]) < _VERSION_SIX
    setting = "DNSMASQ_LISTENING=all" if is_old else "FTLCONF_dns_listeningMode=all"
    return {"listening": f"--env={setting}"}


def _room_variables(failure: InnerFailure, folders: tuple[str, ...], root: str) -> PageVariables:
    """The page variable of the folder on the host whose file system has too little room, or of the
    container itself."""
    container = failure.container
    if failure.program == "memory":
        return {"crowded": container.name}
    sources = [
        mount.source
        for mount in container.mounts
        if mount.destination.startswith(folders) and mount.has_host_path
    ]
    folder = only(sources) if sources else root
    name = "search_data" if failure.name == "search-flood" else "narrow"
    return present({name: folder})


def _member_variables(failure: InnerFailure) -> PageVariables:
    """The page variable with the former host name of the only member of a replica set.

    A set with several members may know this one under any of the names. Where the name already
    leads to the container, another host name changes nothing.
    """
    container = failure.container
    name = only(list(failure.known_as)) or ""
    leads_here = name in {*container.dns_names, container.config.hostname}
    is_host_name = _HOST_NAME.fullmatch(name) and not _ADDRESS.fullmatch(name)
    if leads_here or not is_host_name:
        return {"renamed": container.name}
    return {"former_host": name}


def moved_master_steps(failure: InnerFailure, moved: MovedMaster) -> PageVariables:
    """The page variables by which Sentinel calls its master at the address of today.

    Its file is changed where that is on the host. Else a start may write it again.
    """
    sentinel = failure.container
    files = [word for word in sentinel.command if word.startswith("/") and word.endswith(".conf")]
    for mount in sentinel.mounts:
        for file in files:
            if mount.rw and mount.has_host_path and mount.holds(file):
                former = re.escape(moved.former_address)
                return {
                    "sentinel": sentinel.name,
                    "sentinel_file": mount.on_host(file),
                    "address_edit": rf"s/\b{former}\b/{moved.address}/g",
                }
    return {"masterless": sentinel.name}


_OF_SERVERS: Mapping[str, Callable[[InnerFailure], dict[str, str]]] = {
    "dns-local": _resolver_variables,
    "etcd-space": lambda failure: {"etcd": failure.container.name},
    "haproxy": lambda failure: {"balancer": failure.container.name, "backend": failure.program},
    "mongo-member": _member_variables,
    "redis": lambda _: {},
    "sentinel": lambda _: {},
}
"""The variables for servers that run and refuse their work."""
