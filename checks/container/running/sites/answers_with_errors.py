"""container.answers-with-errors: a web server answers requests with errors of its own."""

from msgspec.structs import replace

from checks.container.causes import APPLICATION_CAUSES, PEER_CAUSES
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.own_files.program_logs import ProgramLog, ProgramLogs
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.access.paths_of_host import is_kept_closed
from diagnose.evidence.containers.mounts.access.refused_own_paths import (
    RefusedOwnPath,
    RefusedOwnPaths,
)
from diagnose.evidence.containers.peers.called_peers import called_peers
from diagnose.evidence.containers.programs.closed_folders import ClosedFolder, ClosedFolders
from diagnose.evidence.containers.run_evidence import log_evidence, not_running
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.haproxy_backends import BackendFaults
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers, FailedAnswers
from diagnose.evidence.network.proxies.pages.page_text import first_words
from diagnose.evidence.network.proxies.tls_clients import AllTlsClients, TlsClients
from diagnose.first_steps.named.line_steps import settings_folder
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of, only, present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import count, counted, joined, named, sentence, shortened
from diagnose.programs.failures import FAILURES, Recognised, family_of_running, recognise
from diagnose.programs.failures.remedies import NewKey
from diagnose.programs.families import FAMILIES
from diagnose.programs.migrations import migration_of
from diagnose.programs.telling_line import TellingLine
from diagnose.registry import check

_BAD_REQUEST = 400
_FORBIDDEN = 403
_MUCH = 2000
"""Characters of a page that are searched for the words of a known failure."""
_REFUSES = {
    _BAD_REQUEST: "it may not know the host name that they use",
    _FORBIDDEN: "it may not let them in, or may not know the host name that they use",
    404: "it has no such page under the host name that they use",
    421: "it has no site for the host name that they use",
    429: "it says that they send too many requests: it may see all clients as one",
}
"""The reason why a server refuses all requests of one container, by status."""


@check(
    "container.answers-with-errors",
    severity=Severity.warning,
    caused_by=(
        *APPLICATION_CAUSES,
        *PEER_CAUSES,
        "container.exits-at-start",
        "container.failing-inside",
        "container.host-not-allowed",
        "container.restart-loop",
        "container.unhealthy",
        "network.host-name-refused",
        "network.http-version-refused",
        "network.upgrade-not-passed-on",
    ),
    aloud=("answers some requests with errors", "answer some requests with errors"),
    observed=True,
)
def answers_with_errors(
    all_failed_answers: AllFailedAnswers,
    containers: Containers,
    clock: Clock,
    program_logs: ProgramLogs | None,
    closed_folders: ClosedFolders | None,
    all_tls_clients: AllTlsClients | None,
    backend_faults: BackendFaults | None,
    refused_own_paths: RefusedOwnPaths | None,
) -> CheckResult:
    """A web server in a container answers requests with errors of its own.

    Its container runs and its port is open, so nothing else shows that its clients get an error.
    The last lines of its access log of the last five minutes are read. It counts if the last three
    or more requests were answered with 500, 502, 503 or 504, nearly all of them; it is advice where
    only one kind of request always fails, or where all requests of one container are answered with
    400, 403 or 404, as by a program that does not know the host name. That is a warning where a
    proxy or Prometheus asks: it takes the server for down.

    It is advice too where clients of private networks ask for a page of entry, and each request is
    answered with 404. It is a warning too where clients speak TLS to a port at which the server
    speaks plain HTTP.

    A server counts too that answers one request of ours for its first page with such an error, and
    nginx and Apache that have no index file there, or may not read it: with 403. One of the former
    errors is advice for 20 seconds after the start; 502 to 504, for a minute after that of all its
    neighbours: the program may not be ready. The lines that the log gained meanwhile say why.

    Requests of monitors are left out, and so is 503 for strangers of the internet, by which a proxy
    turns unknown names away. A proxy that only passes on the answers of another container is named
    there. An unhealthy container has its own finding.

    Where its log does not say why, a log file counts that the program itself has written lately,
    below its code or its mounts: frameworks of PHP, Ruby and Java have one. Where none says why,
    the folders count that a framework of PHP writes at each request: owner and mode show that its
    workers may not. Where the log names a path that was refused, so do they. Of HAProxy without a
    server the mounted configuration is compared with the containers on its networks.
    """
    folders = closed_folders or ClosedFolders()
    logs = program_logs.by_id if program_logs is not None else {}
    for failed in all_failed_answers:
        health = failed.container.state.health
        if health is None or health.status != "unhealthy":
            own_log = logs.get(failed.container.id)
            closed = folders.of(failed.container) if own_log is None else None
            fault = backend_faults.of(failed.container) if backend_faults is not None else ""
            finding = _failed_answers_finding(
                failed, own_log, closed, fault, containers, clock=clock
            )
            refused = refused_own_paths.of(failed.container) if refused_own_paths else None
            if refused is not None and is_kept_closed(failed.container, refused.path, None):
                refused = None
            if refused is not None and closed is None:
                finding = _with_refused_path(finding, refused)
            yield finding
    for clients in all_tls_clients or ():
        yield _tls_clients_finding(clients)


def _with_refused_path(finding: Finding, refused: RefusedOwnPath) -> Finding:
    """The finding with the path in the program's log that its user may not use."""
    variables = {"closed_file": refused.path, "worker": refused.owner}
    return replace(finding, summary=sentence(finding.summary, refused.clause)).with_variables(
        variables
    )


def _tls_clients_finding(clients: TlsClients) -> Finding:
    """The finding about clients that call by https:// where no TLS is spoken."""
    container = clients.container
    port = clients.published
    client_names = counted("client", clients.clients, most=2) if clients.clients else "its clients"
    if clients.callers:
        client_names = named("container", names_of(clients.callers))
    port_clause = f"published port {port.host_port}" if port is not None else "its port"
    return Finding.about(
        container,
        sentence(
            f"{container} cannot read {count(len(clients.lines), 'request')} of {client_names}",
            f"they speak TLS (https://) to {port_clause}, and it speaks plain HTTP there",
        ),
        present(
            {
                "log": shortened(clients.lines[-1], 160),
                "NetworkSettings.Ports": f"{port.host_port} -> {port.port}" if port else None,
            }
        ),
        discriminator="tls",
        touches=subjects_of(clients.callers),
        recheck=(container.run,),
        variables={"encrypted": container.name, "plain_port": str(port.host_port)} if port else {},
    )


def _file_of(tail: LogTail, failed: FailedAnswers) -> str:
    """The program's own log file with the line that explains; "" for the container's log."""
    return failed.file_of(tail.telling.text) if tail.telling is not None and tail.explains else ""


def _failed_answers_finding(
    failed: FailedAnswers,
    own_log: ProgramLog | None,
    closed: ClosedFolder | None,
    fault: str,
    containers: Containers,
    clock: Clock,
) -> Finding:
    """The finding about a server whose answers are errors.

    closed: a folder that its workers should write. fault: the reason why no server of HAProxy is
    up.
    """
    container = failed.container
    # its own log file counts where the container's log explains nothing
    written = None if failed.printed.explains else own_log
    tail = written.tail if written is not None else _explaining_tail(failed)
    failure = _exhausted_pool(failed) or _known_failure(tail)
    callees = called_peers(tail.lines, container, containers, configured=())
    return Finding.about(
        container,
        sentence(
            f"{container} answers {_failing_requests(failed)}{_proxies_clause(failed)}",
            _cause(failed, failure, fault),
            _closed_folder_clause(closed),
        ),
        {
            **_answers_evidence(failed),
            **_tail_evidence(failed, written, tail),
            **not_running(callees, clock),
            **_closed_evidence(closed),
        },
        severity=_severity(failed),
        recheck=(container.run,),
        touches=subjects_of(failed.proxies),
        calls=subjects_of(callees),
        signs=tail.signs if tail.explains else None,
        variables=present(
            {
                **_server_variables(failed, fault),
                **_log_variables(failed, written, failure, tail),
                **_closed_variables(closed),
            }
        ),
    )


def _log_variables(
    failed: FailedAnswers, written: ProgramLog | None, failure: Recognised | None, tail: LogTail
) -> PageVariables:
    """The page variables of what the log shows: a missing migration, and the program's own log
    file, where that one counts."""
    variables = {"migration": migration_of(failure, tail.lines)}
    if failure is not None and failure.name == "socket-missing":
        variables["socket_of"] = failed.container.name
    if failure is not None and isinstance(failure.remedy, NewKey):
        is_set = failed.container.config.sets(failure.remedy.variable)
        variables["keyless"] = "" if is_set else failed.container.name
    if written is not None:
        variables["log_inside"] = f"{failed.container.name}:{written.path}"
    return variables


def _severity(failed: FailedAnswers) -> Severity:
    if failed.is_early:
        return Severity.advice
    is_down = failed.is_most or failed.ends_traffic or failed.dead is not None
    return Severity.warning if is_down else Severity.advice


def _tail_evidence(
    failed: FailedAnswers, written: ProgramLog | None, tail: LogTail
) -> dict[str, object]:
    """The log line of the program that explains the errors, and the file where it is written."""
    path = written.path if written is not None else _file_of(tail, failed)
    return {**(log_evidence(tail) if tail.explains else {}), **present({"written to": path})}


def _server_variables(failed: FailedAnswers, fault: str) -> PageVariables:
    """The page variables for the server: the URL to ask, and the paragraph that is about its
    status."""
    name = failed.container.name
    return {
        **_upstream_variables(failed),
        "closed_page" if failed.status == _FORBIDDEN else "url": failed.url,
        "balancer": name if fault else "",
        "refusing": name if failed.status == _BAD_REQUEST else "",
    }


def _upstream_variables(failed: FailedAnswers) -> PageVariables:
    """The page variables of the port that nobody serves, and of the mounted settings that may have
    it."""
    dead = failed.dead
    if dead is None:
        return {}
    folder = settings_folder(failed.container)
    place = {"dead_place": rf":{dead.port}\b", "dead_settings": folder} if folder else {}
    return {"dead_port": str(dead.port), "dead_in": dead.peer.name, **place}


def _cause(failed: FailedAnswers, failure: Recognised | None, fault: str) -> str:
    if failed.dead is not None:
        return failed.dead.clause
    if fault:
        return f'no server of backend "{failed.empty_backend}" is up, since {fault}'
    return failure.cause if failure is not None else failed.why


def _closed_variables(closed: ClosedFolder | None) -> PageVariables:
    return {"closed": closed.path, "worker": closed.user.owner} if closed is not None else {}


def _explaining_tail(failed: FailedAnswers) -> LogTail:
    """The log of the server, or the page that it answered with, if only that explains the failure.

    Frameworks show the error itself where they are set up for development.
    """
    printed = failed.printed
    if printed.explains or failed.page is None:
        return printed
    answered = LogTail((first_words(failed.page.reply.body, most=_MUCH),))
    return answered if answered.failure is not None else printed


def _answers_evidence(failed: FailedAnswers) -> dict[str, str]:
    """The last answer in the log, and the answer to a request of diagnose, as evidence."""
    page = failed.page
    shown = {"last answer": shortened(failed.answers[-1].line)} if failed.answers else {}
    if page is not None:
        body_words = first_words(page.reply.body)
        server = f", Server: {page.reply.server}" if page.reply.server else ""
        shown[f"GET {page.reply.path} at port {page.http_port.port}"] = f"{page.status}{server}"
        shown |= present({"body of the answer": body_words})
    return shown


_OF_A_POOL = LazyPattern(
    r"max_children|worker_connections are not enough|MaxRequestWorkers|[Tt]oo many connections"
    r"|remaining connection slots|no more connections allowed"
)
"""Messages of servers whose processes or connections are all in use."""
_NO_ANSWER = frozenset({502, 503, 504})


def _exhausted_pool(failed: FailedAnswers) -> Recognised | None:
    """The known failure of a line about a pool that is used up: requests then wait for it."""
    if failed.status not in _NO_ANSWER:
        return None
    lines = [line for line in failed.other_lines if _OF_A_POOL.search(line)]
    return (
        recognise(lines[-1:], TellingLine(lines[-1]), FAILURES, has_ended=False) if lines else None
    )


def _known_failure(tail: LogTail) -> Recognised | None:
    """The known failure, or else the family of failures, that the line shows."""
    if not tail.explains:
        return None
    failure = recognise(tail.lines, tail.telling, FAILURES, has_ended=False)
    return failure or family_of_running(tail.telling, FAMILIES)


def _closed_folder_clause(closed: ClosedFolder | None) -> str:
    """The clause about a folder that the program writes to but may not; "" for none."""
    if closed is None:
        return ""
    return (
        f'its "{closed.program}" runs as {closed.user.label} and may not write to {closed.path}, '
        f"as {closed.framework} does for each page"
    )


def _closed_evidence(closed: ClosedFolder | None) -> dict[str, str]:
    if closed is None:
        return {}
    status = closed.status
    return {f"owner and mode of {closed.path}": f"{status.owner} {status.permissions}"}


def _failing_requests(failed: FailedAnswers) -> str:
    """The failing requests, in words: method and path, status, and number of times."""
    if not failed.answers and failed.page is not None:
        early_clause = " shortly after a start" if failed.is_early else ""
        return f"GET {failed.page.reply.path} with HTTP status {failed.status}{early_clause}"
    statuses = joined(sorted({str(answer.status) for answer in failed.answers}))
    times = len(failed.answers)
    if failed.is_refusal:
        pages = {answer.what for answer in failed.answers}
        page = only(pages)
        requests = f"each {shortened(page, 60)}" if page else "all requests"
        clients = str(failed.proxies[0]) if failed.proxies else "its clients"
        return f"{requests} of {clients} with HTTP status {statuses} ({times} times recently)"
    if failed.is_most:
        return f"its requests with HTTP status {statuses} ({times} of the last {failed.of})"
    request = shortened(failed.answers[-1].what, 60)
    return f"each {request} with HTTP status {statuses} ({times} times recently)"


def _proxies_clause(failed: FailedAnswers) -> str:
    """The clause about the proxies that pass the errors on to clients; "" for none."""
    if failed.is_refusal:
        down_clause = ", and is considered down" if failed.ends_traffic else ""
        return f"{down_clause}: {_REFUSES[failed.status]}"
    if not failed.proxies:
        return ""
    return f", which {joined([str(proxy) for proxy in failed.proxies])} may pass on"
