"""Programs that most likely speak HTTP, by the name of a process and the port. Pure.

`WEB_SERVERS` has a field for each thing that a check wants to know of such a program.
"""

import posixpath
from collections.abc import Collection

import msgspec

from diagnose.lazy_pattern import LazyPattern


class WebServer(msgspec.Struct, frozen=True):
    """A program that serves HTTP and nothing else."""

    may_pass_on: bool = False
    """Whether it can hand requests to other programs."""
    is_proxy: bool = False
    """Whether it usually hands requests to other programs, and serves no files of its own."""
    keeps_certificates: bool = False
    """Whether it reads a certificate once, and shows it until it reads its files again."""


_PLAIN = WebServer()
_FRONT = WebServer(may_pass_on=True)
_PROXY = WebServer(may_pass_on=True, is_proxy=True)
WEB_SERVERS = {
    "apache2": WebServer(may_pass_on=True, keeps_certificates=True),
    "caddy": _PROXY,
    "daphne": _PLAIN,
    "envoy": _PROXY,
    "frankenphp": _PLAIN,
    "granian": _PLAIN,
    "gunicorn": _PLAIN,
    "h2o": _PLAIN,
    "haproxy": WebServer(may_pass_on=True, is_proxy=True, keeps_certificates=True),
    "httpd": WebServer(may_pass_on=True, keeps_certificates=True),
    "hypercorn": _PLAIN,
    "lighttpd": _FRONT,
    "litespeed": _PLAIN,
    "nginx": WebServer(may_pass_on=True, is_proxy=True, keeps_certificates=True),
    "openresty": _PROXY,
    "puma": _PLAIN,
    "traefik": _PROXY,
    "unicorn": _PLAIN,
    "uvicorn": _PLAIN,
    "uwsgi": _PLAIN,
    "varnishd": _PROXY,
}
"""By the name of the process."""
FRONTS = frozenset(name for name, server in WEB_SERVERS.items() if server.may_pass_on)
KEEP_CERTIFICATES = frozenset(
    name for name, server in WEB_SERVERS.items() if server.keeps_certificates
)
RELOADS = {
    "nginx": "nginx -t && nginx -s reload",
    "apache2": "apachectl -t && apachectl -k graceful",
    "httpd": "httpd -t && httpd -k graceful",
}
"""The command that makes a server read its files again, unless they have a mistake."""
_PLAIN_PATH = LazyPattern(r"[\w./-]{1,250}")
"""A path that a shell and sed take literally."""


def edit_to(old: str, new: str) -> str:
    """The sed command that replaces the folder of a certificate in settings by another folder.

    "" where the folder is the same: then the key has another name too.
    """
    before = posixpath.dirname(old)
    after = posixpath.dirname(new)
    is_plain = _PLAIN_PATH.fullmatch(before) and _PLAIN_PATH.fullmatch(after)
    return f"s|{before.replace('.', '[.]')}/|{after}/|g" if is_plain and before != after else ""


_PROXIES = frozenset(name for name, server in WEB_SERVERS.items() if server.is_proxy)
_RUNTIMES = (
    "beam.smp",
    "bun",
    "deno",
    "dotnet",
    "gitea",
    "grafana",
    "java",
    "MainThread",
    "next-server",
    "node",
    "node-MainThread",
    "npm",
    "php",
    "prometheus",
    "python",
    "ruby",
)
"""Programs that serve HTTP as a rule at a port of HTTP. Newer versions of Node are called after
their thread."""
_OTHERS = (
    "clickhouse",
    "conmon",
    "dnsmasq",
    "dovecot",
    "exim",
    "iperf",
    "mariadbd",
    "master",
    "memcached",
    "mongod",
    "mosquitto",
    "mysqld",
    "named",
    "nats-server",
    "nc",
    "ncat",
    "netcat",
    "openvpn",
    "php-fpm",
    "postgres",
    "proftpd",
    "redis-server",
    "slapd",
    "smbd",
    "socat",
    "sshd",
    "telnetd",
    "valkey-server",
    "vsftpd",
)
"""Programs of another protocol, and those that take one connection and end: they are never sent a
request, on any port."""

CERTAIN_PORTS = frozenset({80, 443, 3000, 8000, 8080, 8443})
"""Ports at which almost only HTTP is served."""
TLS_PORTS = frozenset({443, 4443, 8443, 9443})
_MORE_PORTS = frozenset(
    {81, 1880, 2368, 3001, 4000, 4200, 4443, 5000, 5001, 5173, 5601, 7860, 8001, 8008, 8010, 8081}
    | {8082, 8088, 8090, 8096, 8123, 8181, 8888, 9090, 9091, 9443}
)
"""Further ports. 9000 is left out, where php-fpm listens; so are those of databases, mail, queues
and ssh."""


def is_web_port(port: int) -> bool:
    """Whether programs in containers usually serve HTTP at this port."""
    return port in CERTAIN_PORTS or port in _MORE_PORTS


def is_web_server(names: Collection[str]) -> bool:
    """Whether one of these processes is a program that serves HTTP and nothing else."""
    return _has_any(names, WEB_SERVERS)


def is_web_program(names: Collection[str]) -> bool:
    """Whether one of these processes is a web server, or a runtime in which web programs are
    written."""
    return is_web_server(names) or _has_any(names, _RUNTIMES)


def is_proxy(names: Collection[str]) -> bool:
    """Whether one of these processes is a program that usually passes requests on."""
    return _has_any(names, _PROXIES)


def speaks_otherwise(names: Collection[str]) -> bool:
    """Whether one of these processes is a program of another protocol."""
    return _has_any(names, _OTHERS)


def _has_any(names: Collection[str], programs: Collection[str]) -> bool:
    """Whether a name is one of these programs, by itself or with a version: python3.11, php8.2.

    `php-fpm8.2` is not `php`, and `ncat` is not `nc`.
    """
    return any(_program_of(name) in programs for name in names)


def _program_of(name: str) -> str:
    """The name of a process without a version, the title behind a colon, or arguments."""
    first = name.partition(":")[0].partition(" ")[0]
    return first.rstrip("0123456789.-") or first
