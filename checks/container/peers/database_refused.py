"""container.database-refused: a database that runs refuses the container that calls it."""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from checks.container.claims import Claim, claims
from diagnose.evidence.containers.compose.compose_files import ChangedFile, ComposeFiles, only_file
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.called_database import called_database, is_database
from diagnose.evidence.containers.peers.refused_login import (
    PLAIN_NAME,
    Reason,
    foreign_user,
    of_a_missing_role,
    other_password,
    unnamed_database,
    unused_variable,
)
from diagnose.evidence.containers.peers.stray_logins import (
    StrayLogin,
    stray_login,
    url_without_source,
)
from diagnose.evidence.containers.settings.secret_files import SecretFile, SecretFiles
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.callers import Callers
from diagnose.first_steps.changed_compose import changed_evidence, changed_file, changed_variables
from diagnose.first_steps.rows.database_grants import RIGHTS, grant_steps
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.programs.failures import Recognised
from diagnose.registry import check

ID = "container.database-refused"
_SUPERUSER = "POSTGRES_USER"
_ROOT_OF_MONGO = "MONGO_INITDB_ROOT_USERNAME"
HOLDERS_SHOWN = 5
_CROWDED = LazyPattern(r"too many clients already|remaining connection slots")
"""The message of PostgreSQL, to the client and in its log, when it has no connection left."""


@check(ID, severity=Severity.critical, observed=True, caused_by=["container.variable-malformed"])
def database_refused(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    callers: Callers | None,
    compose_files: ComposeFiles | None,
    repeated_errors: RepeatedErrors | None,
    recent_logs: RecentLogs | None,
    secret_files: SecretFiles | None,
) -> CheckResult:
    """A database refuses a container that calls it.

    The failed container's log has the database's own answer, and the database is another container
    that runs.

    The images of PostgreSQL, MySQL, MariaDB and MongoDB read the user, the password and the
    database from their environment only while their data directory is empty: what is changed there
    later has no effect, which is what most such refusals come from. Before that, the users,
    databases and passwords of both environments are compared, and PostgreSQL's log is searched for
    the role, whose absence it does not show a client; MongoDB's log says in which database it looks
    for the user.

    Where a database has no connection left, the containers that hold its connections are counted.
    Where a file holds the caller's password, it may be absent, because somebody recreated the
    caller without its secrets. The end of the file is looked at: a newline there is a part of the
    password for many programs. A file of the caller's compose project that was changed since may
    have the right password: a restart does not apply it.

    It is a warning where the container still runs, tries again and again, and reports no work.
    """
    failed = list(claims(ID, containers, log_tails, clock))
    waiting = list(_running_claims(repeated_errors, {claim.container.id for claim in failed}))
    for claim in (*failed, *waiting):
        server = called_database(claim.container, claim.failure, containers)
        if server is None:
            continue
        failure = of_a_missing_role(claim.failure, server, recent_logs)
        refusal = _Refusal(
            msgspec.structs.replace(claim, failure=failure),
            server,
            reason=_reason(failure, claim.container, server, secret_files),
            stray=stray_login(failure, server, recent_logs),
            connections=_connections(failure, server, callers),
            changed=_changed_file(claim.container, failure, compose_files),
        )
        finding = _finding(refusal, containers, recent_logs)
        if claim in waiting:
            finding = msgspec.structs.replace(finding, severity=Severity.warning)
        yield finding


class _Refusal(msgspec.Struct, frozen=True):
    """A refused call, with its server and the reason."""

    claim: Claim
    server: Container
    reason: Reason | None
    """The cause that the environments of both, or the file of the password, show."""
    stray: StrayLogin | None
    """The database in which the server looks for the user, where it is another one."""
    connections: Mapping[str, int]
    """The number of the server's connections by client, where none is left."""
    changed: ChangedFile | None
    """The changed file of the caller's project that is not applied to the caller."""


def _reason(
    failure: Recognised, caller: Container, server: Container, secret_files: SecretFiles | None
) -> Reason | None:
    """The first reason in the environments of both containers, or else the one in the file of the
    password."""
    secret_file = secret_files.of(caller) if secret_files is not None else None
    if secret_file is not None and secret_file.lacking_for:
        return _reason_of_absent_file(secret_file)
    for give in (unused_variable, unnamed_database, foreign_user, other_password):
        reason = give(failure, caller, server)
        if reason is not None:
            return reason
    return _reason_of_file(secret_file)


def _connections(
    failure: Recognised, server: Container, callers: Callers | None
) -> Mapping[str, int]:
    is_crowded = failure.name == "too-many-clients"
    return callers.of(server) if callers is not None and is_crowded else {}


def _finding(refusal: _Refusal, containers: Containers, recent_logs: RecentLogs | None) -> Finding:
    claim = refusal.claim
    server = refusal.server
    stray = refusal.stray
    connections = refusal.connections
    changed = refusal.changed
    reason = refusal.reason
    return claim.finding(
        f"is refused by the database in {server}: {_cause(refusal)}"
        f"{_main_client_clause(connections)}{_unapplied_clause(changed)}",
        {
            **changed_evidence(changed),
            **present({f"log of {server.name}": stray.text if stray is not None else None}),
            **present({"connections": dict(list(connections.items())[:HOLDERS_SHOWN])}),
            f"{server.name} State": f"{server.state.status}, image {server.config.image}",
            "what fixes it": _fix(refusal),
        },
        touches=(server.subject,),
        variables={
            "server": server.name,
            **(reason.variables if reason else _variables(claim, server, recent_logs)),
            **_stray_variables(stray, claim.container),
            **_main_client(connections, claim.container, containers),
            **changed_variables(claim.container, changed),
        },
    )


def _reason_of_absent_file(file: SecretFile) -> Reason:
    """The reason in a file of the password that the container was made without."""
    container = file.container
    compose_file = only_file(container)
    service = container.compose_service if compose_file else ""
    return Reason(
        f"it gives no password, because {file.lacking_for} names the file {file.path}, and this "
        "container has no such file: it was created without its secret",
        "recreate the container with this secret",
        present({"secrets_of": compose_file, "without_secret": service}),
    )


def _reason_of_file(file: SecretFile | None) -> Reason | None:
    """The reason in the file of the password: a line end that the program may take as a part of the
    password."""
    if file is None:
        return None
    end = "carriage returns, as Windows writes them" if file.has_returns else "a newline at its end"
    return Reason(
        f"the file of its password, {file.path}, has {end}, which the program may take as a part of "
        "the password",
        f"write the password into the file without {end}, as by printf %s",
        present({"secret_file": file.source}),
    )


def _cause(refusal: _Refusal) -> str:
    reason = refusal.reason
    stray = refusal.stray
    if stray is not None:
        is_root = refusal.server.config.value_of(_ROOT_OF_MONGO) == stray.user
        owner_clause = (
            "which is one of database admin" if is_root else "which may be one of database admin"
        )
        return f"it looks for user {stray.user}, {owner_clause}, in database {stray.base}"
    return reason.cause if reason else refusal.claim.failure.cause


def _fix(refusal: _Refusal) -> str:
    if refusal.stray is not None:
        return "append ?authSource=admin to the address that the program gives MongoDB"
    return refusal.reason.cure if refusal.reason else refusal.claim.failure.cure


def _stray_variables(stray: StrayLogin | None, caller: Container) -> PageVariables:
    """The page variables with the variable whose URL does not name the database of its user, or
    else the user that is not found."""
    if stray is None:
        return {}
    url = url_without_source(caller)
    return {"mongo_url": url} if url else {"stray_user": stray.user}


def _running_claims(errors: RepeatedErrors | None, failed: Collection[str]) -> Iterator[Claim]:
    """The claims of programs that still run and repeat them. failed: the ids of those that failed.

    A database's own lines about its clients are left out.
    """
    for error in errors or ():
        failure = error.failure
        container = error.container
        if failure is None or failure.confirmed_by != ID or container.id in failed:
            continue
        if not (error.serves or error.works or is_database(container)):
            yield Claim(container, LogTail((failure.line,)), failure)


_LOGINS = ("postgres-login", "mysql-access", "mongo-auth")
"""Failures that another password or user ends."""


def _changed_file(
    caller: Container, failure: Recognised, files: ComposeFiles | None
) -> ChangedFile | None:
    """The file of its project that is newer than the caller, where a login was refused."""
    return changed_file(caller, files) if failure.name in _LOGINS else None


def _unapplied_clause(changed: ChangedFile | None) -> str:
    """The clause about a change of the compose project that the caller has not got yet; "" for
    none."""
    if changed is None:
        return ""
    return (
        f"; {changed.path} was changed since this container was created, and is not applied to it"
    )


def _main_client_clause(connections: Mapping[str, int]) -> str:
    """The clause about the client that holds most of the connections; "" for none."""
    name, count = first_of(connections.items(), ("", 0))
    if not count:
        return ""
    return f'; "{name}" holds {count} of its {sum(connections.values())} connections'


def _main_client(
    connections: Mapping[str, int], caller: Container, containers: Containers
) -> dict[str, str]:
    """The only container that has more than half of the connections."""
    name, count = first_of(connections.items(), ("", 0))
    is_container = any(container.name == name for container in containers)
    if not is_container or count * 2 <= sum(connections.values()):
        return {}
    return {"leaking" if name == caller.name else "holder": name}


def _variables(claim: Claim, server: Container, recent_logs: RecentLogs | None) -> PageVariables:
    """The page variables for a refused call, by the right, user or database that is missing."""
    name = claim.failure.name
    if name in RIGHTS:
        return grant_steps(claim.failure, claim.container, server)
    if name.startswith("mysql"):
        return _mysql_variables(claim, server)
    if name == "postgres-login":
        return {"user": claim.value("user"), **_own_login(claim, server)}
    if name == "postgres-database":
        return {"owner": _owner(claim, server), "database": claim.value("database")}
    if name == "postgres-role":
        return _own_role(claim, server) or {
            "owner": _owner(claim, server),
            "role": claim.value("role"),
        }
    if name in ("postgres-hba", "postgres-hba-plain"):
        return {"closed": server.name}
    if name == "too-many-clients":
        return {"crowded" if _is_confirmed(claim, server, recent_logs) else "filled": server.name}
    if name == "postgres-data-denied":
        return {"denied_data": server.name}
    if name == "clickhouse-login":
        return _clickhouse_variables(claim, server)
    return {}


def _is_confirmed(claim: Claim, server: Container, recent_logs: RecentLogs | None) -> bool:
    """Whether the line of its caller is enough to restart a database, or its own log has one too.

    PostgreSQL logs each client that it refuses.
    """
    if not claim.container.shares_project(server):
        return False
    written = recent_logs.of(server) if recent_logs is not None else ()
    refuses = any(_CROWDED.search(line.text) for line in written)
    return refuses or not written or not _CROWDED.search(claim.failure.line)


def _owner(claim: Claim, server: Container) -> str:
    """The superuser: the role of the environment, unless that is the one that does not exist."""
    superuser = server.config.value_of(_SUPERUSER)
    return superuser if superuser and superuser != claim.value("role") else "postgres"


def _own_role(claim: Claim, server: Container) -> PageVariables:
    """The page variables of the server, where its environment names the missing role and has a
    password for it."""
    config = server.config
    is_own = config.value_of(_SUPERUSER) == claim.value("role")
    return {"own_role": server.name} if is_own and config.sets("POSTGRES_PASSWORD") else {}


def _own_login(claim: Claim, server: Container) -> PageVariables:
    """The page variables of the server, where the refused user is its own: its environment has the
    present password."""
    config = server.config
    is_own = (config.value_of(_SUPERUSER) or "postgres") == claim.value("user")
    return {"own_login": server.name} if is_own and config.sets("POSTGRES_PASSWORD") else {}


def _clickhouse_variables(claim: Claim, server: Container) -> PageVariables:
    """The page variables of the server, where nothing in its environment lets user default connect
    from other containers."""
    settings = ("CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD", "CLICKHOUSE_SKIP_USER_SETUP")
    is_cut_off = claim.value("user") == "default" and not any(map(server.config.sets, settings))
    return {"cut_off": server.name} if is_cut_off else {}


def _mysql_variables(claim: Claim, server: Container) -> PageVariables:
    """The page variables for MySQL and MariaDB: the refused user in the server's environment, or
    the missing database."""
    config = server.config
    name = claim.failure.name
    steps = {"mysql_server": server.name}
    if name == "mysql-database":
        database = claim.value("database")
        return {**steps, "lacking": database} if PLAIN_NAME.fullmatch(database) else steps
    user = config.value_of("MARIADB_USER") or config.value_of("MYSQL_USER")
    has_password = config.sets("MARIADB_PASSWORD") or config.sets("MYSQL_PASSWORD")
    is_own = user and has_password and claim.value("user") in ("", user)
    return {**steps, "mysql_login": server.name} if is_own else steps
