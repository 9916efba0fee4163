"""What writes a missing header into a file of nginx, as variables of a page."""

from __future__ import annotations

import shlex

from diagnose.evidence.network.proxies.untold_programs import UntoldProgram
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

SCHEME = "proxy_set_header X-Forwarded-Proto $scheme;"
SCHEME_BEFORE = "proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;"
_PLAIN = LazyPattern(r"[\w.:/$-]{1,120}")
"""A target that a shell and sed take as it is."""


def edit_of(item: UntoldProgram, added: str) -> PageVariables:
    """What writes the missing lines before proxy_pass, for the page.

    A location without headers of its own would lose those of its site by a first one.
    """
    hop = item.hop
    words: dict[str, str] = {"added": added}
    if hop.proxy is not None:
        words["proxy"] = hop.proxy.name
    may_add = hop.has_own_headers or not hop.headers
    if not (item.inside and may_add and _PLAIN.fullmatch(hop.target)):
        return words
    old = hop.target.replace(".", "[.]").replace("$", "[$]")
    edit = f"s|proxy_pass  *{old};|{added} &|"
    if not hop.ends_tls and "x-forwarded-proto" in hop.headers and "Proto" in added:
        said = hop.headers["x-forwarded-proto"].replace("$", "[$]")
        edit = f"s|X-Forwarded-Proto  *{said};|X-Forwarded-Proto $http_x_forwarded_proto;|"
    if hop.proxy is None:
        return {**words, "host_file": item.on_host, "edit": edit}
    if item.is_read_only and item.on_host:
        return {**words, "mounted_file": item.on_host, "edit": edit}
    return {**words, "script": _script(item.inside, edit)} if not item.is_read_only else words


def _script(path: str, edit: str) -> str:
    """Changes a file in its place, and changes it back where nginx does not take it."""
    return (
        f'f={shlex.quote(path)}; b=$(mktemp) && cp "$f" $b || exit 1; sed \'{edit}\' $b >"$f" && nginx -t && '
        'nginx -s reload || { cat $b >"$f"; false; }'
    )
