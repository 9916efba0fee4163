"""container.failing-inside: a container runs, and a program in it has failed."""

from collections.abc import Callable, Mapping

from checks.container.causes import PROGRAM_CAUSES
from checks.container.helpers import LINE
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.inner_failures import InnerFailure, InnerFailures
from diagnose.evidence.containers.logs.inner_patterns import JOBS, UNREACHED
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.access.mount_access import MountAccess
from diagnose.evidence.containers.mounts.linked_files import LinkedFiles
from diagnose.evidence.containers.peers.outdated_servers import OutdatedServers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.first_steps.named.named_things import named_thing_steps
from diagnose.first_steps.rows.row_steps import row_steps
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import duration, quoted, sentence
from diagnose.programs.failures import Recognised
from diagnose.registry import check

_DATA_OF: Mapping[str, tuple[str, ...]] = {
    "rabbitmq": ("/var/lib/rabbitmq", "/bitnami/rabbitmq"),
    "search-flood": (
        "/usr/share/elasticsearch/data",
        "/usr/share/opensearch/data",
        "/bitnami/elasticsearch",
        "/bitnami/opensearch",
    ),
}
"""Where the images of servers keep the data for which there is too little room."""
_PIHOLE = LazyPattern(r"(?:^|/)pihole(?:$|@|:(?P<year>20\d\d(?=\.))?)")
_VERSION_SIX = 2025
"""The year of Pi-hole's first release whose settings are variables of FTL."""
_OF_VARIABLES = ("generated", "typed")
"""What a row offers where only another variable heals: that touches no data."""
_PID_FILE = "container.pid-file-stale"
_ENDS_OF_PID_FILES = (".pid", ".lock")
"""No other file is removed because a line of a log names it."""
PARTLY = JOBS | {"haproxy", "java-memory", UNREACHED}
"""Failures of a part: the rest of the program works on."""


@check(
    "container.failing-inside",
    severity=Severity.critical,
    caused_by=[
        *PROGRAM_CAUSES,
        "container.entrypoint-forbidden",
        "container.entrypoint-missing",
        "container.mount-forbidden",
        "container.mount-source-missing",
        "storage.disk-full",
        "storage.inodes-exhausted",
        "storage.read-only",
    ],
    observed=True,
)
def failing_inside(
    inner_failures: InnerFailures,
    mount_access: MountAccess | None,
    info: Info | None,
    clock: Clock,
    outdated_servers: OutdatedServers | None,
    linked_files: LinkedFiles | None,
) -> CheckResult:
    """A container runs, but a program in it has failed and is not back.

    The container's state still says `running`, because its first process is a supervisor, or a
    server that refuses its work. Today's last lines of containers with supervisord, s6, PM2,
    Redis, RabbitMQ, etcd, MongoDB, dnsmasq, HAProxy or Java are read, and of those that hold the
    files of a database whose server does not run in them. It counts too if supervisord, PM2 or
    gunicorn starts a program again and again, and it ends each time: three times, and lately. A
    later line that says that the program is back ends the finding. A thread of Java that ended
    for lack of heap, and a backend of HAProxy without a server are warnings, and so is the last
    run of a job that failed, as updaters, backup containers and schedulers write it down. A
    server that HAProxy cannot connect to at all counts where it was started after HAProxy, which
    keeps an old address then. Where the log does not
    say why a program ended, a log file of its own may.
    """
    for failure in inner_failures:
        server = outdated_servers.of(failure) if outdated_servers is not None else None
        if failure.name != UNREACHED or server is not None:
            finding = _finding(failure, mount_access, info, clock, server)
            yield finding if linked_files is None else linked_files.out_of(finding)
    yield from inner_failures.unexamined


def _finding(
    failure: InnerFailure,
    mount_access: MountAccess | None,
    info: Info | None,
    clock: Clock,
    server: Container | None,
) -> Finding:
    """server: the one whose old address HAProxy keeps."""
    container = failure.container
    age = clock.age(failure.at)
    since = f", {duration(age)} ago" if age is not None else ""
    evidence: dict[str, object] = {LINE: quoted(failure.line)}
    if failure.reason and failure.reason != failure.line:
        evidence["log, the reason"] = quoted(failure.reason)
        if failure.path:
            evidence["written to"] = failure.path
    recognised = _known_failure(failure)
    if recognised is not None:
        evidence |= {"this means": recognised.cause, "what fixes it": recognised.cure}
    evidence["State"] = container.state.status
    finding = Finding.about(
        container,
        sentence(
            f"{container} runs, but {failure.cause}{since}",
            recognised.cause if recognised is not None else "",
            _outdated_address_clause(server),
        ),
        evidence,
        discriminator=failure.program or failure.name,
        severity=Severity.warning if failure.name in PARTLY else Severity.critical,
        signs=signs(failure.line, failure.reason),
        onset=failure.at,
    )
    if server is not None:
        return finding.with_variables({"rebound": container.name})
    row = _row_variables(failure, recognised, info)
    root = info.docker_root_dir if info is not None else ""
    return finding.with_variables(row or _variables(failure, recognised, mount_access, root))


def _outdated_address_clause(server: Container | None) -> str:
    """Whose old address HAProxy keeps, in words for the end of a sentence."""
    if server is None:
        return ""
    return f"it looks names up at its start, and {server} was started later, with an address of its own"


def _row_variables(
    failure: InnerFailure, known: Recognised | None, info: Info | None
) -> PageVariables:
    """What the known failure's own remedy needs.

    Of a program that ends each time, the container is recreated with another variable.
    """
    left = known.values.get("file", "") if known and known.confirmed_by == _PID_FILE else ""
    if left.startswith("/") and left.endswith(_ENDS_OF_PID_FILES):
        return {"left_in": failure.container.name, "left_file": left}
    row = row_steps(failure.container, known, None, is_running=True, info=info)
    if row or not failure.recurs:
        return row
    stopped = row_steps(failure.container, known, None, is_running=False, info=info)
    return {name: stopped[name] for name in _OF_VARIABLES if name in stopped}


def _known_failure(failure: InnerFailure) -> Recognised | None:
    """The known failure that the reason shows, where a keeper has given a program up."""
    is_of_keeper = bool(failure.reason) and failure.reason != failure.line
    return LogTail((failure.reason,)).failure if is_of_keeper else None


def _variables(
    failure: InnerFailure, known: Recognised | None, mount_access: MountAccess | None, root: str
) -> PageVariables:
    """What the page needs for the cure.

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
    named = named_thing_steps(container, failure.reason or failure.line)
    may_heal = known is None or known.failure.may_pass
    is_left_down = may_heal and not named and not failure.recurs
    again = {"again": container.name} if is_left_down else {}
    return present({"program": failure.program}) | again | named


def _denied_mount(container: Container, mount_access: MountAccess | None) -> PageVariables:
    """The one mount that its user may not write; nothing where there are several."""
    denied = mount_access.denied if mount_access is not None else ()
    own = [refusal for refusal in denied if refusal.container.id == container.id]
    mounts = [refusal for refusal in own if not refusal.is_socket]
    if len(mounts) != 1:
        return {}
    return {"source": mounts[0].mount.source, "owner": mounts[0].user.owner}


def _resolver_variables(failure: InnerFailure) -> PageVariables:
    """The variable by which Pi-hole answers other networks too; other servers have a file."""
    container = failure.container
    image = _PIHOLE.search(container.config.image)
    if image is None:
        return {"aloof": container.name}
    is_old = image["year"] is not None and int(image["year"]) < _VERSION_SIX
    setting = "DNSMASQ_LISTENING=all" if is_old else "FTLCONF_dns_listeningMode=all"
    return {"listening": f"--env={setting}"}


def _room_variables(failure: InnerFailure, folders: tuple[str, ...], root: str) -> PageVariables:
    """The folder on the host whose file system has too little room, or the container itself."""
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


_OF_SERVERS: Mapping[str, Callable[[InnerFailure], dict[str, str]]] = {
    "dns-local": _resolver_variables,
    "etcd-space": lambda failure: {"etcd": failure.container.name},
    "haproxy": lambda failure: {"balancer": failure.container.name, "backend": failure.program},
    "mongo-member": lambda failure: {"renamed": failure.container.name},
    "redis": lambda _: {},
}
"""The variables for servers that run and refuse their work."""
