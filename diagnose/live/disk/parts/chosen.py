"""The parts of a file that a check needs: the rest of a user's file is not recorded. Pure."""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from diagnose.address_lists import address_lists
from diagnose.live.disk.jobs.crontab_defects import crontab_defects
from diagnose.live.disk.parts.caddy import sites
from diagnose.live.disk.parts.haproxy import backends, time_limits
from diagnose.live.disk.parts.log_path import log_paths
from diagnose.live.disk.parts.loopback import loopback_places
from diagnose.live.disk.parts.nginx import proxying
from diagnose.live.disk.parts.own_address import own_address
from diagnose.live.disk.parts.redis import members
from diagnose.live.disk.parts.scrape import scrape_targets
from diagnose.questions.file_parts import Parts

_OF_CERTIFICATES = re.compile(
    r"(?<!\w)(?:ssl_certificate|SSLCertificateFile|crt|stats[ \t]+socket)[ \t]"
)
"""Directives of nginx, Apache and HAProxy."""
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]*+-----END CERTIFICATE-----")
_HEAD = re.compile(
    r"\bcreate\s*(?:unlogged\s+|temp\s+)?(?:table|database|schema|db|role|user)\s+"
    r"(?:if\s+not\s+exists\s+)?[^\s(;]{1,256}",
    re.IGNORECASE,
)
"""How a statement of SQL begins that makes something, or the command of PostgreSQL's that does."""
_ADDRESS = re.compile(
    r"(?<![\w.])(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?P<port>:\d{2,5})?(?![\w.:/]?\d|\.\w)"
)
_UPSTREAM_KEY = re.compile(
    r"[ \t\"'-]*(?P<key>server|forward(?:-addr|ers?)?|proxy|upstreams?|upstream_dns|nameservers?)\b[\"']?"
    r"(?P<rest>[ \t]*[:={\[ \t].*)?$"
)
"""The settings that name the servers of a DNS server: of dnsmasq, Unbound, CoreDNS, AdGuard Home,
Pi-hole, BIND and their like."""
_UPSTREAM_ITEM = re.compile(r"[ \t]*(?:-[ \t]|[\[\]\"'{}]|\d|default:)")
"""A line that continues the list of such a key."""
_UPSTREAM = re.compile(
    r"(?<![\w.:/])(?:udp://)?(?P<address>\d{1,3}(?:\.\d{1,3}){3})"
    r"(?:(?:[:#@]|[ \t]+port[ \t]+)(?P<port>\d{1,5}))?(?![\w./])"
)
"""An IPv4 address with its port, as resolvers write it: 192.0.2.53#5353, 192.0.2.53 port 5353."""
_REMOVES = re.compile(r"\b(?:delete|drop|truncate)\b", re.IGNORECASE)

_PAGE = re.compile(r"\s{0,20}<(?:!doctype html|html)\b", re.IGNORECASE)
_UNSEEN = {
    "conflict": re.compile(r"^(?:<{7} |>{7} )"),
    "tab": re.compile(r"^ *\t"),
    "space": re.compile("[\u00a0\u2000-\u200b\u202f\u3000]"),
    "quotes": re.compile("[\u2018\u2019\u201c\u201d]"),
}
"""What editors, chats and web pages put into a file: the marks of a merge, a tab, a space that is
none, a quotation mark of a text."""

_FIELDS = re.compile(
    r"(?:@\w{4,9}|[\d*/,-]{1,60}(?:[ \t]+[\w*/,-]{1,60}){4})[ \t]+(?P<command>\S.*)"
)
"""A line of a crontab: the times, and the command, before which the user may stand."""
_SET = re.compile(r"[ \t]*(?:export[ \t]+|local[ \t]+)?(?P<name>[A-Z][A-Z0-9_]{1,60})[ \t]*=")
_FILE = re.compile(r"(?<![\w./-])/[\w.@-]{1,80}(?:/[\w.@-]{1,80}){0,12}")
_SHELL_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>[A-Z][A-Z0-9_]{1,60})\}|(?P<plain>[A-Z][A-Z0-9_]{1,60})\b)"
)
_LANGUAGE_VARIABLE = re.compile(
    r"(?:\benviron(?:\.get)?|\bgetenv|\bprocess\.env|\bENV|\$_(?:ENV|SERVER))[\[(.]{1,2}[\"']?"
    r"(?P<name>[A-Z][A-Z0-9_]{1,60})\b(?![\"'],|[\"'\])]{0,2} ?(?:\|\||\?\?|\?:))"
)
"""How Python, PHP, Node.js and Ruby read a variable of their environment, without a default."""
_UPLOAD_LIMIT = re.compile(
    r"[ \t]*(?:php_(?:admin_)?value[\[ \t]+)?[\"']?(?P<name>upload_max_filesize|post_max_size)[\"']?\]?"
    r"(?=[= \t])[ \t]*+=?[ \t]*+[\"']?(?P<value>[\w${}:.-]{1,60})"
)
"""upload_max_filesize = 64M, php_admin_value[post_max_size] = 64M, php_value post_max_size 64M"""
_FETCHES = re.compile(
    r"/environ\b|/etc/environment\b|\bprintenv\b|dotenv"
    r"|\b(?:export|eval|env)[ \t]+[\"']?(?:\$\(|`)"
    r"|(?:^|[;&|({]|\b(?:then|else|do)\b)[ \t]{0,40}(?:\.|source)[ \t]",
    re.MULTILINE | re.IGNORECASE,
)
"""A line of a script that takes variables from a file or from another command."""
FETCHES = "fetches"
"""What stands for a command that reads variables from elsewhere, such as a file that it sources."""


_MAINTENANCE = re.compile(
    r"[\"']?maintenance(?:_mode)?[\"']?[ \t]{0,9}=>?[ \t]{0,9}[\"']?\w{1,9}"
    r"|\$(?:offline|upgrading)[ \t]{0,9}=[ \t]{0,9}[\"']?\w{1,12}(?:[ \t]{0,9}\()?",
    re.IGNORECASE,
)
"""The settings by which programs of PHP are in maintenance, or are not."""
_TRUSTED_DOMAINS = re.compile(
    r"[\"']trusted_domains[\"']\s{0,20}=>\s{0,20}(?:array\s{0,20}\(|\[)(?P<names>[^)\]]{0,4000})"
)
_DOMAIN = re.compile(r"=>[ \t]{0,9}[\"']([\w.:*-]{1,200})[\"']")
"""1 => 'cloud.example.com' in that list."""
_SECRET = re.compile(
    r"[ \t]*(?:-[ \t]+)?(?P<pair>[\"']?\w{0,60}(?:token|secret|key|password)[\"']?[ \t]{0,9}[:=][ \t]{0,9}"
    r"[\"']?[^\s\"'#,]{6,256}[\"']?),?[ \t]*(?:#.*)?",
    re.IGNORECASE,
)
"""A key of a file of settings whose value is a secret: it leaves this process as a token."""
_NAME = r"[A-Za-z0-9][\w-]{0,62}(?:\.[\w-]{1,63}){0,7}\.[A-Za-z][\w-]{0,62}"
_NAMED_PLACE = re.compile(
    rf"(?<![\w.@+-])(?:(?:https?|wss?)://{_NAME}(?![\w.@-])(?::\d{{2,5}})?|{_NAME}:\d{{2,5}}(?!\d))"
)
_OF_HAPROXY = re.compile(
    r"^[ \t]*server[ \t]+[\w.:-]{1,80}[ \t]+(?P<place>[A-Za-z][\w-]{0,62}:\d{2,5})(?!\d)",
    re.MULTILINE,
)
_OF_ENVOY = re.compile(
    rf"\baddress:[ \t]{{0,4}}[\"']?(?P<name>{_NAME})[\"']?\s{{1,80}}port_value:[ \t]{{0,4}}(?P<port>\d{{2,5}})"
)
"""address: shop.example.com, and behind it port_value: 8080"""
_URL = re.compile(r"(?<![\w.+-])[a-z][a-z0-9+]{1,20}:/{1,3}[\w.-]{1,100}(?:/?:\d{2,5})?(?![\w@])")
"""An address without a user, as far as host and port; its slashes may be wrong."""


def only(parts: Parts, text: str) -> str:
    """These parts of a text, one a line."""
    return "".join(f"{part}\n" for part in _READERS[parts](text))


def _certificates(text: str) -> Iterator[str]:
    """The lines of a web server's configuration that name certificates, without comments."""
    for line in text.splitlines():
        code = line.partition("#")[0].rstrip()
        if _OF_CERTIFICATES.search(code):
            yield code


def _created_objects(text: str) -> Iterator[str]:
    """The beginnings of the statements by which a script creates objects, and its verbs that
    remove."""
    for head in _HEAD.finditer(text):
        yield " ".join(head[0].split())
    yield from dict.fromkeys(verb[0].lower() for verb in _REMOVES.finditer(text))


def _first_certificate(text: str) -> Iterator[str]:
    """The first certificate of a PEM file, without the chain and the private key beside it."""
    if first := _CERTIFICATE.search(text):
        yield first[0]


class _ManualStop(msgspec.Struct, rename="pascal"):
    """The one field that is kept of the engine's own file about a container."""

    has_been_manually_stopped: bool | None = None


def _hidden_defects(text: str) -> Iterator[str]:
    """The defects that an editor does not show: a word, and the number of a line or 0."""
    if "\0" in text:
        yield "utf-16 0"
        return
    if not text.strip():
        yield "empty 0"
        return
    if _PAGE.match(text):
        yield "page 0"
    if text.startswith("\ufeff"):
        yield "mark 1"
    if "\r\n" in text:
        yield "dos 0"
    lines = text.split("\n")
    for word, pattern in _UNSEEN.items():
        first = next((at for at, line in enumerate(lines, 1) if pattern.search(line)), 0)
        if first:
            yield f"{word} {first}"
    if not text.endswith("\n"):
        yield f"open {len(lines)}"


def _stopped_by_hand(text: str) -> Iterator[str]:
    """The engine's own file about a container, cut to whether a person has stopped it; nothing
    where the file is not JSON."""
    with contextlib.suppress(msgspec.DecodeError):
        stopped = msgspec.json.decode(text, type=_ManualStop)
        yield msgspec.json.encode(stopped).decode()


def _jobs(text: str) -> Iterator[str]:
    """The variables that a crontab sets, as `NAME=`; and of each job the files and the variables
    that its command names, without the rest of the command."""
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        if (setting := _SET.match(line)) is not None:
            yield f"{setting['name']}="
        elif (job := _FIELDS.fullmatch(line.strip())) is not None:
            command = job["command"]
            words = [match[0] for match in _FILE.finditer(command)]
            words += [f"${name}" for name in _shell_variables(command)]
            yield " ".join([*([FETCHES] if _FETCHES.search(command) else []), *words])


def _used_variables(text: str) -> Iterator[str]:
    """The names of variables of its environment that a script uses, and does not set itself."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "//"))]
    code = "\n".join(lines)
    if _FETCHES.search(code):
        yield FETCHES
    set_names = {match["name"] for match in filter(None, map(_SET.match, lines))}
    names = [*_shell_variables(code)]
    names += [match["name"] for match in _LANGUAGE_VARIABLE.finditer(code)]
    yield from dict.fromkeys(name for name in names if name not in set_names)


def _shell_variables(text: str) -> Iterator[str]:
    for match in _SHELL_VARIABLE.finditer(text):
        yield match["braced"] or match["plain"]


def _maintenance(text: str) -> Iterator[str]:
    """The settings that say whether a program is in maintenance; those in comments are left out."""
    for line in text.splitlines():
        code = line.strip()
        match = _MAINTENANCE.search(code)
        if match is not None and not code.startswith(("#", "//", ";", "*", "/*")):
            yield match[0]


def _trusted_domains(text: str) -> Iterator[str]:
    """The host names that Nextcloud and ownCloud take, in their config.php."""
    match = _TRUSTED_DOMAINS.search(text)
    if match is not None:
        yield from _DOMAIN.findall(match["names"])


def _secrets(text: str) -> Iterator[str]:
    """The keys with a secret, one a line; those in comments are left out."""
    for line in text.splitlines():
        if (match := _SECRET.fullmatch(line)) is not None:
            yield match["pair"]


def _upload_limits(text: str) -> Iterator[str]:
    """The settings of PHP that limit what clients send, as NAME=VALUE, of an ini or .htaccess."""
    for line in text.splitlines():
        if (match := _UPLOAD_LIMIT.match(line)) is not None:
            yield f"{match['name']}={match['value']}"


def _urls(text: str) -> Iterator[str]:
    """The addresses (URLs) of a file without their paths; those in comments are left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "//", ";"))]
    yield from dict.fromkeys(match[0] for match in _URL.finditer("\n".join(lines)))


def _names(text: str) -> Iterator[str]:
    """The names of machines with the ports at which they are called, without those in comments.

    A scheme gives the port that is not written; Envoy writes the two on lines of their own. Names
    of one word, as containers have, count in HAProxy's lines of servers alone.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "//", ";"))]
    code = "\n".join(lines)
    names = [match[0] for match in _NAMED_PLACE.finditer(code)]
    names += [match["place"] for match in _OF_HAPROXY.finditer(code)]
    names += [f"{match['name']}:{match['port']}" for match in _OF_ENVOY.finditer(code)]
    yield from dict.fromkeys(names)


def _servers(text: str) -> Iterator[str]:
    """BACKEND/SERVER and the address of each server in HAProxy's settings."""
    backend = ""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) > 1 and words[0] in ("backend", "listen"):
            backend = words[1]
        elif len(words) > 2 and words[0] == "server" and backend:
            yield f"{backend}/{words[1]} {words[2]}"


def _addresses(text: str) -> Iterator[str]:
    """The IPv4 addresses of a file, with their ports; those in comments are left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "//", ";"))]
    matches = _ADDRESS.finditer("\n".join(lines))
    yield from dict.fromkeys(match[0] for match in matches)


def _dns_upstreams(text: str) -> Iterator[str]:
    """ADDRESS PORT of each server to which a DNS server passes all queries on.

    dnsmasq has servers for single domains too (`server=/lan/192.168.1.1`): they are left out.
    """
    is_inside = False
    servers: dict[str, None] = {}
    for line in text.splitlines():
        code = re.split(r"(?:^|[ \t])(?:#|//|;)", line, maxsplit=1)[0]
        key = _UPSTREAM_KEY.match(code)
        is_inside = key is not None or (is_inside and _UPSTREAM_ITEM.match(code) is not None)
        values = (key["rest"] or "") if key is not None else code
        if is_inside and not values.lstrip(" \t=").startswith("/"):
            for match in _UPSTREAM.finditer(values):
                servers[f"{match['address']} {match['port'] or 53}"] = None
    yield from servers


def _address_lists(text: str) -> Iterator[str]:
    """The lists of addresses that a program takes or trusts, one a line, as JSON."""
    for addresses in address_lists(text):
        yield msgspec.json.encode(addresses).decode()


_READERS: Mapping[Parts, Callable[[str], Iterator[str]]] = {
    "address lists": _address_lists,
    "addresses": _addresses,
    "backends": backends,
    "certificates": _certificates,
    "created": _created_objects,
    "crontab": crontab_defects,
    "dns upstreams": _dns_upstreams,
    "first certificate": _first_certificate,
    "hidden": _hidden_defects,
    "jobs": _jobs,
    "log paths": log_paths,
    "loopback": loopback_places,
    "maintenance": _maintenance,
    "members": members,
    "names": _names,
    "own address": own_address,
    "proxying": proxying,
    "scrape targets": scrape_targets,
    "secrets": _secrets,
    "servers": _servers,
    "sites": sites,
    "stopped by hand": _stopped_by_hand,
    "time limits": time_limits,
    "trusted domains": _trusted_domains,
    "upload limits": _upload_limits,
    "urls": _urls,
    "used variables": _used_variables,
}
"""What reads the parts of a file, by their kind."""
