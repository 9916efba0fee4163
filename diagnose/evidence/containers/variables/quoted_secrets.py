"""Passwords and keys with quotes around them, of programs that a server refuses.

`docker run --env-file` and a list of compose (`- DB_PASSWORD="word"`) keep the quotes, and the
program sends them as a part of the password. Redaction leaves them outside of the token.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.variables.variable_faults import is_quoted
from diagnose.evidence.items import Items
from diagnose.programs.families.surroundings import LOGINS
from diagnose.redact.names import kind_of
from diagnose.registry import evidence

_MYSQL = "Access denied for user"
"""The refusal of MySQL and MariaDB, which has no word of a login."""


class QuotedSecret(msgspec.Struct, frozen=True):
    """A variable with a secret in quotes, and the line that refuses the login."""

    container: Container
    variable: str
    value: str
    line: str


class QuotedSecrets(Items[QuotedSecret], frozen=True):
    """The quoted secrets of containers whose log says that a login is refused."""


@evidence
def quoted_secrets(
    containers: Containers, log_tails: LogTails, repeated_errors: RepeatedErrors | None
) -> QuotedSecrets:
    """The secrets in quotes of containers that are refused.

    A value that another container has with the same quotes is left out: both send the same.
    """
    repeated = {error.container.id: error.line.whole for error in repeated_errors or ()}
    found: list[QuotedSecret] = []
    for container in containers:
        quoted = list(_quoted_variables(container))
        if not quoted:
            continue
        lines = (log_tails.of(container).telling_text, repeated.get(container.id, ""))
        line = next(filter(_refuses_login, lines), "")
        if line:
            found += [
                QuotedSecret(container, name, value, line)
                for name, value in quoted
                if not _is_shared(value, container, containers)
            ]
    return QuotedSecrets(tuple(found))


def _quoted_variables(container: Container) -> Iterator[tuple[str, str]]:
    """The variables of secrets whose value begins and ends with the same quote."""
    for name, value in container.config.environment:
        if is_quoted(value) and kind_of(name) is not None:
            yield name, value


def _refuses_login(line: str) -> bool:
    return _MYSQL in line or any(login.compiled.search(line) for login in LOGINS)


def _is_shared(value: str, container: Container, containers: Containers) -> bool:
    """Whether another container has the same value with its quotes."""
    return any(
        value == other_value
        for other in containers
        if other.id != container.id
        for _, other_value in other.config.environment
    )
