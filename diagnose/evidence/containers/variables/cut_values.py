"""Values that lack a part, by their shape: a name without its end, an address without host. Pure.

Host(`homer.`)   https:///login   postgres://shop:@db/   admin@
"""

import re
from enum import Enum

import msgspec

from diagnose.lazy_pattern import LazyPattern

_ADDRESS = LazyPattern(
    r"(?P<scheme>[a-z][a-z0-9+.-]{1,30})://(?:(?P<user>[^\s:@/]{0,100})(?P<colon>:)?"
    r"(?P<password>[^\s@/]{0,200})@)?(?P<host>[^\s:@/?#,]{0,250})(?P<port>:\d{0,5})?"
    r"(?P<path>/[^\s?#,]{0,300})?(?P<rest>[?#]\S{0,500})?"
)
"""A URL of which any part behind the scheme may be missing."""
_WEB = LazyPattern(r"(?:https?|wss?)")
_DATABASE = LazyPattern(r"(?:postgres|postgresql|pgsql|mysql|mysql2|mariadb)(?:\+\w{1,20})?")
_SERVER = LazyPattern(r"(?:mongodb|amqps?|redis|rediss|valkey)")
_LISTENS = LazyPattern(
    r"(?:^|_)(?:ASPNETCORE|BIND|HTTP_PORTS?|LISTEN|PREFIX|PROTO|PROTOCOL|SCHEME)"
)
"""Names of variables whose value is not a complete address."""
_MAIL = LazyPattern(r"(?:^|_)(?:E?MAIL|FROM|SENDER|SMTP)(?:_|$)")
_SURELY_MAIL = LazyPattern(r"(?:^|_)(?:E?MAIL|SMTP)(?:_|$)")
_MAIL_CUT = LazyPattern(r"[\w.+-]{1,64}@")
_CUT_NAME = LazyPattern(
    r"(?:(?!localhost\.)[\w-]{1,63}\.|\.[\w.-]{1,250}|[\w.-]{0,120}\.\.[\w.-]{0,120})"
)
"""homer. and .example.com; a whole name may end in a dot, as localhost. does."""
_OF_TRAEFIK = LazyPattern(r"traefik\.(?:http|tcp)\.routers\.[^.]{1,200}\.rule")
_HOSTS = LazyPattern(r"Host(?:SNI)?\((?P<names>[^()]{0,500})\)")
_NAME = LazyPattern(r"[`\"'](?P<name>[^`\"']{0,250})[`\"']")
_NAMES_FOR_PROXIES = frozenset({"VIRTUAL_HOST", "LETSENCRYPT_HOST"})


class Cut(Enum):
    """How certain it is, by the shape of a value, that a part of it is missing."""

    no = 0
    maybe = 1
    """The value may be intended."""
    surely = 2


class CutText(msgspec.Struct, frozen=True):
    """The text of a value that shows that it lacks a part; "" where it lacks none."""

    cut: Cut = Cut.no
    text: str = ""


def cut_of_label(label: str, value: str) -> CutText:
    """The part of the value of a label that lacks something."""
    if _OF_TRAEFIK.fullmatch(label):
        for hosts in _HOSTS.finditer(value):
            for match in _NAME.finditer(hosts["names"]):
                if not match["name"] or _CUT_NAME.fullmatch(match["name"]):
                    return CutText(Cut.surely, hosts[0])
        return CutText()
    if label == "caddy" or (label.startswith("caddy_") and label[6:].isdecimal()):
        name = value.partition("://")[2] or value
        return CutText(Cut.surely, value) if _CUT_NAME.fullmatch(name) else CutText()
    return _cut_address("", value)


def cut_of_variable(name: str, value: str) -> CutText:
    """The value of a variable, if it lacks a part."""
    if name in _NAMES_FOR_PROXIES:
        is_cut = value.endswith(".") and _CUT_NAME.fullmatch(value)
        return CutText(Cut.surely, value) if is_cut else CutText()
    if _MAIL.search(name) and _MAIL_CUT.fullmatch(value):
        is_sure = _SURELY_MAIL.search(name) is not None
        return CutText(Cut.surely if is_sure else Cut.maybe, value)
    return _cut_address(name, value)


def _cut_address(name: str, value: str) -> CutText:
    """The address, if it lacks its host, its login or its database.

    name: of its variable, "" for a label.
    """
    match = _ADDRESS.fullmatch(value)
    if match is None or _LISTENS.search(name):
        return CutText()
    scheme = match["scheme"]
    if _WEB.fullmatch(scheme):
        cut = _cut_of_web_address(match)
    elif _DATABASE.fullmatch(scheme):
        cut = _cut_of_database(match)
    elif _SERVER.fullmatch(scheme) and (_lacks_password(match) or _lacks_host(match)):
        cut = Cut.maybe
    else:
        cut = Cut.no
    return CutText() if cut is Cut.no else CutText(cut, value)


def _cut_of_web_address(match: re.Match[str]) -> Cut:
    """The degree to which the address of a site lacks its host; a program may listen at one with a
    port alone."""
    if match["host"]:
        return Cut.surely if _CUT_NAME.fullmatch(match["host"]) else Cut.no
    has_path = (match["path"] or "").startswith("/")
    return Cut.surely if has_path and match["port"] is None else Cut.maybe


def _cut_of_database(match: re.Match[str]) -> Cut:
    """The degree to which the address of a database lacks its host, its login or its name."""
    lacks_name = match["path"] == "/"
    lacks_password = _lacks_password(match)
    if lacks_password and (lacks_name or not match["user"]):
        return Cut.surely
    return Cut.maybe if lacks_password or lacks_name or _lacks_host(match) else Cut.no


def _lacks_password(match: re.Match[str]) -> bool:
    """Whether the colon behind the user has no password."""
    return match["colon"] is not None and not match["password"]


def _lacks_host(match: re.Match[str]) -> bool:
    """Whether a login or a port stands there without the host."""
    return not match["host"] and (match["user"] is not None or match["port"] is not None)
