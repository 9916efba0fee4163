"""Kinds of log lines of a running program: its work, calls of strangers, or its surroundings.

Pure.
"""

import re

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.callers import TURNED_AWAY, is_about_a_stranger
from diagnose.programs.log_message import INFO, TAKES_ANOTHER, WAS_EXPECTED, Message, message

_SERVED = LazyPattern(
    r"""
    \b (?: DELETE | GET | HEAD | OPTIONS | PATCH | POST | PROPFIND | PUT | REPORT ) \b
    (?:                                     # up to the status there is no other one: behind a
        (?!                                 # space, `status=` or `"status":`
            (?: (?<=\s) | (?<=tatus=) | (?<=tatus\":) ) [45]\d\d (?![\w.])
        ) .
    )*
    (?<![\w.]) [23]\d\d (?![\w.])           # the status
    """,
    re.VERBOSE,
)
"""A request with a successful status, in the logs of web servers. Behind another status such a
number is a size: Apache's page for 503 has 299 bytes."""
_SERVED_BY_STATUS = LazyPattern(
    r"""
    (?: ^ | [\s|>=] ) [23]\d\d (?![ ]bytes\b)  # the status,
    (?: [ ] [A-Z][A-Za-z ]{1,30} )?         # its name, as `200 OK`,
    (?= [ ,|\"] )
    (?: (?! [45]\d\d (?![\w.]) ) . ){0,120}
    \b (?: DELETE | GET | HEAD | OPTIONS | PATCH | POST | PROPFIND | PUT | REPORT )
    [\"' ]{1,12} /                          # and the path of the request
    """,
    re.VERBOSE,
)
"""The same with the status before the request, as Gin and Verdaccio log it."""
_OF_A_PROBE = LazyPattern(
    r"""
    / (?:-/)? (?: alive | healthz? | healthcheck | live | livez | metrics | ping
        | readyz? | ready | server-status | status | up ) \b
    | health.?check | kube-probe | prometheus/      # or its program
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A request of a monitor, which is answered while all others fail."""
_WORKED = LazyPattern(
    r"""
    (?<!not[ ]) (?<!un) \b (?: complet(?:ed|e) | delivered | finished | processed | saved | sent
        | stored | succeed(?:ed|s) | success(?:ful|fully)? | synced | up-to-date | wrote ) \b
    | \b (?: joined | placed | created | updated | uploaded | imported | downloaded ) \b
    | \b NOERROR \b                                 # of a DNS server
    | \b status [\"=: ]{1,3} [23]\d\d \b            # of a request
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words of a program that has finished a requested task."""
_WENT_WELL = LazyPattern(r"(?<!not )\bok\b", re.IGNORECASE)
"""Words of a job at its end, besides `_WORKED`: only for a start with failed calls."""
_AROUND = LazyPattern(
    r"""
    \b (?: backends? | broker | certificates? | config\w* | connect\w* | credentials? | databases?
        | director(?:y|ies) | disk | files? | folders? | gateways? | librar(?:y|ies) | memory
        | migrat\w+ | provision\w* | queues? | refused | resources? | servers? | SIG[A-Z]{3,4}
        | threads? | timed?[ ]?out | timeouts? | unavailable | unreachable | upstreams? ) \b
    | \b (?: back[- ]?ups? | buckets? | clocks? | clusters? | CLUSTERDOWN | collectors? | crash\w*
        | drives? | encryption | exporters? | heap | I/O | killed | leader | licen[cs]es? | OOM
        | \w*pool | quorum | quota | replica\w* | segfault | segmentation ) \b
    | corrupt | skewed | exited[ ]unexpectedly
    | invalid[ ]page[ ]in[ ]block                   # PostgreSQL, of a damaged file
    | \b (?: api | access ) [-_ ]? key | AccessDenied | AccessKey | \b (?: JWKS | LDAP | OIDC ) \b
    | \b ECONNRESET \b | socket[ ]hang[ ]up | \b fetch[ ]failed \b      # Node.js
    | Service[ ]?Unavailable | Bad[ ]Gateway
    | \b (?: answered | replied | returned | responded | status(?:[ ]code)? ) \b
        [^\d\n]{0,20} \b 50[234] \b                 # somebody else's server
    | unknown[ ]column | \b column \b .{0,80} \b does[ ]not[ ]exist     # a schema that is too old
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Things on which a program depends or that it calls: a line about them is not about one request.
"""
_OF_NGINX = LazyPattern(r", server: [^,]{0,200}(?=, request: )")
"""The server that was asked, in nginx's lines about requests."""
_NO_SUCH_PAGE = LazyPattern(
    r"""
    \b No[ ]route[ ]matches[ ]\[            # Rails
    | \b [Nn]o[ ]route[ ]found[ ]for \b     # Symfony, Phoenix
    | \b NoRouteError \b
    | \b NotFoundHttpException \b
    | \b NoResourceFoundException \b        # Spring
    """,
    re.VERBOSE,
)
"""Lines of frameworks about a request for a page that the program does not have. Rails and Symfony
give it their most severe level."""
_HARMLESS = LazyPattern(
    r"""
    \b not[ ]yet[ ]due \b
    | \b failed [:=] [ ]? (?:false|0) \b | \b errors? [:=] [ ]? [\"']? (?:none|null|nil|false) \b
    | ^ (?! .* \b (?:ERROR|FATAL|CRITICAL) \b ) .* \b deprecat(?:ed|ion) \b
    | \b deprecation\.elasticsearch \b                  # for the author: what a later version drops
    | \b moby\.buildkit\.v1\.[\w.]{1,60}/Solve[ ]returned[ ]error \b    # its caller has seen it
    | \b while[ ]proxying[ ]upgraded[ ]connection \b    # nginx, of each WebSocket that is left
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A line that reports no failure, or warns the program's author about a later version."""


def is_served(line: str) -> bool:
    """Whether a line is a request that went well."""
    return bool(_SERVED.search(line) or _SERVED_BY_STATUS.search(line))


def tells_of_work(line: str) -> bool:
    """Whether a line reports work that went well, other than for a monitor."""
    if _OF_A_PROBE.search(line):
        return False
    if is_served(line):
        return True
    logged = message(line)
    return _is_calm(logged) and _WORKED.search(logged.text) is not None


def tells_of_own_work(line: str) -> bool:
    """Whether a line reports work that no client requested."""
    if is_served(line) or signs(line) & CALL_FAILED:
        return False
    if tells_of_work(line):
        return True
    logged = message(line)
    is_of_a_probe = _OF_A_PROBE.search(line) is not None
    return _is_calm(logged) and not is_of_a_probe and _WENT_WELL.search(logged.text) is not None


def _is_calm(logged: Message) -> bool:
    """Whether a message has no level, or one that complains of nothing."""
    return logged.level is None or logged.level <= INFO


def is_about_surroundings(line: str) -> bool:
    """Whether a line is about the program's surroundings or calls, and not about one request."""
    about = _OF_NGINX.sub("", line)
    return bool(signs(about)) or _AROUND.search(about) is not None


def is_about_no_page(line: str) -> bool:
    """Whether a line reports a request for a page that the program does not have."""
    return _NO_SUCH_PAGE.search(_OF_NGINX.sub("", line)) is not None


def turns_away(line: str) -> bool:
    """Whether a line has words of a server that refuses a client."""
    return TURNED_AWAY.search(line) is not None


def is_harmless(line: str) -> bool:
    """Whether a line that looks like an error reports none."""
    harmless = any(kind.search(line) for kind in (_HARMLESS, TAKES_ANOTHER, WAS_EXPECTED))
    return harmless or is_about_a_stranger(line)
