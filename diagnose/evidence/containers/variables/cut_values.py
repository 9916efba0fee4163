"""Values that lack a part, by their shape: a name without its end, an address without host. Pure.

Host(`homer.`)   https:///login   postgres://shop:@db/   admin@
"""

from enum import Enum
from typing import NamedTuple

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
"""Names of variables whose value is no whole address."""
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
    """How much the shape of a value says."""

    no = 0
    maybe = 1
    """Such a value may be meant."""
    surely = 2


class CutText(NamedTuple):
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
    scheme, host = match["scheme"], match["host"]
    has_user = match["user"] is not None
    lacks_password = has_user and match["colon"] is not None and not match["password"]
    lacks_user = lacks_password and not match["user"]
    lacks_host = not host and (has_user or match["port"] is not None)
    path = match["path"] or ""
    if _WEB.fullmatch(scheme):
        is_cut = not host or bool(_CUT_NAME.fullmatch(host))
        is_listening = not host and match["port"] is not None
        is_sure = is_cut and not is_listening and (bool(host) or path.startswith("/"))
    elif _DATABASE.fullmatch(scheme):
        lacks_name = path == "/"
        is_cut = lacks_password or lacks_host or lacks_name
        is_sure = lacks_user or (lacks_password and lacks_name)
    else:
        is_cut = _SERVER.fullmatch(scheme) is not None and (lacks_password or lacks_host)
        is_sure = False
    if not is_cut:
        return CutText()
    return CutText(Cut.surely if is_sure else Cut.maybe, value)
