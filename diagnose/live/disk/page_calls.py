"""Addresses on the visitor's own machine that the code of a page calls. Pure."""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

_LOCAL = re.compile(
    rb"(?P<quote>[\"'`])(?P<address>(?:https?|wss?)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0):\d{1,5})(?=[\"'`/?])"
)
_REACH = 80
"""Bytes before an address that show what the code does with it."""
_CALLED = re.compile(
    rb"""(?ix)
      (?P<direct>
          (?: \b(?:fetch|axios|io|EventSource|WebSocket)
            | \.(?:get|post|put|patch|delete|request|ajax) )
          \s{0,3}\(\s{0,3}$
        | \.open\(\s{0,3}["']\w{3,7}["']\s{0,3},\s{0,3}$
      )
    | (?<![\w$])[\"']?
        [\w$]{0,40}(?:api|backend|base|endpoint|host|server|socket|uri|url)[\w$]{0,40}
        [\"']?\s{0,3}(?::|(?<![=!<>])=)\s{0,3}$
    | \b(?:const|let|var)\s{1,3}[\w$]{1,3}\s{0,3}=\s{0,3}$
    | (?: \b(?:process|import\.meta)\.env\.\w{1,60} | \{\}\)?\.\w{1,60} | \bvoid\ 0 | \bundefined
        | (?<![\w$.])[\w$]{1,2}(?:\.default)?\.env\.(?:NEXT_PUBLIC|REACT_APP|VUE_APP)_\w{1,60} )
        \s{0,3}(?:\|\||\?\?)\s{0,3}$
    """
)
"""fetch("..., baseURL: "..., const e="..., process.env.API_URL || "...

A browser has no variables of the environment: what stands behind one is what counts.
"""
_DECIDES = re.compile(rb"hostname|location\.host|\bDEV\b|NODE_ENV")
"""Words of code that chooses an address by the place of its page."""
_AROUND = 300
_MOST = 500
"""Addresses of one file that are looked at."""
_DOCUMENTS = re.compile(rb"[\"'](?:openapi|swagger)[\"']\s{0,3}:")
"""Descriptions of an interface name a server as an example."""
_ALTERNATIVE = re.compile(
    rb"""(?x)
    [^"'`]{0,100}["'`]\s{0,3}[,;]\s{0,3}(?:(?:const|let|var)\s{1,3})?
    ["']?(?:[\w$]{1,2}|(?:live|prod|remote|stag)\w{0,20})["']?\s{0,3}[:=]\s{0,3}
    ["'`](?:https?|wss?)://(?!localhost|127\.|0\.0\.0\.0)
    """
)
"""{dev: "http://localhost:8000", prod: "https://api.example.com"}: the code chooses one."""
_COMMENT = re.compile(rb"(?:(?<!:)//|/\*|<!--|^\s{0,40}\*)")


class LocalCall(NamedTuple):
    """A local address in the code of a page."""

    address: str
    """http://localhost:8000"""
    quote: str
    """The sign before it."""
    is_direct: bool
    """Whether the address is an argument of the call: else it may be a default that a setting
    replaces."""


def calls(body: bytes) -> Iterator[LocalCall]:
    """The local addresses that a page calls whatever its own address is."""
    if _DOCUMENTS.search(body):
        return
    code = _code_of(body)
    for match in itertools.islice(_LOCAL.finditer(code), _MOST):
        start = match.start()
        before = code[max(0, start - _REACH) : start]
        code_around = code[max(0, start - _AROUND) : match.end() + _AROUND]
        is_comment = _COMMENT.search(before.rpartition(b"\n")[2])
        called = _CALLED.search(before)
        is_chosen = _DECIDES.search(code_around) or _ALTERNATIVE.match(code, match.end())
        if called and not is_comment and not is_chosen:
            is_direct = called["direct"] is not None
            yield LocalCall(match["address"].decode(), match["quote"].decode(), is_direct)


def _code_of(body: bytes) -> bytes:
    """The scripts of a page, whose text may show examples; of another file all of it."""
    if not body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return body
    return b"\n".join(part.partition(b"</script")[0] for part in body.split(b"<script")[1:])
