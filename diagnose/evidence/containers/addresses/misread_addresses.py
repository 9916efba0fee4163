"""Addresses of a near container in a form that no program reads.

`mqtt:///mqtt` has no host: `mqtt` is its path. In a list of compose, quotes are part of the value.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.linked_files import is_behind_link
from diagnose.evidence.containers.mounts.mounted_settings import mounted_settings
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.questions import Host
from diagnose.registry import evidence

_ADDRESS = LazyPattern(
    r"""
    (?<![\w.+/-])(?P<text>
        (?P<scheme>
              amqps? | bolt | clickhouse | grpcs? | https? | ldaps? | mariadb | mongodb
            | mqtts? | mysql | nats | neo4j | postgres(?:ql)? | rediss? | smtps? | tcp
            | wss?
          ):(?P<slashes>/{1,3})(?P<host>[\w.-]{1,100})(?P<slash>/(?=:\d{2,5}(?![\w:])))?
          (?P<port>:\d{2,5})?
      )(?![\w@.-])
    """,
    re.VERBOSE,
)
"""Addresses of servers only: `unix:/redis/x.sock` and `/usr/bin:/redis/bin` are none."""
_OF_THE_WEB = frozenset({"http", "https", "ws", "wss"})
"""Browsers, Node (WHATWG URL) and curl read their addresses with one to three slashes."""
_QUOTED = LazyPattern(
    r"(?P<quote>[\"'])(?P<inner>(?:[a-z][a-z0-9+]{1,20}://)?(?P<host>[\w.-]{1,100})(?::\d{2,5})?(?:/[^\"']{0,200})?)"
    r"(?P=quote)"
)
"""A value with quotes around it, which are part of it: "redis://cache:6379"."""
_OF_ADDRESSES = LazyPattern(
    r"(?:^|_)(?:ADDR(?:ESS)?(?:ES)?|BROKERS?|DSN|ENDPOINTS?|HOSTS?(?:NAMES?)?|NODES?|PEERS?|SERVERS?|UPSTREAMS?"
    r"|UR[IL]S?)(?:_|$)",
    re.IGNORECASE,
)
"""Names of variables for an address to call; the value of others may be any word."""
_OF_SETTINGS = LazyPattern(r"\.(?:conf|cfg|ya?ml|toml|json|ini|env)$")
_FOLDER = LazyPattern(r"^/(?:app|conf|config|data|etc|opt)(?:/|$)|^/usr/local/")


class MisreadAddress(msgspec.Struct, frozen=True):
    """An address of a container's settings, and the intended one."""

    container: Container
    text: str
    right: str
    host: str
    """The name that it should have as its host."""
    variable: str = ""
    path: str = ""
    """The file of the host that has it; "" for a variable."""
    is_linked: bool = False
    """Whether a link of the container leads to that file, which may be another one on the host."""
    line: str = ""
    """The line of the log that repeats it."""

    @property
    def is_quoted(self) -> bool:
        return self.text[:1] in "\"'"


class MisreadAddresses(Items[MisreadAddress], frozen=True):
    """The first one of each container."""


@evidence
def misread_addresses(
    host: Host, containers: Containers, log_tails: LogTails | None
) -> MisreadAddresses:
    """The misread addresses in variables of all containers, and in files after a failure."""
    addresses = []
    for container in containers:
        calls = functools.partial(containers.can_call, container)
        has_failed = log_tails is not None and container.id in log_tails.by_id
        misread = _address_in_variables(container, calls, has_failed=has_failed)
        if misread is None and log_tails is not None:
            tail = log_tails.of(container)
            lines = (*tail.earlier, *tail.lines)
            misread = _address_in_files(host, container, lines, calls)
        if misread is not None:
            addresses.append(misread)
    return MisreadAddresses(tuple(addresses))


def _address_in_variables(
    container: Container, calls: Callable[[str], bool], *, has_failed: bool
) -> MisreadAddress | None:
    """The first address in a variable that its program reads with another meaning; or None.

    calls: whether the container can call another one by that name. has_failed: readings of some
    programs count only in a container that does not work.
    """
    for variable, value in container.config.environment:
        quoted = _QUOTED.fullmatch(value) if value.startswith(("'", '"')) else None
        if quoted is not None and calls(quoted["host"]):
            inner = quoted["inner"]
            host = quoted["host"]
            if inner != host or _OF_ADDRESSES.search(variable):
                return MisreadAddress(container, value, inner, host, variable)
        for misread in _misread_in_text(value, calls):
            if misread.text.partition(":")[0] in _OF_THE_WEB and not has_failed:
                continue
            corrected = value.replace(misread.text, misread.right)
            return MisreadAddress(container, misread.text, corrected, misread.host, variable)
    return None


def _address_in_files(
    host: Host, container: Container, lines: Iterable[str], calls: Callable[[str], bool]
) -> MisreadAddress | None:
    """The address of a line, in the only file of settings that has it."""
    misread_by_line = [
        (line, misread) for line in lines for misread in _misread_in_text(line, calls)
    ]
    if not misread_by_line:
        return None
    line, (text, right, name) = misread_by_line[-1]
    settings = mounted_settings(host, container, "urls", _OF_SETTINGS, _FOLDER)
    holder = only([mounted for mounted in settings if text in mounted.text.splitlines()])
    if holder is None:
        return MisreadAddress(container, text, right, name, line=line)
    is_linked = is_behind_link(host, holder.file)
    return MisreadAddress(
        container, text, right, name, path=holder.path, is_linked=is_linked, line=line
    )


class _MisreadText(NamedTuple):
    """An address with a wrong number of slashes."""

    text: str
    right: str
    """The same with two slashes."""
    host: str


def _misread_in_text(text: str, calls: Callable[[str], bool]) -> Iterator[_MisreadText]:
    """The addresses in a text with a wrong number of slashes, each with the right one."""
    matches = _ADDRESS.finditer(text) if ":/" in text else ()
    for match in matches:
        is_wrong = match["slashes"] != "//" or match["slash"]
        is_mount = match["slashes"] == "/" and match["scheme"] == match["host"]  # redis:/redis
        if is_wrong and not is_mount and calls(match["host"]):
            right = f"{match['scheme']}://{match['host']}{match['port'] or ''}"
            yield _MisreadText(match["text"], right, match["host"])
