"""Symptoms in logs of a proxy that does not pass on its clients' scheme, host or upgrade. Pure."""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.access_lines import CHANGING_PART, REDIRECTS, AccessLine
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.cookie_domains import cookie_domain
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.phrases import unix

Kind = Literal[
    "upgrade", "version", "login", "sign-in", "origin", "loop", "signature", "misdirected"
]
"""upgrade: requests for WebSocket are refused. version: requests are refused for the version of
HTTP. signature: signed addresses of a store are refused. misdirected: a server has no site of the
requested name. login: the next request does not know the login. sign-in: a user who is sent to
another site to sign in does not come back. origin: a form is refused, since it came from a page of
HTTPS. loop: a page leads to itself."""

LEAST = 4
"""Minimum number of requests: a client that comes only once more may have had a bad moment."""
_LEAST_OF_DOMAIN = 2
"""Minimum number of logins, where the settings name a domain of cookies."""
FRESH_S = 120.0
_SOCKET = LazyPattern(
    r"[?&]transport=websocket\b"
    r"|(?:^|/)(?:ws|wss|websockets?|cable|_stcore/stream|hubs?|channels)(?:[/?.]|$)"
)
"""A path that a browser opens a WebSocket at."""
_MAYBE_SOCKET = LazyPattern(r"(?:^|/)(?:sockets?|realtime|signalr)(?:[/?]|$)")
"""A path of a possible socket: a page has such a name too, and is not refused as a bad request
then."""
_BAD_REQUEST = 400
_NO_SOCKET = frozenset({400, 404, 405, 426})
"""Answers of programs to a page request where they expect WebSocket."""
_WANTS_ANOTHER_VERSION = 426
_MISDIRECTED = 421
_FORBIDDEN = 403
_SWITCHED = 101
_SIGNED = LazyPattern(r"[?&]X-(?:Amz|Goog)-(?:Algorithm|Credential|Signature)=", re.IGNORECASE)
_SIGNED_AT = LazyPattern(r"[?&]X-(?:Amz|Goog)-Date=(\d{8}T\d{6})Z", re.IGNORECASE)
_HOLDS_FOR = LazyPattern(r"[?&]X-(?:Amz|Goog)-Expires=(\d{1,7})\b", re.IGNORECASE)
_ASKS_FOR_UPGRADE = LazyPattern(
    r"""(?x)
    Can\ ["']Upgrade["']\ only\ to\ ["']WebSocket  # Tornado
    | ['"]upgrade['"]\ token\ not\ found\ in\ ['"]Connection['"]\ header  # Gorilla
    | WebSocket\ protocol\ violation:\ Connection\ header\ .{0,80}does\ not\ contain\ Upgrade
    | Handshake\ failed\ due\ to\ invalid\ Upgrade\ header  # Spring
    | No\ WebSocket\ UPGRADE\ hdr  # aiohttp
    | [Mm]issing\ (?:or\ invalid\ )?Upgrade\ header | [Uu]pgrade:\ websocket\ header\ is\ missing
    """
)
_REFUSED_ORIGIN = LazyPattern(
    r"""(?x)
    Origin\ checking\ failed\ -\ (?P<origin>https://\S{1,200})\ does\ not\ match  # Django
    | HTTP\ Origin\ header\ \((?P<origin_rails>https://[^)\s]{1,200})\)\ didn't\ match
      \ request\.base_url\ \(http://  # Rails
    """
)
_LOGIN = LazyPattern(
    r"(?:^|[/_.-])(?:log[-_]?in|sign[-_]?in|auth(?:enticate|entication)?|sessions?|wp-login\.php)"
    r"(?:[/?._-]|$)",
    re.IGNORECASE,
)
"""A path that a browser logs in at: /login, /auth/session, /wp-login.php."""
_NO_LOGIN = LazyPattern(r"refresh|log[-_]?out|sign[-_]?out|revoke", re.IGNORECASE)
_SENT_AWAY = LazyPattern(
    r"""
    ^/(?:[\w.-]{1,40}/){0,3}(?:
          (?:oauth2?|oidc|openid|saml2?|social|sso)/
            (?!.{0,80}(?:complete|return|redirect|logout))
        | (?:auth|log[-_]?in|sign[-_]?in)/(?:[\w-]{1,20}/)?(?:
                authelia | authentik | azure | discord | facebook | git(?:ea|hub|lab)
              | google | keycloak | microsoft | oauth2? | oidc | openid | saml | sso
            )
      )[\w./-]{0,80}$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Pages that send a client on to sign in elsewhere."""
_COMES_BACK = LazyPattern(r"[?&](?:code|state|error|SAMLResponse)=|callback|authorized")
_GRANTED = frozenset({200, 201, 204, 302, 303})
_NOT_KNOWN = 401
_MOVED = 300


class Symptom(msgspec.Struct, frozen=True):
    """A symptom for users of a site, as one log shows it."""

    kind: Kind
    container: Container
    """The container of the log: the program, or a proxy before it."""
    line: str
    """The last line that shows it."""
    path: str
    """The requested path, without its query; "" where the line does not say."""
    times: int
    origin: str = ""
    """The address of the page whose form was refused."""
    status: int = 0
    """The status of the last request; 0 where a program reports the missing part in words."""


def symptoms(container: Container, logs: RecentLogs, clock: Clock) -> Iterator[Symptom]:
    """The symptoms in the lines of one container, each kind at most once."""
    requests = logs.requests_of(container)
    for kind, select in _SELECTED.items():
        lines = select(requests)
        least = LEAST if kind != "login" or cookie_domain(container) is None else _LEAST_OF_DOMAIN
        if len(lines) >= least and clock.is_within(lines[-1].at, FRESH_S):
            last = lines[-1]
            path = last.path.partition("?")[0]
            yield Symptom(kind, container, last.line, path, len(lines), status=last.status)
    yield from _symptoms_in_words(container, logs.of_this_run(container), clock)


def _symptoms_in_words(
    container: Container, log: Sequence[RecentLine], clock: Clock
) -> Iterator[Symptom]:
    """The symptoms that a program itself reports: a missing upgrade, or a form that it refuses."""
    kinds: tuple[tuple[Kind, LazyPattern], ...] = (
        ("upgrade", _ASKS_FOR_UPGRADE),
        ("origin", _REFUSED_ORIGIN),
    )
    for kind, pattern in kinds:
        matches_by_line = [
            (line, match) for line in log if (match := pattern.search(line.text)) is not None
        ]
        if len(matches_by_line) < 2:
            continue
        line, match = matches_by_line[-1]
        if clock.is_within(line.at, FRESH_S):
            origin = next(filter(None, match.groups()), "") if kind == "origin" else ""
            yield Symptom(
                kind, container, line=line.text, path="", times=len(matches_by_line), origin=origin
            )


def refused_upgrades(requests: Sequence[AccessLine]) -> list[AccessLine]:
    """Requests at a place of WebSocket, none of which was answered with it."""
    of_paths = by_key(
        (CHANGING_PART.sub("", line.path), line)
        for line in requests
        if line.method == "GET" and _is_at_socket(line)
    )
    refused = filter(_are_all_refused, of_paths.values())
    return max(refused, key=len, default=[])


def _is_at_socket(line: AccessLine) -> bool:
    if _SOCKET.search(line.path) is not None:
        return True
    is_bad = line.status in (_BAD_REQUEST, _SWITCHED)
    return is_bad and _MAYBE_SOCKET.search(line.path) is not None


def _are_all_refused(lines: Sequence[AccessLine]) -> bool:
    """Whether no request for a socket succeeded."""
    return all(line.status in _NO_SOCKET for line in lines)


def _refused_versions(requests: Sequence[AccessLine]) -> list[AccessLine]:
    """The last requests, where each of them was refused for its version of HTTP."""
    pages = [line for line in requests if _SOCKET.search(line.path) is None]
    refused = [line for line in pages if line.status == _WANTS_ANOTHER_VERSION]
    places = {CHANGING_PART.sub("", line.path) for line in refused}
    served = (line for line in pages if line.status < _MOVED)
    return [] if any(CHANGING_PART.sub("", line.path) in places for line in served) else refused


def _refused_signatures(requests: Sequence[AccessLine]) -> list[AccessLine]:
    """Requests for signed addresses that hold yet, where each of them is refused."""
    signed = [line for line in requests if _SIGNED.search(line.path) and not _has_expired(line)]
    return signed if all(line.status == _FORBIDDEN for line in signed) else []


def _has_expired(line: AccessLine) -> bool:
    """Whether a signed address was asked for after its time."""
    signed_at = _SIGNED_AT.search(line.path)
    period = _HOLDS_FOR.search(line.path)
    begun = unix(signed_at[1]) if signed_at is not None else None
    if begun is None or period is None:
        return False
    return begun + int(period[1]) < line.at


def _misdirected_requests(requests: Sequence[AccessLine]) -> list[AccessLine]:
    """The requests that were sent to another server, where none at their places was served."""
    refused = [line for line in requests if line.status == _MISDIRECTED]
    places = {CHANGING_PART.sub("", line.path) for line in refused}
    served = (line for line in requests if line.status < _MISDIRECTED)
    return [] if any(CHANGING_PART.sub("", line.path) in places for line in served) else refused


def _forgotten_logins(requests: Sequence[AccessLine]) -> list[AccessLine]:
    """Logins that were granted, after each of which the same client is not known.

    The next request is refused, or leads back: a page that redirects, and the login page again.
    Several users may have the same browser behind one proxy: a page that one of them gets does not
    count.
    """
    forgotten: list[AccessLine] = []
    for lines in by_key((line.client, line) for line in requests).values():
        served = {line.path for line in lines if line.method == "GET" and line.status < _MOVED}
        granted = [at for at, line in enumerate(lines) if _is_granted(line)]
        for at, end in itertools.pairwise([*granted, len(lines)]):
            gets = [line for line in lines[at + 1 : end] if line.method == "GET"]
            if lines[at].status in REDIRECTS:
                is_forgotten = _leads_back(gets, served)
            else:
                is_forgotten = any(
                    line.status == _NOT_KNOWN and line.path not in served for line in gets
                )
            if is_forgotten:
                forgotten.append(lines[at])
    return sorted(forgotten, key=lambda line: line.at)


def _is_granted(line: AccessLine) -> bool:
    is_login = _LOGIN.search(line.path) and not _NO_LOGIN.search(line.path)
    return line.method == "POST" and line.status in _GRANTED and bool(is_login)


def _leads_back(gets: Sequence[AccessLine], served: Set[str]) -> bool:
    """Whether the page behind a login redirects, and to the login page."""
    if len(gets) < 2 or gets[0].status not in REDIRECTS or gets[0].path in served:
        return False
    return gets[1].status < _MOVED and bool(_LOGIN.search(gets[1].path))


def _lost_sign_ins(requests: Sequence[AccessLine]) -> list[AccessLine]:
    """The redirects to another site's sign-in, from which no client came back."""
    if any(_COMES_BACK.search(line.path) for line in requests):
        return []
    sent = [
        line
        for line in requests
        if line.method == "GET" and line.status in REDIRECTS and _SENT_AWAY.search(line.path)
    ]
    return max(by_key((line.path, line) for line in sent).values(), key=len, default=[])


_SELECTED: dict[Kind, Callable[[Sequence[AccessLine]], list[AccessLine]]] = {
    "upgrade": refused_upgrades,
    "version": _refused_versions,
    "signature": _refused_signatures,
    "misdirected": _misdirected_requests,
    "login": _forgotten_logins,
    "sign-in": _lost_sign_ins,
}
"""The function that selects the requests with a symptom, by its kind."""
