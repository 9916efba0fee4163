"""daemon.errors-in-log: the engine writes errors that no other check knows."""

import re

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.said_errors import SaidError, SaidErrors
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Finding, PageVariables, Severity, Skipped, Subject
from diagnose.phrases import count, how_often, shortened
from diagnose.programs.failures import (
    ENGINE_ERRORS,
    ENGINE_REQUESTS,
    REFUSED_COMMANDS,
    REGISTRY_ERRORS,
    START_ERRORS,
    TRACED_ERRORS,
    Recognised,
    recognise,
)
from diagnose.programs.path_errors import path_of_error
from diagnose.programs.steady_words import steady_words
from diagnose.programs.volume_folders import volumes_in
from diagnose.registry import check

TABLES = (ENGINE_REQUESTS, ENGINE_ERRORS, START_ERRORS)
_OF_REQUESTS = (REFUSED_COMMANDS, REGISTRY_ERRORS, TRACED_ERRORS)
"""The tables of errors in the words that the docker command prints."""
_ID = LazyPattern(r"\b[0-9a-f]{64}\b")
_NETWORK = LazyPattern(r"\bnetwork (?P<id>[0-9a-f]{64}|[0-9a-z]{25})\b")
_SILENT_SERVER = LazyPattern(r"\bDNS server\b.{0,80}->(?P<address>[0-9.]{7,15}):53: i/o timeout")
_REQUEST = LazyPattern(
    r"Handler for (?P<method>[A-Z]{3,7}) (?:/v[\d.]{1,8})?/"
    r"(?P<path>\S{1,300}) returned error: (?P<error>.+)",
    re.DOTALL,
)
"""Handler for POST /v1.47/containers/create returned error: ..."""
_ACTIONS = {
    "start": "starting",
    "stop": "stopping",
    "restart": "restarting",
    "kill": "killing",
    "wait": "waiting for",
    "exec": "`docker exec` in",
    "archive": "`docker cp` from or to",
    "logs": "reading the log of",
    "attach": "attaching to",
    "rename": "renaming",
    "update": "updating",
    "build": "a build",
    "commit": "`docker commit`",
}
"""The name that the docker command has for a request of the API."""
SHOWN = 200
"""Characters of the line in the finding's sentence."""
KEY = 160
"""Characters of the error's text by which two errors about one subject differ."""
MOST = 3
"""At most this many different errors are named, the newest ones."""


@check(
    "daemon.errors-in-log",
    severity=Severity.advice,
    aloud=(
        "has an unexplained error in the engine's log",
        "have unexplained errors in the engine's log",
    ),
    aloud_of_engine="has an unexplained error in its log",
    observed=True,
)
def errors_in_log(
    said_errors: SaidErrors,
    log: DaemonLog,
    daemon: Daemon,
    clock: Clock,
    containers: Containers | None,
) -> CheckResult:
    """The engine writes an error that no other check explains.

    Errors that a healthy engine writes too are left out. A request that the engine refuses as the
    client's own mistake (a name that is taken, a path that is missing) is in no log: only the
    client sees it. An error that was written once counts for an hour.
    """
    if daemon.is_podman:
        return Skipped("Podman answers here")
    if daemon.same_host and daemon.processes.engine is None:
        return Skipped("no engine runs here: daemon.not-running has its last words")
    errors_with_containers = [(error, _container(error, containers)) for error in said_errors]
    newest = [
        (error, owner) for error, owner in errors_with_containers if not _is_over(error, owner)
    ]
    for error, container in newest[:MOST]:
        yield _finding(error, container.subject if container is not None else DAEMON, log, clock)


def _finding(error: SaidError, subject: Subject, log: DaemonLog, clock: Clock) -> Finding:
    recognised = _known_failure(error)
    times = how_often(error.times, clock.ago(error.line.at))
    evidence = {
        log.where(error.line): error.line.text,
        "logged": f"{count(error.times, 'time')}, first {clock.ago(error.first)}",
    }
    if recognised is not None:
        evidence["what fixes it"] = recognised.cure
    name_variable = "log_file" if log.name.startswith("/") else "log"
    return Finding(
        subject=subject,
        summary=f"the engine logged an error {times}: {_meaning(error, recognised)}",
        evidence=evidence,
        variables={name_variable: log.name, **_named_variables(error.line.text, recognised)},
        touches=_named_volumes(error.line.text),
        discriminator=shortened(error.kind, KEY),
        signs=signs(error.line.text) or None,
        onset=error.first,
    )


def _named_variables(text: str, recognised: Recognised | None) -> PageVariables:
    """The page variables of what the error names; otherwise words by which the error is counted
    over the hours.

    An error names the path at which it ends, a network by its id, an interface of the host, or a
    DNS server that has not answered.
    """
    network = _NETWORK.search(text)
    server = _SILENT_SERVER.search(text)
    named_variables = {
        "refused_path": path_of_error(text),
        "short_network": network["id"] if network is not None else "",
        "silent_server": server["address"] if server is not None else "",
        "parent": recognised.values.get("parent", "") if recognised is not None else "",
    }
    return present(named_variables) or present({"repeated": steady_words(text, (text,))})


def _named_volumes(text: str) -> tuple[Subject, ...]:
    """The volumes that the error names by their folders: what keeps one from being mounted may be
    its cause."""
    return tuple(Subject("volume", name) for name in volumes_in(text))


def _container(error: SaidError, containers: Containers | None) -> Container | None:
    """The container that the error names, by its name, its id, or the beginning of that."""
    called = error.container
    if not called:
        return None
    every = containers or ()
    by_name = (container for container in every if container.name == called)
    by_id = (container for container in every if container.id.startswith(called))
    return next(by_name, None) or next(by_id, None)


def _is_over(error: SaidError, container: Container | None) -> bool:
    """Whether the container that the error names has run since, or logs the error itself."""
    if container is None:
        return False
    return bool(container.state.error) or (container.started_at or 0.0) > (error.line.at or 0.0)


def _known_failure(error: SaidError) -> Recognised | None:
    """The meaning of the error; of a refused request in the words that its client got, too."""
    text = error.line.text
    of_engine = (recognise([text], None, table) for table in TABLES)
    request = _REQUEST.match(text)
    answers = [f"Error response from daemon: {request['error']}"] if request is not None else []
    of_requests = (recognise(answers, None, table) for table in _OF_REQUESTS)
    return next((failure for failure in (*of_engine, *of_requests) if failure is not None), None)


def _meaning(error: SaidError, failure: Recognised | None) -> str:
    """The meaning of the error; else its text, with short ids as the docker command prints them."""
    text = _ID.sub(lambda match: match[0][:12], error.line.text)
    return failure.cause if failure is not None else shortened(_error_in_docker_words(text), SHOWN)


def _error_in_docker_words(text: str) -> str:
    """An error of the engine's API in the words of the docker command; any other error
    unchanged."""
    request = _REQUEST.match(text)
    if request is None:
        return text
    activity = f"a request ({request['method']} /{request['path']})"
    kind, _, rest = request["path"].partition("/")
    name, _, action = rest.partition("/")
    if rest == "create":
        activity = f"creating a {kind.removesuffix('s')}"
    elif kind == "containers" and action in _ACTIONS:
        activity = f'{_ACTIONS[action]} container "{name}"'
    elif kind in _ACTIONS and not rest:
        activity = _ACTIONS[kind]
    return f"{activity} failed: {request['error']}"
