"""Containers whose variables combine a mail port with a TLS mode that the port does not have.

At port 465 a client begins with TLS. At 25, 587 and 2525 it begins in plain text, and asks for TLS
by STARTTLS.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, only
from diagnose.numbers import is_number
from diagnose.registry import evidence

TLS_PORT = 465
STARTTLS_PORT = 587
PLAIN_PORTS = frozenset({25, STARTTLS_PORT, 2525})
_OF_MAIL = LazyPattern(r"(?:^|_)(?:E?MAIL(?:ER)?|SMTP)(?=_|$)")
_PORT = LazyPattern(r"(?:^|_)PORT$")
_MODE = LazyPattern(
    r"""
    (?:^|_)(?:
          (?P<secure>(?:SMTP|MAIL|TRANSPORT|OPTIONS|SERVER)_+SECURE)
        | (?P<ssl>(?:USE_|IS_)?SSL)
        | (?P<starttls>(?:USE_|ENABLE_)?STARTTLS(?:_AUTO|_ENABLE|_ENABLED)?)
        | (?P<django>USE_TLS)
        | (?P<word>ENCRYPTION|SECURITY|PROTOCOL|SCHEME|TLS_MODE|CONNECTION_SECURITY)
      )$
    """,
    re.VERBOSE,
)
"""The end of a variable's name that says how mail is encrypted: SMTP_SECURE, USE_TLS."""
_AT_ONCE = frozenset(
    {"ssl", "smtps", "force_tls", "implicit", "ssl/tls", "tls_wrapper", "forcetls"}
)
_LATER = frozenset({"starttls", "smtp+starttls", "explicit", "start_tls"})
_YES = frozenset({"1", "on", "true", "yes", "enabled"})
_URL = LazyPattern(r"^(?P<scheme>smtps?)://(?:[^\s/@]{0,200}@)?[\w.-]{1,253}:(?P<port>\d{2,5})\b")
_FAILED = LazyPattern(
    r"""(?x)
    wrong[ _]version[ _]number | packet\ length\ too\ long | record\ layer\ failure
    | first\ record\ does\ not\ look\ like\ a\ TLS\ handshake  # Go
    | Unsupported\ or\ unrecognized\ SSL\ message  # Java
    | handshake\ failed\ due\ to\ an\ unexpected\ packet\ format | Cannot\ determine\ the\ frame\ size  # .NET
    | corrupted\ frame | InvalidContentType | received\ corrupt\ message  # rustls
    | \b(?:smtp|e?mail\w*|EHLO|HELO)\b.{0,200}
      \b(?:time(?:d[ -]?)?[ -]?out|closed|EOF|ECONNRESET|reset\ by\ peer|ETIMEDOUT)\b
    | \b(?:time(?:d[ -]?)?out|ETIMEDOUT|closed|EOF)\b.{0,200}\b(?:smtp|e?mails?|EHLO|HELO)\b
    | SMTPServerDisconnected | Greeting\ never\ received
    """,
    re.IGNORECASE,
)
"""Errors of clients in all languages that wait for the other's first word, or read it as TLS."""


class MailMode(msgspec.Struct, frozen=True):
    """A port and a mode that do not go together."""

    container: Container
    port: int
    port_variable: str
    mode_variable: str
    value: str
    """Of the variable of the mode."""
    at_once: bool
    """Whether the client begins with TLS, and not in plain text."""
    is_switch: bool
    """Whether the variable is on or off, and no word for a mode."""
    line: str
    """The line about such a failed call; "" without one."""


class MailModes(Items[MailMode], frozen=True):
    """The wrong mail modes, at most one for each container and for each address (URL)."""


@evidence
def mail_modes(containers: Containers, recent_logs: RecentLogs) -> MailModes:
    """The variables of running containers, and the last lines of their logs."""
    modes: list[MailMode] = []
    for container in containers.running:
        lines = recent_logs.of_this_run(container)
        complaint = next((line.text for line in reversed(lines) if _FAILED.search(line.text)), "")
        modes += _modes_of(container, complaint)
    return MailModes(tuple(modes))


def _modes_of(container: Container, line: str) -> Iterator[MailMode]:
    """The pairs of one container."""
    of_mail = [
        (name, value.strip())
        for name, value in container.config.environment
        if _OF_MAIL.search(name.upper())
    ]
    yield from _modes_of_addresses(container, of_mail, line)
    yield from _mode_of_variables(container, of_mail, line)


def _modes_of_addresses(
    container: Container, of_mail: Sequence[tuple[str, str]], line: str
) -> Iterator[MailMode]:
    """The addresses (URL) that begin with TLS at a port for plain text."""
    for name, value in of_mail:
        url = _URL.match(value.lower())
        if url is not None and url["scheme"] == "smtps" and int(url["port"]) in PLAIN_PORTS:
            yield MailMode(
                container,
                port=int(url["port"]),
                port_variable=name,
                mode_variable=name,
                value="smtps://",
                at_once=True,
                is_switch=False,
                line=line,
            )


def _mode_of_variables(
    container: Container, of_mail: Sequence[tuple[str, str]], line: str
) -> Iterator[MailMode]:
    """A port and a mode; nothing where it has several ports of mail, or several modes."""
    ports = {
        name: int(value)
        for name, value in of_mail
        if _PORT.search(name.upper()) and is_number(value)
    }
    port = only(set(ports.values()))
    if port is None:
        return
    port_variable = first_of(ports)
    modes = {name: mode for name, value in of_mail if (mode := _mode(name, value)) is not None}
    if only(set(modes.values())) is None:
        return  # a mode for each of two servers, or one that is switched off
    (name, at_once), *_ = modes.items()
    is_wrong = port in PLAIN_PORTS if at_once else port == TLS_PORT
    if is_wrong:
        value = container.config.value_of(name)
        yield MailMode(
            container,
            port=port,
            port_variable=port_variable,
            mode_variable=name,
            value=value,
            at_once=at_once,
            is_switch=value.lower() in _YES,
            line=line,
        )


def _mode(name: str, value: str) -> bool | None:
    """Whether a variable puts TLS first (or later); None where it says neither.

    `SECURE` and `SSL` are Nodemailer's, Django's and Rails' words for the first, USE_TLS is
    Django's for the second. "tls" means the one here and the other there.
    """
    match = _MODE.search(name.upper())
    word = value.lower()
    if match is None:
        return None
    if word in _AT_ONCE:
        return True
    if word in _LATER:
        return False
    if match["word"] or word not in _YES:
        return None
    return bool(match["secure"] or match["ssl"])
