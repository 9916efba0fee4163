"""A health check that speaks plain text to a port with TLS, or TLS to one without. Pure."""

import itertools
import re
import shlex
from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.health_check import HealthCheck
from diagnose.evidence.network.addresses import is_loopback
from diagnose.lazy_pattern import LazyPattern

_PLAIN_TO_TLS = LazyPattern(
    r"""
    plain[ ]HTTP[ ]request[ ]was[ ]sent[ ]to[ ]HTTPS[ ]port         # nginx
    | sent[ ]an[ ]HTTP[ ]request[ ]to[ ]an[ ]HTTPS[ ]server         # Go
    | first[ ]record[ ]does[ ]not[ ]look[ ]like[ ]a[ ]TLS[ ]handshake
    | plaintext[ ]http[ ]traffic[ ]on[ ]an[ ]https[ ]channel        # Elasticsearch
    | accepting[ ]a[ ]client[ ]connection: .{0,80} wrong[ ]version[ ]number     # Redis
    | \b SSL \b .{0,80} :http[ ]request \b                          # OpenSSL
    | not[ ]an[ ]SSL/TLS[ ]record                                   # Netty
    | combination[ ]of[ ]host[ ]and[ ]port[ ]requires[ ]TLS         # Tomcat
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""nginx, Go, Elasticsearch, Redis, OpenSSL, Netty, Tomcat: of the server, or as its answer."""
_TLS_TO_PLAIN = LazyPattern(
    r"server gave HTTP response to HTTPS client|record_too_long|record layer failure"
    r"|:wrong version number|packet length too long|unexpected message.{0,20}handshake",
    re.IGNORECASE,
)
"""Go, NSS, OpenSSL, GnuTLS: the client's words about the first bytes of a server without TLS."""
_OWN_URL = LazyPattern(r"\bhttps?(?=://(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0)\b)")
_CURL = LazyPattern(r"(?<![\w/-])((?:/[\w/]{1,40}/)?curl)(?=\s)")
_WGET = LazyPattern(r"(?<![\w/-])((?:/[\w/]{1,40}/)?wget)(?=\s)")
_REDIS = LazyPattern(r"(?<![\w/-])((?:redis|valkey|keydb)-cli)\b(?!.{0,200}--tls\b)")
_CALLER = LazyPattern(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])|\[::1\]")
_FILES_OF_REDIS = (("--tls-ca-cert-file", "--cacert"),)
_OF_CLIENTS = (("--tls-cert-file", "--cert"), ("--tls-key-file", "--key"))


class ProbeScheme(msgspec.Struct, frozen=True):
    """The scheme that the probe uses and that its server does not: TLS or plain HTTP."""

    speaks_tls: bool
    line: str
    """The server's words, or the client's."""
    command: str
    """The probe in the other way; empty where that is not known."""


def wrong_scheme(probe: HealthCheck, lines: Iterable[str]) -> ProbeScheme | None:
    """The scheme of a probe that its server does not speak.

    The output of the probe shows it, and the log of the server, which complains of each probe.

    lines: those of the container's log.
    """
    printed = probe.output.splitlines()
    uses_tls = "https://" in probe.command or "--tls" in probe.command
    if uses_tls:
        line = next((line for line in printed if _TLS_TO_PLAIN.search(line)), "")
        return (
            ProbeScheme(speaks_tls=True, line=line, command=_probe_by_http(probe)) if line else None
        )
    logged = (line for line in lines if _may_be_about(probe, line))
    line = next((line for line in (*printed, *logged) if _PLAIN_TO_TLS.search(line)), "")
    return ProbeScheme(speaks_tls=False, line=line, command=_probe_by_tls(probe)) if line else None


def _may_be_about(probe: HealthCheck, line: str) -> bool:
    """Whether a line is about the probe: a server prints the same for each stranger that calls it.

    The caller's address decides, or a probe that is known to use plain text.
    """
    callers = _CALLER.findall(line)
    if not callers:
        return bool(_OWN_URL.search(probe.command) or _REDIS.search(probe.command))
    container_addresses = probe.container.ipv4_addresses
    return any(is_loopback(caller) or caller in container_addresses for caller in callers)


def _probe_by_http(probe: HealthCheck) -> str:
    return _OWN_URL.sub("http", probe.command) if _OWN_URL.search(probe.command) else ""


def _probe_by_tls(probe: HealthCheck) -> str:
    """The probe with TLS. It calls localhost, for which few certificates are made."""
    command = probe.command
    if _REDIS.search(command):
        options = _options_of_redis(probe.container)
        return _REDIS.sub(lambda match: f"{match[1]} --tls {options}", command)
    if not _OWN_URL.search(command):
        return ""
    secure = _OWN_URL.sub("https", command)
    secure = _CURL.sub(lambda match: f"{match[1]} -k", secure)
    return _WGET.sub(lambda match: f"{match[1]} --no-check-certificate", secure)


def _options_of_redis(container: Container) -> str:
    """The authority and, unless the server does without, the certificate of a client."""
    words = container.command
    values = dict(itertools.pairwise(words))
    option_pairs = [*_FILES_OF_REDIS]
    if values.get("--tls-auth-clients") not in ("no", "optional"):
        option_pairs += _OF_CLIENTS
    options = [f"{option} {shlex.quote(values[of])}" for of, option in option_pairs if of in values]
    return (
        " ".join(options) if "--tls-ca-cert-file" in values else " ".join([*options, "--insecure"])
    )
