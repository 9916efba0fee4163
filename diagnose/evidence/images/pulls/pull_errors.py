"""The reason why a pull fails, by the engine's text. Pure."""

import re
from typing import Literal

from diagnose.lazy_pattern import LazyPattern

Why = Literal[
    "altered",
    "no-space",
    "ids",
    "depth",
    "rate-limit",
    "proxy",
    "plain-http",
    "tls",
    "platform",
    "denied",
    "corrupt",
    "unreachable",
    "web-page",
    "format",
    "unpack",
]
PATTERNS: dict[Why, LazyPattern] = {
    "no-space": LazyPattern(r"no space left on device|disk quota exceeded"),
    "ids": LazyPattern(
        r"[Cc]ontainer ID \d+ cannot be mapped to a host ID|lchown \S+: invalid argument"
    ),
    "depth": LazyPattern(r"max depth exceeded|too many layers"),
    "rate-limit": LazyPattern(
        r"toomanyrequests|429 Too Many Requests|pull rate limit|HTTP 429 response body",
        re.IGNORECASE,
    ),
    # a bare status behind the URL is the proxy's answer to CONNECT: a registry's own comes with
    # other words
    "proxy": LazyPattern(
        r"proxyconnect|Proxy Authentication Required|\b407\b"
        r"|\bhttps://\S+: [A-Z][a-z]+( [A-Za-z]+)*$"
    ),
    "plain-http": LazyPattern(r"server gave HTTP response to HTTPS client"),
    "tls": LazyPattern(r"x509:|\btls: |remote error: tls"),
    "platform": LazyPattern(
        r"no matching manifest for|does not match the (specified|detected) (host )?platform"
        r"|no match for platform in manifest"
        r"|operating system \S+ cannot be used on this platform"
    ),
    "format": LazyPattern(
        r"schema 1\b|manifest\.v1\+prettyjws|missing signature key"
        r"|unsupported (?:layer )?media ?type|docker\.plugin\.v\d"
    ),
    # the layer is complete, and the host does not let the engine write it
    "unpack": LazyPattern(
        r"""
        failed\ to\ register\ layer.{0,999}(?:
              operation\ not\ (?:permitted|supported)
            | permission\ denied | input/output\ error | signal:\ killed
            | read-only\ file\ ?system | cross-device\ link
            | processing\ tar\ file[^:]{0,300}:\ unexpected\ EOF
            | invalid\ tar\ header
            | rename\ \S{1,300}/write-set-\S{1,99}[ ]
          )
        """,
        re.DOTALL | re.VERBOSE,
    ),
    "corrupt": LazyPattern(
        r"failed to register layer|layer does not exist"
        r"|content digest \S+ not found"
    ),
    # the data differs from the manifest, and none of it is kept
    "altered": LazyPattern(
        r"filesystem layer verification failed|unexpected commit (?:digest|size)"
        r"|failed size validation|unexpected EOF|(?:flate: corrupt input|gzip: invalid)"
    ),
    # a registry answers in JSON; a status of overload or of a gateway says more than the page
    "web-page": LazyPattern(
        r"^(?!.*HTTP (?:408|429|5\d\d) ).*"
        r"(?:invalid character '<' looking for beginning of value|: <(?:!doctype )?html\b)",
        re.IGNORECASE | re.DOTALL,
    ),
    "denied": LazyPattern(
        r"pull access denied|unauthorized|authentication required|denied:|no basic auth credentials"
        r"|manifest unknown"
        r"|manifest for \S+ not found|name unknown|401 Unauthorized|403 Forbidden"
        r"|insufficient_scope|: not found$"
        r"|HTTP 40[134] response body|unexpected status .{0,1000}: 40[134] ",
        re.IGNORECASE,
    ),
    "unreachable": LazyPattern(
        r"dial tcp|dial udp|no such host|i/o timeout|connection refused|connection reset"
        r"|network is unreachable|no route to host"
        r"|Client\.Timeout|deadline exceeded|TLS handshake timeout|unexpected HTTP status: 5\d\d"
        r"|unexpected status .{0,1000}: 5\d\d |: EOF$"
        r"|HTTP (408|5\d\d) response body"
    ),
}
"""The patterns in this order: earlier ones are nearer to the cause (a proxy that is dialled without
success is not an unreachable registry)."""
REGISTRY_WIDE: frozenset[Why] = frozenset(
    {"rate-limit", "proxy", "plain-http", "tls", "unreachable", "web-page"}
)
"""Kinds of failure that are the same for every image of a registry."""


def classify(text: str) -> Why | None:
    """The kind of a pull's failure by its text; None for one that was cancelled or is not known."""
    return next((why for why, pattern in PATTERNS.items() if pattern.search(text)), None)
