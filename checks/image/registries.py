"""Registries that cannot be reached or are not trusted, and the proxy on the way to them."""

from __future__ import annotations

import json
import re

from checks.image._failed_pulls import FailedPulls, host_of, mirrors_of
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls import Pulls
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Count, Json, Seconds, Severity
from diagnose.registry import check

WEB_PAGE = (
    "a web page answers in place of the registry: a proxy or a portal on the way, or another server"
)


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
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A registry cannot be reached from this host.

    The text names the layer: a look-up that failed is the host's DNS (the daemon uses the host's
    resolver, not its containers'), a dial that failed a firewall, a route or a registry that is
    down, a status of 5xx the registry itself, and HTML where JSON is due a proxy, a portal that
    wants a login, or another server. Hosts without a way to the internet are silent as
    long as nobody pulls.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    mirrors = mirrors_of(info)
    for trouble in pulls.of("unreachable"):
        mirror = mirrors.get(trouble.registry)
        if mirror is None:
            yield failures.finding(trouble)
            continue
        yield failures.finding(
            trouble,
            proof={"RegistryConfig.Mirrors": mirror},
            variables={"registry": trouble.registry} | _without_mirror(mirror, config),
            clause="; it is a mirror of registry-mirrors, and pulls go to Docker Hub without it",
        )
    for trouble in pulls.of("web-page"):
        yield failures.finding(trouble, reason=WEB_PAGE)
    return None


def _without_mirror(mirror: str, config: DaemonConfig | None) -> dict[str, str]:
    """What the page needs to take a mirror out of the engine's file, where it stands there."""
    listed = config.in_file("registry-mirrors") if config is not None else None
    if not isinstance(listed, list):
        return {}
    others = [other for other in listed if str(other).rstrip("/") != mirror.rstrip("/")]
    if others == listed:
        return {}
    return {"mirrors_json": json.dumps({"registry-mirrors": others or None})}


_EXPIRED = LazyPattern(
    r"certificate has expired or is not yet valid: "
    r"current time (?P<now>\S+) is (?P<side>after|before) (?P<end>\S+)"
)
_UNTRUSTED = LazyPattern(r"signed by unknown authority|self[- ]signed|not trusted")


@check("image.registry-tls", severity=Severity.warning)
def registry_tls(
    pulls: Pulls,
    clock: Clock,
    config: DaemonConfig | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A registry's certificate is not trusted, or it does not speak TLS at all.

    127.0.0.0/8 is always taken without TLS. The first question to an insecure registry is sent with
    TLS and fails; that line of the log is no failure and is left out.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("tls"):
        host = host_of(trouble)
        untrusted = {"untrusted": host} if _UNTRUSTED.search(trouble.text) else {}
        dated = _EXPIRED.search(trouble.text)
        yield failures.finding(
            trouble,
            variables={"registry": host} | untrusted,
            reason=_outdated(dated) if dated else "",
        )
    for trouble in pulls.of("plain-http"):
        host = host_of(trouble)
        yield failures.finding(
            trouble,
            variables={"registry": host} | _insecure(host, config),
            clause="; the registry speaks plain HTTP",
        )
    return None


def _insecure(host: str, config: DaemonConfig | None) -> dict[str, str]:
    """What the page needs to name a registry among those that have no TLS."""
    if config is None or "insecure-registries" in config.flags:
        return {}
    listed = config.in_file("insecure-registries")
    known = listed if isinstance(listed, list) else []
    return {"insecure_json": json.dumps({"insecure-registries": [*known, host]})}


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
    config: DaemonConfig | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """The proxy that the daemon is configured to use makes pulls fail.

    The daemon's proxy is that of its own environment or `proxies` in daemon.json (from engine
    23.0), not that of a shell in which curl works. A proxy that answers for a registry with an
    error of its own making reads as that registry's error.
    """
    proof: dict[str, Json] = {}
    if info is not None:
        proof = {
            "HttpsProxy": info.https_proxy or info.http_proxy or "not set",
            "NoProxy": info.no_proxy or "not set",
        }
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    addresses = (info.https_proxy, info.http_proxy) if info is not None else ()
    is_malformed = any(_is_malformed(address) for address in addresses)
    for trouble in pulls.of("proxy"):
        yield failures.finding(
            trouble,
            proof=proof,
            variables=_without_proxy(host_of(trouble), config),
            reason=_MALFORMED if is_malformed else "",
        )
    return None


def _without_proxy(registry: str, config: DaemonConfig | None) -> dict[str, str]:
    """What the page needs to ask the registry itself, and to take the proxy out."""
    host, _, port = registry.partition(":")
    variables = {"registry": registry, "host": host, "port": port or "443"}
    if config is None or config.in_file("proxies") is None:
        return variables
    return variables | {"proxies_json": '{"proxies": null}'}


_MALFORMED = (
    "the address of the engine's proxy cannot be read: a special character in its user or password "
    "has to be written in percent form, a backslash as %5C"
)


def _is_malformed(address: str) -> bool:
    """Whether an address of a proxy has a character that ends its host's part too early."""
    place = address.partition("://")[2]
    return bool(re.search(r"[\\\s]|%(?![0-9A-Fa-f]{2})", place)) or place.count("@") > 1
