"""The password with which a program calls Redis or RabbitMQ, against the server's own.

The values are tokens, equal for equal secrets; nobody sees the secrets themselves. Pure.
"""

import itertools
import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only

_HIDDEN = LazyPattern(r"<redacted:[^>]{1,80}>")
_OF_PASSWORD = LazyPattern(r"PASS(?:WORD|WD)?$|PWD$")
_OF_USER = LazyPattern(r"USER(?:NAME)?$")
_OPTION = "--requirepass"


class _Kind(msgspec.Struct, frozen=True):
    """A server with its only password in its settings."""

    images: LazyPattern
    words: LazyPattern
    """Of a line that says that it does not let a program in."""
    callers: LazyPattern
    """Names of the variables with which a caller calls it."""
    schemes: LazyPattern
    """The address in a variable, up to the password."""
    own: tuple[str, ...]
    """Its variables with its password, the surest first."""
    user: str
    """Its variable with the one user that this password is for; "" for a user without a name."""


_KINDS = (
    _Kind(
        images=LazyPattern(r"redis|valkey|keydb|dragonfly"),
        words=LazyPattern(
            r"\bWRONGPASS\b|\bNOAUTH\b|invalid username-password pair|\bAUTH failed\b"
            r"|\bredis\b.{0,80}\binvalid password",
            re.IGNORECASE,
        ),
        callers=LazyPattern(r"REDIS|VALKEY|CACHE|BROKER|CELERY|QUEUE"),
        schemes=LazyPattern(r"(?:rediss?|valkey)://(?:default)?:$"),
        own=("REDIS_PASSWORD", "VALKEY_PASSWORD", "REDIS_PASS"),
        user="",
    ),
    _Kind(
        images=LazyPattern(r"rabbitmq"),
        words=LazyPattern(
            r"\bACCESS_REFUSED\b|login (?:was )?refused|\bPossibleAuthenticationFailure|AuthenticationFailureError"
            r"|Authentication with RabbitMQ failed|username or password not allowed",
            re.IGNORECASE,
        ),
        callers=LazyPattern(r"RABBIT|AMQP|BROKER|MQ_|CELERY|QUEUE"),
        schemes=LazyPattern(r"amqps?://[^/@\s]{0,100}?:$"),
        own=("RABBITMQ_DEFAULT_PASS", "RABBITMQ_PASSWORD"),
        user="RABBITMQ_DEFAULT_USER",
    ),
)
_OTHERS = LazyPattern(r"POSTGRES|MYSQL|MARIADB|MONGO|SMTP|MAIL|LDAP")
"""Variables with the passwords of other servers."""


class GivenPassword(msgspec.Struct, frozen=True):
    """A variable of a caller with a password for such a server."""

    name: str
    token: str
    is_whole: bool
    """Whether the password is the whole value, and no address is around it."""


class KeptPassword(msgspec.Struct, frozen=True):
    """The password of a server that refuses a login, and those with which the caller comes."""

    server: Container
    place: str
    """The server's variable, or the option of its command."""
    token: str
    given: tuple[GivenPassword, ...]

    @property
    def differing(self) -> GivenPassword | None:
        """The only variable of the caller with another password; None where one has the same."""
        others = [secret for secret in self.given if secret.token != self.token]
        return only(others) if len(others) == len(self.given) else None


def is_refused_login(line: str) -> bool:
    """Whether a line says that Redis or RabbitMQ refuses a login."""
    return any(kind.words.search(line) for kind in _KINDS)


def kept_password(
    line: str, caller: Container, servers: Sequence[Container]
) -> KeptPassword | None:
    """The password of the one server that refuses the caller's user; None where none is known."""
    for kind in _KINDS:
        if not kind.words.search(line):
            continue
        server = only([server for server in servers if kind.images.search(server.config.image)])
        place, token = _secret_of(server, kind) if server is not None else ("", "")
        if server is None or not token or not _is_its_user(caller, server, kind):
            continue
        return KeptPassword(server, place, token, tuple(_passwords_of(caller, kind)))
    return None


def _secret_of(server: Container, kind: _Kind) -> tuple[str, str]:
    """The option or variable of a server's password or token, and the value; ("", "") without one.

    The option of its command has precedence.
    """
    words = [part for word in server.config.words for part in word.split()]
    for option, value in itertools.pairwise(words):
        if option == _OPTION and _HIDDEN.fullmatch(value):
            return _OPTION, value
    for name in kind.own:
        value = server.config.value_of(name)
        if value and _HIDDEN.fullmatch(value):
            return name, value
    return "", ""


def _is_its_user(caller: Container, server: Container, kind: _Kind) -> bool:
    """Whether the caller logs in as the user whose password the server was given."""
    given_users = [
        (name, value) for name, value in caller.config.environment if kind.callers.search(name)
    ]
    if kind.user:
        user = server.config.value_of(kind.user) or "guest"
        return not given_users or any(
            re.search(rf"(?<!\w){re.escape(user)}(?!\w)", value) for _, value in given_users
        )
    users = [value for name, value in given_users if _OF_USER.search(name)]
    return all(user in ("", "default") for user in users)


def _passwords_of(caller: Container, kind: _Kind) -> Iterator[GivenPassword]:
    """The variables in which a caller has a hidden password for a server of this kind."""
    for name, value in caller.config.environment:
        if not kind.callers.search(name) or _OTHERS.search(name):
            continue
        token = _HIDDEN.search(value)
        if token is None:
            continue
        is_whole = token[0] == value
        is_own = (
            _OF_PASSWORD.search(name) if is_whole else kind.schemes.search(value[: token.start()])
        )
        if is_own:
            yield GivenPassword(name, token[0], is_whole)
