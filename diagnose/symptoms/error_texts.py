"""The meaning of a pasted error message, and the page about it."""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs import failures
from diagnose.programs.failures import Failure, Recognised, recognise, shown_by_any

MOST_LINES = 400
"""At most this many last lines of a pasted text are read."""
_WARNING = LazyPattern(r"\blevel=warning\b|^\s*(?:\[?WARN|warning:)", re.IGNORECASE)
_ERROR = LazyPattern(r"error|failed|fatal|denied|cannot|can't|not found|invalid", re.IGNORECASE)
_OF_RUNNING_ENGINE = LazyPattern(r"response from daemon|OCI runtime|create shim task")
"""Words of an engine that answers: its own start did not fail."""
_OF_ENGINE = LazyPattern(
    r"docker daemon|docker api at|docker\.service|userland proxy|registry-1\.docker\.io|auth\.docker\.io"
    r"|^docker: |/var/lib/(?:docker|containerd)\b|/run/(?:docker|containerd)/|/etc/docker/"
    r"|^service \"?[\w.-]+\"? |^(?:invalid|unknown|unsupported) (?:argument|output|port|type)\b"
    r"|cannot (?:start|create) (?:service|container)|error pulling image|download failed after attempts|containerd: "
    r"|runc (?:create|exec|start|init)\b|failed to start (?:containerd|shim)"
    r"|failed to (?:resolve (?:reference|source metadata)|(?:extract|register) layer)"
    r"|driver failed programming external connectivity|containerd-shim|\bdockerd\["
    r"|\bprojid \d|IPAM driver|\bmodule=(?:node|libcontainerd|grpc)|moby/"
    r"|could not fetch content descriptor|iptables failed: ip6?tables|sandbox join failed|ingress_sbox|msg=.?overlay: "
    r"|no matching manifest for|verification failed for digest|non-overlapping IPv4 address pool"
    r"|toomanyrequests: you have|http response to https client"
    r"|error writing \w+ blob|^goroutine \d+ |^[ \t]{0,40}github\.com/(?:docker|moby|containerd)/"
    r"|^(?:standard_init_linux\.go:\d+: )?exec (?:user process caused|/\S+:)"
    r"|(?:container|process)_linux\.go:\d|httpReadSeeker|manifest unknown|image operating system"
    r"|failed to (?:fetch \w{1,20} token|authorize:)|unexpected HTTP status|Thin Pool has \d"
    r"|(?:unit )?docker\.\w{1,12} is masked|error (?:grabbing|streaming) logs|unexpected commit digest"
    r"|container with id exists|with more than one source file"
    r"|error during container init|unable to start container process|error gathering device information",
    re.IGNORECASE | re.MULTILINE,
)
"""Words of Docker itself, and of no program in a container."""
_OF_START = LazyPattern(
    r"failed to start (?:daemon|containerd|cluster component)|error starting daemon"
    r"|failed to load listeners|failed to configure daemon"
    r"|unable to configure the Docker daemon",
    re.IGNORECASE,
)
"""Words of an engine that gives up its own start: it refuses no command."""
_OF_COMMAND = LazyPattern(
    r"^(?:Error|docker(?: \w+)?|err): |(?:^| )--[a-z][\w-]+ "
    r"|^(?:the classic builder|undefined|unsupported|project name|\w+ format) ",
    re.IGNORECASE | re.MULTILINE,
)
"""Words of a command that a user typed, and that refuses it."""
_GENERAL = (failures.ENGINE_CALLS, failures.REFUSAL_FORMS)
"""The tables of errors that are known only by their form."""
FEW_LINES = 3
"""The message of a command has at most this many lines; a log has more."""
_OF_BUILD = LazyPattern(
    r"failed to solve|failed to build|dockerfile|COPY failed|ADD failed|executor failed"
    r"|returned a non-zero code|did not complete successfully|buildkit|for \w+ exporter\b"
    r"|invalid signature was encountered|Release file for https?://|(?:does not have|no longer has) a Release file"
    r"|unable to prepare context|error checking context|build context|for the docker driver|\bresolve ?: lstat ",
    re.IGNORECASE,
)
"""Words of a failed build: "failed to solve", "executor failed running"."""
_SERVICE = LazyPattern(r"^[A-Za-z0-9][\w.-]{0,80}?[_-]?\d*\s{0,40}\| ")
"""The name of a service in front of each line of its log, as `docker compose up` prints it."""
_ID = LazyPattern(r"\b[0-9a-f]{64}\b")
_ESCAPED_QUOTE = LazyPattern(r'\\{1,4}"')


class KnownError(msgspec.Struct, frozen=True):
    """A known error, and the page that is about it; "" where no check judges it."""

    recognised: Recognised
    page: str
    is_general: bool = False
    """Whether only the form of the error is known, and not its subject: a page may explain more."""

    @property
    def means(self) -> str:
        """The meaning of the message, as a sentence."""
        return _with_short_ids(f"the message means: {self.recognised.cause}")

    @property
    def fixes(self) -> str:
        """The cure of the error, as a sentence."""
        return _with_short_ids(f"what fixes it: {self.recognised.cure}")


def _with_short_ids(text: str) -> str:
    return _ID.sub(lambda match: match[0][:12], text)


def without_warnings(text: str) -> str:
    """The lines of a pasted text that may be the error.

    A command prints warnings above its error, such as compose about variables that are not set.
    """
    lines = [_SERVICE.sub("", line) for line in text.splitlines()[-MOST_LINES:]]
    graver = [line for line in lines if not _WARNING.search(line)]
    return "\n".join(graver if any(map(_ERROR.search, graver)) else lines)


def explained(text: str) -> KnownError | None:
    """The known error that a pasted message shows; None for none."""
    lines = [_as_engine_writes(line) for line in without_warnings(text).splitlines()]
    for table, page in _candidate_tables(text):
        recognised = recognise(lines, None, table, has_ended=False) or shown_by_any(lines, table)
        if recognised is not None:
            is_general = table in _GENERAL
            return KnownError(recognised, recognised.confirmed_by or page, is_general)
    return (
        _known_of_program(text, lines)
        or _known_call(text, lines)
        or _known_of_step(lines)
        or _known_by_form(text, lines)
    )


def _known_of_step(lines: Sequence[str]) -> KnownError | None:
    """The known error of a tool that builds run, pasted without the words of the builder around
    it; None for none."""
    recognised = shown_by_any(lines, failures.PACKAGE_TOOLS)
    if recognised is None:
        return None
    return KnownError(recognised, recognised.confirmed_by or "image.build-failed")


def _known_call(text: str, lines: Sequence[str]) -> KnownError | None:
    """The known error of a failed call, where the program that calls says no more; None for
    none."""
    if _is_of_engine(text):
        return None
    recognised = shown_by_any(lines, failures.REFUSED_CALLS)
    return None if recognised is None else KnownError(recognised, recognised.confirmed_by)


def _known_by_form(text: str, lines: Sequence[str]) -> KnownError | None:
    """The known error of a command about its own options in few words, where no program is known
    to print it."""
    if len(lines) > FEW_LINES or not _OF_COMMAND.search(text):
        return None
    recognised = shown_by_any(lines, failures.REFUSAL_FORMS)
    return None if recognised is None else KnownError(recognised, "", is_general=True)


def _known_of_program(text: str, lines: Sequence[str]) -> KnownError | None:
    """The known failure of a program in a container, by the rules for its log; None for none."""
    if _is_of_engine(text):
        return None
    failure = LogTail(tuple(lines)).failure or recognise(
        lines, None, failures.FAILURES, has_ended=False
    )
    if failure is None:
        return None
    return KnownError(failure, failure.confirmed_by or "container.exits-at-start")


def _candidate_tables(text: str) -> Iterator[tuple[Iterable[Failure], str]]:
    """The tables that may have this message, each with the page for errors that no other
    check has."""
    if _OF_START.search(text):
        yield failures.REFUSED_STARTS, "daemon.not-running"
        yield failures.ENGINE_ERRORS, "daemon.not-running"
        yield failures.TRACED_ERRORS, "daemon.not-running"
        yield failures.ENGINE_CALLS, "daemon.not-running"
        return
    yield failures.KERNEL_LINES, ""
    yield failures.REFUSED_COMMANDS, ""
    if _OF_BUILD.search(text):
        yield failures.BUILD_ERRORS, "image.build-failed"
    yield failures.START_ERRORS, "container.start-refused"
    yield failures.ENGINE_REQUESTS, "daemon.errors-in-log"
    is_of_engine = _is_of_engine(text)
    if is_of_engine:
        yield failures.REGISTRY_ERRORS, ""
        yield failures.TRACED_ERRORS, ""
    if not _OF_RUNNING_ENGINE.search(text):
        yield failures.ENGINE_ERRORS, "daemon.not-running"
    if is_of_engine:
        yield failures.ENGINE_CALLS, ""
        yield failures.REFUSAL_FORMS, ""


def _is_of_engine(text: str) -> bool:
    """Whether the text comes from Docker, its runtime or its builder, and from no program in a
    container."""
    return any(
        pattern.search(text) for pattern in (_OF_RUNNING_ENGINE, _OF_ENGINE, _OF_START, _OF_BUILD)
    )


def _as_engine_writes(text: str) -> str:
    """A line as the engine writes it: older engines escape quotes, and clients add a full stop."""
    return _ESCAPED_QUOTE.sub('"', text).rstrip(". \t").removesuffix(": unknown")
