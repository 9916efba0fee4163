"""The parts of nginx's configuration that pass requests on: the rest is not recorded. Pure."""

import re
from collections.abc import Iterator

from diagnose.nginx_text import Directive, kept, read, text_of

_PROXYING = frozenset(
    {"http", "server", "location", "if", "upstream", "include", "listen", "server_name", "set"}
    | {"absolute_redirect", "port_in_redirect", "proxy_buffering", "proxy_pass", "proxy_set_header"}
    | {
        "client_max_body_size",
        "fastcgi_param",
        "fastcgi_pass",
        "proxy_http_version",
        "proxy_read_timeout",
        "rewrite",
        "ssl_certificate",
    }
)
"""The directives of nginx that say to whom a request goes, and with which headers."""
_SHOWN_HEADERS = frozenset(
    {"connection", "forwarded", "host", "upgrade", "x-forwarded-host", "x-forwarded-port"}
    | {"x-forwarded-proto", "x-forwarded-ssl", "x-scheme", "x-url-scheme", "front-end-https"}
)
"""Headers without secrets; of others the name alone is kept."""
_PLAIN_VALUE = re.compile(r"[\w.:/-]{1,80}")
"""What may be the name or the address of a server."""
_WITH_USER = re.compile(r"://[^/@]*@")


def proxying(text: str) -> Iterator[str]:
    """The directives of nginx that pass requests on, in their blocks."""
    yield from text_of(map(_without_secrets, kept(read(text), _PROXYING)))


def _without_secrets(directive: Directive) -> Directive:
    """A directive without the values of headers and variables, users of addresses, and rules."""
    name, *words = directive.words
    inner = tuple(map(_without_secrets, directive.inner))
    if name == "fastcgi_param":
        words = [*words[:1], "-"]
    is_other_header = name == "proxy_set_header" and directive.first.lower() not in _SHOWN_HEADERS
    is_other_value = name == "set" and not _PLAIN_VALUE.fullmatch(directive.last)
    if is_other_header or is_other_value:
        words = [*words[:1], "-"]
    elif name == "rewrite":
        words = ["-"]
    elif name == "proxy_pass":
        words = [_WITH_USER.sub("://", word) for word in words]
    return Directive((name, *words), inner, directive.is_block)
