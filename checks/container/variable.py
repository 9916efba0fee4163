"""The checks container.variable-missing and variable-malformed.

An environment variable is not set, or holds marks of its file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from checks.container.confirmed import claims, compose_variables, is_broken
from checks.container.helpers import LINE, log_evidence
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTail, LogTails
from diagnose.evidence.containers.named_settings import missing_variable
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import joined
from diagnose.registry import check

ID = "container.variable-missing"
UNANNOUNCED = "setting-required"
"""The row of lines that name a setting without the word "variable"."""


@check(ID, severity=Severity.critical)
def variable_missing(containers: Containers, clock: Clock, log_tails: LogTails) -> CheckResult:
    """A container's program needs an environment variable that is not set.

    The log names the variable, or the program is known to need one of several, and the container's
    environment has none of them, or has them empty. A variable that a start script sets for its own
    children is not seen.
    """
    for claim in claims(ID, containers, log_tails, clock):
        container = claim.container
        named = missing_variable(container, claim.failure)
        wanted = (named,) if named else claim.failure.failure.needs
        if not wanted or any(map(container.config.sets, wanted)):
            continue
        is_empty = any(
            entry in (f"{name}=" for name in wanted) for entry in container.config.env or ()
        )
        state = "is empty" if is_empty else "is not set"
        needed = f"needs the environment variable {joined(wanted, 'or')}, which {state}"
        if claim.failure.failure.name == UNANNOUNCED:
            needed = f"needs the setting {named}: the environment variable of that name {state}"
        near = _near(container, wanted)
        instead = f', and it has "{near}"' if near else ""
        finding = claim.finding(
            needed + instead,
            {"Config.Env": f"{wanted[0]} {state}{instead}", "this means": claim.failure.cause},
            variable=wanted[0],
        )
        by_compose = compose_variables(container)
        yield finding.with_variables(by_compose or {"typed": wanted[0]})
    return None


def _near(container: Container, wanted: Sequence[str]) -> str:
    """A variable that it has under almost a wanted name: with `export` before it, or misspelt."""
    import difflib  # only where a variable is missing

    names = [name for name, _ in container.config.environment]
    for want in wanted:
        same = (name for name in names if name != want and _plain(name) == _plain(want))
        if near := next(same, ""):
            return near
        if close := difflib.get_close_matches(want, set(names) - {want}, 1, _ALMOST):
            return close[0]
    return ""


def _plain(name: str) -> str:
    """A name without what differs by mistake: `export`, spaces, case, dashes."""
    letters = re.sub(r"[^A-Z0-9]", "", name.upper())
    return letters.removeprefix("EXPORT")


_ALMOST = 0.92
"""So much of two names is the same where one letter is wrong, or two are swapped."""
_COMMENT = LazyPattern(r"\s+#.*$")
"""A comment behind a value in an env file."""
_SHORTEST = 4
"""Characters of a quoted value that a log line can name without chance, its quotes included."""


@check("container.variable-malformed", severity=Severity.critical)
def variable_malformed(containers: Containers, clock: Clock, log_tails: LogTails) -> CheckResult:
    """A failed container's environment variable holds quotes or a carriage return.

    `docker run --env-file` takes a line as it is: quotes around a value become part of it, and so
    do a comment behind it and the carriage return of a file with DOS line ends. Compose's list form
    `- NAME="value"` keeps the quotes too. A carriage return at the end is never meant. Quotes and
    comments may be, so that they count only where the log of the failed container repeats the value
    with them.
    """
    for container in containers:
        tail = log_tails.by_id.get(container.id)
        if tail is None or not is_broken(container, clock, log_tails):
            continue
        for name, value in container.config.environment:
            mark, line = _mark(value, tail)
            if mark:
                yield _malformed(container, tail, name, value, mark, line)
    return None


def _mark(value: str, tail: LogTail) -> tuple[str, str]:
    """What does not belong to a value, and the line that repeats it.

    "" for a value that may be meant.
    """
    if value.endswith("\r"):
        return "ends with a carriage return", ""
    has_comment = _COMMENT.search(value) is not None
    is_quoted = len(value) >= _SHORTEST and value[0] == value[-1] and value[0] in "\"'"
    if not has_comment and not is_quoted:
        return "", ""
    line = next((line for line in (*tail.earlier, *tail.lines) if value in line), "")
    if line and has_comment:
        return "contains the comment that follows it", line
    if line and is_quoted and _shows_own_quotes(line, value):
        return "contains quotes", line
    return "", ""


def _shows_own_quotes(line: str, value: str) -> bool:
    """Whether a line shows that a quoted value has its quotes itself.

    A log quotes what it names: only quotes within quotes show it.
    """
    quote = value[0]
    in_quotes = (f'"{value}"', f"'{value}'", f"={value}", f" {quote}{quote}")
    return any(text in line for text in in_quotes)


def _malformed(
    container: Container, tail: LogTail, name: str, value: str, mark: str, line: str
) -> Finding:
    shown = {LINE: line} if line else log_evidence(tail)
    finding = Finding.about(
        container,
        f"{container} has an environment variable {name} whose value {mark}",
        {**shown, "Config.Env": f"{name} {mark}"},
        discriminator=name,
        signs=tail.signs,
        onset=container.failed_first,
        variable=name,
    )
    file = container.labels.get("com.docker.compose.project.environment_file", "")
    extra = {"env_file": file} if file.startswith("/") and "," not in file else {}
    clean = _COMMENT.sub("", value).rstrip("\r").strip("\"'")
    assignment = {} if "redacted" in value else {"assignment": f"{name}={clean}"}
    return finding.with_variables({**compose_variables(container), **extra, **assignment})
