"""Registries that cannot be reached or are not trusted, and the proxy on the way to them."""

from __future__ import annotations

import json
import re
from typing import Self
from urllib.parse import urlsplit

import msgspec

from checks.image.failed_pulls import FailedPulls, host_of, mirrors_of
from checks.image.missing_proxy import PROXIES_IN_FILE, missing_proxy
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.images.pulls import Pulls, PullTrouble
from diagnose.evidence.images.registry_files import RegistryFiles
from diagnose.evidence.images.registry_names import host_name, is_public, with_port
from diagnose.evidence.images.unused_proxies import UnusedProxies
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Count, Finding, Json, PageVariables, Seconds, Severity
from diagnose.registry import check

WEB_PAGE = (
    "a web page answers in place of the registry: a proxy or a portal on the way, or another server"
)

UNANSWERED = (
    "it accepts connections, but the TLS handshake does not finish within 10 s: large packets are "
    "lost on the way (MTU, a filter), or the way is too slow"
)
_HANDSHAKE = LazyPattern(r"TLS handshake timeout")
_STORED_ELSEWHERE = LazyPattern(
    r"download failed after attempts=\d+: dial tcp(?:: lookup)? (?P<server>(?:\[[^\]]+\]|[^\s:]+)(?::\d+)?)"
    r"(?: on \S+)?: (?P<why>.*)",
    re.DOTALL,
)
"""The server to which a registry sends the engine cannot be reached: engines from 23 on leave the
address of the image out, since it may hold a key."""
INSECURE = "insecure-registries"


@check(
    "image.registry-unreachable",
    severity=Severity.warning,
    caused_by=["dns.host-broken", "network.subnet-overlaps-route", "network.conntrack-full"],
)
def registry_unreachable(
    pulls: Pulls,
    clock: Clock,
    info: Info | None,
    config: DaemonConfig | None,
    ping: Ping | None,
    unused: UnusedProxies | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A registry cannot be reached from this host.

    The text names the layer: a lookup that failed is the host's DNS (the daemon uses the host's
    resolver, not its containers'), a dial that failed a firewall, a route or a registry that is
    down, a status of 5xx the registry itself, and HTML where JSON is due a proxy, a portal that
    wants a login, or another server. A proxy that a file names and the engine lacks is said of
    registries of the internet. Hosts without a way to the internet are silent as long as nobody
    pulls.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    mirrors = mirrors_of(info)
    for trouble in pulls.of("unreachable"):
        mirror = mirrors.get(trouble.registry)
        if mirror is None and _HANDSHAKE.search(trouble.text):
            yield _handshake_finding(failures, trouble)
        elif stored := _STORED_ELSEWHERE.search(trouble.text):
            yield _layer_server_finding(failures, trouble, stored)
        elif mirror is not None:
            yield _mirror_finding(failures, trouble, mirror, config)
        else:
            missing = missing_proxy(trouble, info, ping, config, unused)
            yield failures.finding(
                trouble,
                proof=missing.proof,
                variables=missing.variables or None,
                clause=missing.clause,
            )
    by_proxy = {trouble.registry for trouble in pulls.of("proxy")}
    for trouble in pulls.of("web-page"):
        # the page is from the proxy that refuses HTTPS as well
        if not trouble.registry or trouble.registry not in by_proxy:
            yield failures.finding(trouble, reason=WEB_PAGE)
    return None


def _handshake_finding(failures: FailedPulls, trouble: PullTrouble) -> Finding:
    host = host_of(trouble)
    variables = {"registry": host, "handshake": host_name(host)}
    return failures.finding(trouble, reason=UNANSWERED, variables=variables)


def _layer_server_finding(
    failures: FailedPulls, trouble: PullTrouble, stored: re.Match[str]
) -> Finding:
    return failures.finding(
        trouble,
        reason="the registry answers, but the server that stores its layers, "
        f"{stored['server']}, cannot be reached: {stored['why']}",
        variables={"layer_server": with_port(stored["server"])},
    )


def _mirror_finding(
    failures: FailedPulls, trouble: PullTrouble, mirror: str, config: DaemonConfig | None
) -> Finding:
    return failures.finding(
        trouble,
        proof={"RegistryConfig.Mirrors": mirror},
        variables={"registry": trouble.registry} | _without_mirror(mirror, config),
        clause="; it is a mirror of registry-mirrors, and pulls go to Docker Hub without it",
    )


def _without_mirror(mirror: str, config: DaemonConfig | None) -> PageVariables:
    """What the page needs to take a mirror out of the engine's file, where it is there."""
    mirrors = config.in_file("registry-mirrors") if config is not None else None
    if not isinstance(mirrors, list):
        return {}
    others = [other for other in mirrors if str(other).rstrip("/") != mirror.rstrip("/")]
    if others == mirrors:
        return {}
    return {"mirrors_json": json.dumps({"registry-mirrors": others or None})}


_EXPIRED = LazyPattern(
    r"certificate has expired or is not yet valid: "
    r"current time (?P<now>\S+) is (?P<side>after|before) (?P<end>\S+)"
)
_UNTRUSTED = LazyPattern(r"signed by unknown authority|self[- ]signed|not trusted")


_UNPROVEN = (
    "; this host does not know the authority, or the registry does not send the certificates between "
    "its own and the authority's"
)
"""The engine says the same of both."""


@check("image.registry-tls", severity=Severity.warning)
def registry_tls(
    pulls: Pulls,
    clock: Clock,
    config: DaemonConfig | None,
    info: Info | None,
    files: RegistryFiles | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A registry's certificate is not trusted, or it does not speak TLS at all.

    A registry of the internet has a certificate that every system knows: a stranger's in its place
    is from a proxy that opens TLS, unless the system has no list of authorities. 127.0.0.0/8 is
    always taken without TLS. The first question to an insecure registry is sent with TLS and fails;
    that line of the log is no failure and is left out.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("tls"):
        dated = _EXPIRED.search(trouble.text)
        host = host_of(trouble)
        endpoint = {"registry": host, "endpoint": with_port(host)}
        if dated:
            yield failures.finding(trouble, variables=endpoint, reason=_outdated(dated))
        elif not _UNTRUSTED.search(trouble.text):
            yield failures.finding(trouble, variables=endpoint)
        elif is_public(host):
            yield failures.finding(
                trouble, variables=endpoint | _stranger(host, files), reason=_signer(files)
            )
        else:
            yield failures.finding(
                trouble,
                variables=endpoint | {"untrusted": host, "shows": with_port(host)},
                clause=_UNPROVEN,
            )
    for trouble in pulls.of("plain-http"):
        yield _plain_http_finding(failures, trouble, config, info)
    return None


def _signer(files: RegistryFiles | None) -> str:
    """Why a public registry's certificate is not trusted."""
    if files is not None and files.authorities == "":
        return "this host has no list of authorities, so that it trusts no certificate"
    return (
        "its certificate is signed by an authority that this host does not know: most likely a proxy "
        "on the way opens TLS, or else this host's list of authorities is old"
    )


def _stranger(host: str, files: RegistryFiles | None) -> PageVariables:
    """What the page needs for a public registry whose certificate is not trusted."""
    if files is not None and files.authorities == "":
        return {"package": "ca-certificates"}
    return {"inspected": with_port(host)}


def _plain_http_finding(
    failures: FailedPulls, trouble: PullTrouble, config: DaemonConfig | None, info: Info | None
) -> Finding:
    """The finding about a registry without TLS, which the engine's file may name already."""
    host = host_of(trouble)
    clause = "; the registry speaks plain HTTP"
    if config is None or config.pid is None or not _is_unread(host, config, info):
        variables = {"registry": host} | _insecure(host, config)
        return failures.finding(trouble, variables=variables, clause=clause)
    return failures.finding(
        trouble,
        variables={"registry": host, "unread": str(config.pid)},
        proof={f"{config.path} {INSECURE}": config.in_file(INSECURE)},
        clause=f"{clause}, and {config.path} names it in {INSECURE}, "
        "but the engine has not read that file since",
    )


def _insecure(host: str, config: DaemonConfig | None) -> PageVariables:
    """What the page needs to name a registry among those that have no TLS."""
    if config is None or INSECURE in config.flags:
        return {}
    listed = config.in_file(INSECURE)
    known = listed if isinstance(listed, list) else []
    return {"insecure_json": json.dumps({INSECURE: [*known, host]})}


def _is_unread(host: str, config: DaemonConfig, info: Info | None) -> bool:
    """Whether the file names the registry as insecure, and the engine in force does not."""
    in_file = config.in_file(INSECURE)
    if info is None or not isinstance(in_file, list) or host not in in_file:
        return False
    in_force = info.registry_config.index_configs if info.registry_config is not None else None
    return in_force is not None and host not in in_force


def _outdated(dated: re.Match[str]) -> str:
    """The dates of a certificate, and the clock of this host, which decides about them."""
    if dated["side"] == "after":
        what = f"the registry's certificate expired on {dated['end']}; its owner has to renew it"
    else:
        what = f"the registry's certificate is valid only from {dated['end']}"
    return f"{what} (this host's clock says {dated['now']})"


@check("image.registry-proxy", severity=Severity.warning)
def registry_proxy(
    pulls: Pulls,
    clock: Clock,
    info: Info | None,
    ping: Ping | None,
    config: DaemonConfig | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """The proxy that the daemon is configured to use makes pulls fail.

    The daemon's proxy is that of its own environment or `proxies` in daemon.json (from engine
    23.0), not that of a shell in which curl works. A proxy that cannot reach a registry of the
    company's own network answers with a status of its own: `NO_PROXY` has to name that registry.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    proxy = _EngineProxy.of(info)
    for trouble in pulls.of("proxy"):
        status = proxy.status_in(trouble.text)
        may_be_near = bool(status) and not is_public(trouble.registry)
        variables = _without_proxy(host_of(trouble), config)
        if may_be_near and _takes_exceptions(ping):
            variables = _excepted(trouble.registry, proxy, config)
        yield failures.finding(
            trouble,
            proof=proxy.proof,
            reason=proxy.reason(status, trouble.text),
            clause=_MAY_BE_NEAR if may_be_near else "",
            variables=variables | proxy.place,
        )
    return None


class _EngineProxy(msgspec.Struct, frozen=True):
    """The proxy that the engine uses for registries."""

    address: str
    """The proxy's address; empty without a proxy, or where /info is not known."""
    exceptions: str
    is_malformed: bool
    proof: dict[str, Json]

    @classmethod
    def of(cls, info: Info | None) -> Self:
        if info is None:
            return cls("", "", is_malformed=False, proof={})
        address = info.https_proxy or info.http_proxy
        is_malformed = _is_malformed(info.https_proxy) or _is_malformed(info.http_proxy)
        proof: dict[str, Json] = {
            "HttpsProxy": address or "not set",
            "NoProxy": info.no_proxy or "not set",
        }
        return cls(address, info.no_proxy, is_malformed, proof)

    def status_in(self, text: str) -> str:
        """What the proxy said to CONNECT; "" where the text does not show it."""
        status = _STATUS.search(text)
        return status[1] if status and self.address and not self.is_malformed else ""

    def reason(self, status: str, text: str) -> str:
        """In place of the engine's own words; "" for these."""
        if self.is_malformed:
            return _MALFORMED
        if status:
            return f'the engine\'s proxy {self.address} answers "{status}" in place of the registry'
        unreached = _UNREACHED.search(text)
        if unreached is None:
            return ""
        return f"the engine cannot reach its proxy {self.address}: {unreached['why']}"

    @property
    def place(self) -> PageVariables:
        """The proxy's host and port, where the page can ask it."""
        try:
            url = urlsplit(self.address)
            host, port = url.hostname, url.port
        except ValueError:
            return {}
        return {"proxy_host": host, "proxy_port": str(port)} if host and port else {}


_MAY_BE_NEAR = "; if the registry is on your own network, NO_PROXY has to name it"


def _without_proxy(registry: str, config: DaemonConfig | None) -> PageVariables:
    """What the page needs to ask the registry itself, and to take the proxy out."""
    host, _, port = with_port(registry).rpartition(":")
    variables = {"registry": registry, "host": host, "port": port}
    if config is None or config.in_file("proxies") is None:
        return variables
    return variables | {"proxies_json": '{"proxies": null}'}


def _takes_exceptions(ping: Ping | None) -> bool:
    """Whether daemon.json can name the registries that are asked without the proxy."""
    return ping is not None and ping.version >= PROXIES_IN_FILE


def _excepted(registry: str, proxy: _EngineProxy, config: DaemonConfig | None) -> PageVariables:
    """What the page needs to let the engine go to a registry without its proxy."""
    if config is None:
        return {"registry": registry}
    given = [word for word in proxy.exceptions.split(",") if word]
    exceptions = ",".join([*given, host_name(registry)])
    in_file = config.in_file("proxies")
    proxies = in_file if isinstance(in_file, dict) else {}
    changed = json.dumps({"proxies": {**proxies, "no-proxy": exceptions}})
    return {"registry": registry, "exceptions_json": changed}


_UNREACHED = LazyPattern(r"proxyconnect tcp: (?:dial tcp \S+: )?(?:dial tcp: )?(?P<why>[^\n]+)$")
_STATUS = LazyPattern(r"https://[^\s\"]{1,300}\"?: ([A-Z][a-z]+(?: [A-Za-z]+)*)$")
"""What the proxy said to CONNECT."""
_MALFORMED = (
    "the address of the engine's proxy cannot be read: a special character in its user or password "
    "has to be written in percent form, a backslash as %5C"
)


def _is_malformed(address: str) -> bool:
    """Whether an address of a proxy has a character that ends its host's part too early."""
    place = address.partition("://")[2]
    return bool(re.search(r"[\\\s]|%(?![0-9A-Fa-f]{2})", place)) or place.count("@") > 1
