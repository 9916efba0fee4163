"""Names that containers could not resolve, and names that they are configured to call."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.error_signatures import PATTERNS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import LEAST, RecentLogs
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.dns.resolvers import ResolvConf
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unexamined
from diagnose.programs.log_message import is_no_loss
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

_NAME = r"(?P<name>[A-Za-z0-9_](?:[\w-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[\w-]*[A-Za-z0-9_])?)*)"
_QUOTE = r"[\"'`\u2018\u2019]?"
_FAILURES = tuple(
    LazyPattern(pattern.replace("NAME", f"{_QUOTE}{_NAME}\\.?{_QUOTE}"), re.IGNORECASE)
    for pattern in (
        r"\blookup NAME(?: on \S+)?:",  # Go
        r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) NAME",  # Node.js
        r"getaddrinfo for NAME failed",  # PHP
        r"getaddrinfo for host NAME port \S{1,20}: (?:name or service|temporary failure|no address)",  # netcat
        r"could not translate host ?name NAME",  # libpq
        r"could not resolve (?:host|proxy)(?: ?name)?:? NAME",  # curl, git
        (
            r"(?:bad address|can't resolve|can't find|unable to resolve host(?: address)?"
            r"|unknown host) NAME"
        ),  # busybox, wget
        r"host not found in (?:upstream|resolver) NAME",  # nginx
        r"no resolver defined to resolve NAME",  # nginx
        r"(?:^|[\s:])NAME could not be resolved \(\d+: ",  # nginx
        r"failed to resolve NAME \(",  # Python, urllib3
        (
            r"cannot connect to host NAME:\d+ .{0,300}\[(?:name does not resolve|name or service not known"
            r"|temporary failure in name resolution)"
        ),  # Python, aiohttp
        r"UnknownHostException: NAME",  # Java
        (
            r"(?:name or service not known|name does not resolve|no such host is known"
            r"|temporary failure in name resolution)\.? \(NAME:\d+\)"
        ),  # .NET
        r"connecting to NAME:\d+\. (?:name |no address |temporary failure in name)",  # Python, redis
        (
            r"(?:^|[\s:])NAME: (?:temporary failure in name resolution|name or service not known"
            r"|nodename nor servname|no address associated with hostname|name has no usable address)"
        ),
        r"\b(?:reach|connect to|connecting to|resolve|resolving) NAME: \[Errno -\d\d?\] ",  # Python
        r"\bserver on NAME \(\[Errno -\d\d?\] ",  # Python, PyMySQL
        r"\bquery(?:A|Aaaa) E[A-Z]{4,8} NAME",  # Node.js
        (
            r"connect to (?:server on |host )?NAME(?: \(\S{1,99}\))?[:,] .{0,300}(?:name or service not known"
            r"|name resolution|unknown host)"
        ),
    )
)
"""Lines of programs with the name that they could not resolve."""
_CALLS = vocabulary(
    "err error failed failure getaddrinfo getnameinfo gethostbyname info information lookup "
    "resolved"
)
"""The text before the words of the C library where a program does not print the name; Rust's
standard library prints `failed to lookup address information`."""
_CLASS = LazyPattern(r"(?:^|\.)\w*(?:Error|Exception|gaierror)$")
"""An exception by its class: System.Net.Http.HttpRequestException, socket.gaierror."""

_OF_DNS = LazyPattern(PATTERNS["dns"], re.IGNORECASE)
_WORDS_OF_DNS = (
    "resol", "misbehaving", "such host", "bad address", "servfail", "not known", "no servers",
    "lookup ", "eai_again", "getaddrinfo", "unknownhost", "host not found", ":53",
    "no address", "usable address", "querya",
)  # fmt: skip
"""Words in lower case, of which each line that the pattern matches has one. Most lines have none,
and the search for words costs a hundredth of the pattern."""

_REFERENCE = LazyPattern(
    rf"(?:://(?:[^@/\s]*@)?|@){_NAME}(?=[:/]|$)|^{_NAME.replace('?P<name>', '?P<bare>')}:\d{{2,5}}$"
)
_HOST_VARIABLE = LazyPattern(
    r"(?:^|_)(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS|ENDPOINT)$", re.IGNORECASE
)
_BARE_NAME = LazyPattern(rf"^{_NAME}$")

_LEAST_NDOTS = 2
"""From this `ndots` on a name with a dot is first tried with the search domains."""

UNREACHED = frozenset(
    {
        "cluster-silent",
        "database-unreachable",
        "peer-timeout",
        "some-name-unresolved",
        "some-peer-refused",
    }
)
"""Families of complaints about a call that do not say whom the program called."""


class FailedName(msgspec.Struct, frozen=True):
    """A name that a container could not resolve, and the line of its log that reports it.

    Where the log says only that a call failed: a name of its settings that no container near it
    has, and its place there.
    """

    name: str
    line: str
    is_by_log: bool = True

    @property
    def source(self) -> str:
        """The place of the name, for evidence."""
        return f'its log, "{self.line}"' if self.is_by_log else self.line


class FailedNames(msgspec.Struct, frozen=True):
    """The names that failed by the log, by container id, the latest first."""

    by_id: dict[str, tuple[FailedName, ...]]
    unread: tuple[Unexamined, ...] = ()
    """Running containers whose logs were not read."""

    def __len__(self) -> int:
        return len(self.by_id)

    def of(self, container: Container) -> tuple[FailedName, ...]:
        return self.by_id.get(container.id, ())


@evidence
def failed_names(
    containers: Containers, log_tails: LogTails, recent_logs: RecentLogs | None, clock: Clock
) -> FailedNames:
    """The names that failed, by logs of containers that failed, loop, are unhealthy or run.

    A running container counts where it repeats the failure of a name, and now, and does not say
    that it skips the name.
    """
    by_id = {}
    for container in containers:
        tail = log_tails.of(container)
        names = tuple(_names_of_lines((*tail.earlier, *tail.lines)))
        if not names and tail.failure_named(*UNREACHED):
            strays = stray_names(container, containers.names_by_network)
            names = tuple(
                FailedName(name, place, is_by_log=False) for name, place in strays.items()
            )
        if not names and recent_logs is not None:
            lines = recent_logs.repeated(container, _lacks_a_name, clock)
            names = tuple(_repeated_names([line.text for line in lines]))
        if names:
            by_id[container.id] = names
    left_out = recent_logs.left_out(containers.running) if recent_logs is not None else ()
    return FailedNames(by_id, left_out)


def _repeated_names(lines: list[str]) -> Iterator[FailedName]:
    """The names that at least two of these lines say."""
    times = Counter(map(failed_name, lines))
    return (failed for failed in _names_of_lines(lines) if times[failed.name] >= LEAST)


def _names_of_lines(lines: Sequence[str]) -> Iterator[FailedName]:
    names = set()
    for line in reversed(lines):
        name = failed_name(line) if _tells_of_a_name(line) else ""
        if name and name not in names:
            names.add(name)
            yield FailedName(name, line)


def _tells_of_a_name(line: str) -> bool:
    """Whether a line may say that a name could not be resolved.

    Only this class of errors is looked for: lines of all running containers are read.
    """
    lowered = line.lower()
    has_word = any(word in lowered for word in _WORDS_OF_DNS)
    return has_word and _OF_DNS.search(line) is not None


def _lacks_a_name(line: str) -> bool:
    """Whether a line reports a missing name, and not that the program continues without it."""
    return _tells_of_a_name(line) and not is_no_loss(line)


def failed_name(line: str) -> str:
    """The name that could not be resolved, by a line of a log.

    Empty where the line does not say.
    """
    matches = (pattern.search(line) for pattern in _FAILURES)
    names = (match["name"] for match in matches if match)
    return next((name for name in names if _is_name(name)), "")


def _is_name(text: str) -> bool:
    """Whether a text is the name of a host: no address, no function, no exception.

    Who asks for the name of an address, such as a mail server of its caller's, often gets none.
    """
    name = text.lower().rstrip(".")
    if _looks_like_address(text) or name.endswith((".in-addr.arpa", ".ip6.arpa")):
        return False
    return name not in _CALLS and not _CLASS.search(text)


def _looks_like_address(text: str) -> bool:
    return text.replace(".", "").isdigit()


def referenced_names(container: Container) -> dict[str, str]:
    """The host names in a container's environment and arguments, with the place of each.

    A value counts where it is certainly a host: in a URL, before a port, or in a variable that is
    named for a host.
    """
    sources: dict[str, str] = {}
    for variable, value in container.config.environment:
        for name in _names_in(value, is_host=bool(_HOST_VARIABLE.search(variable))):
            sources.setdefault(name, f"environment variable {variable}")
    for argument in container.command[1:]:
        for name in _names_in(
            argument.rpartition("=")[2] if argument.startswith("-") else argument, is_host=False
        ):
            sources.setdefault(name, "its command")
    return sources


def stray_names(container: Container, names_by_network: Mapping[str, set[str]]) -> dict[str, str]:
    """The short names that a container calls and no running container near it has, with the places.

    names_by_network: `Containers.names_by_network`. Only a search domain can give such a name an
    address.
    """
    near_names = {"localhost", container.name, container.id[:12], *container.extra_names}
    called = {
        name: source for name, source in referenced_names(container).items() if "." not in name
    }
    for network in container.endpoints:
        near_names |= names_by_network.get(network, set())
    return {name: source for name, source in called.items() if name not in near_names}


def searched_names(
    container: Container, names_by_network: Mapping[str, set[str]], conf: ResolvConf | None
) -> dict[str, str]:
    """The short names that a container calls and that a search domain may answer for.

    Those of near containers count too where the domain is tried first: the engine writes `ndots:0`,
    unless the host's own resolv.conf or the container has that option.
    """
    if conf is None or not conf.is_embedded:
        return stray_names(container, names_by_network)
    has_option = any(option.startswith("ndots:") for option in conf.options)
    return stray_names(container, {} if has_option and conf.ndots > 0 else names_by_network)


def dotted_names(container: Container, conf: ResolvConf | None) -> dict[str, str]:
    """The names with dots that a container calls, and that its search domains are tried for first.

    They have fewer dots than `ndots` asks for. Names of a search domain itself are left out, and so
    are those with a final dot.
    """
    if conf is None or conf.ndots < _LEAST_NDOTS:
        return {}
    domains = [f".{domain.strip('.').lower()}" for domain in conf.search if domain.strip(".")]
    return {
        name: source
        for name, source in referenced_names(container).items()
        if 0 < name.count(".") < conf.ndots and not name.lower().endswith(tuple(domains))
    }


def _names_in(text: str, *, is_host: bool) -> Iterator[str]:
    bare = _BARE_NAME.fullmatch(text.strip()) if is_host else None
    if bare and not _looks_like_address(bare["name"]):
        yield bare["name"]
    for part in text.split(","):
        for match in _REFERENCE.finditer(part.strip()):
            name = match["name"] or match["bare"]
            if name and not _looks_like_address(name):
                yield name
