"""Pulls that fail, and why: from what the engine said of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from checks.image._words import short
from diagnose.error_signatures import signs
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls import Pulls, Trouble, Why
from diagnose.evidence.machine.clock import Clock
from diagnose.model import (
    DAEMON,
    Count,
    Finding,
    Seconds,
    Severity,
    Unavailable,
)
from diagnose.phrases import ago
from diagnose.registry import check

HUB_HOST = "registry-1.docker.io"


def _troubles(
    pulls: Pulls,
    why: Why,
    clock: Clock,
    *,
    repeated: float,
    recent_s: float,
    proof: Mapping[str, object] | None = None,
) -> Iterable[Finding]:
    """One finding for each image or registry: a warning where it failed again and again or a moment ago, else
    advice."""
    for each in pulls.of(why):
        age = clock.age(each.last) or 0.0
        times = "once" if each.count == 1 else f"{each.count} times"
        yield Finding(
            subject=each.subject,
            summary=f"pulling {each.what} failed {times}, last {ago(age)} ago: {_reason(each.text)}",
            evidence={
                pulls.source: short(each.text),
                "failures": each.count,
                "last": f"{ago(age)} ago",
                **(proof or {}),
            },
            variables={"registry": _host(each)},
            discriminator=f"{each.registry} {each.image}".strip(),
            severity=Severity.warning if each.count >= repeated or age < recent_s else Severity.advice,
            touches=(DAEMON,),
            signs=signs(each.text),
            onset=each.first,
        )


def _host(trouble: Trouble) -> str:
    """The registry's host as a command would ask it."""
    return HUB_HOST if trouble.registry in ("", "docker.io") else trouble.registry


_REQUEST = re.compile(r'^.*(?:Get|Head|Post|resolve reference) "[^"]*": ', re.DOTALL)


def _reason(text: str) -> str:
    """What went wrong, without the request that it went wrong with."""
    return short(_REQUEST.sub("", text).partition(" (possibly")[0], 80)


@check("image.pull-rate-limited", severity=Severity.warning)
def pull_rate_limited(
    pulls: Pulls,
    clock: Clock,
    info: Info | Unavailable,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> Iterable[Finding]:
    """A registry refuses pulls because too many were made.

    Docker Hub counts by address where nobody is logged in: behind a shared address this host may be innocent. Other
    registries have limits of their own; the text tells. A later pull from the same registry ends the finding. Nothing
    is pulled to find out.
    """
    config = info.registry_config if isinstance(info, Info) else None
    mirrors = (config or {}).get("Mirrors") or "none"
    yield from _troubles(
        pulls,
        "rate-limit",
        clock,
        repeated=repeated,
        recent_s=recent_s,
        proof={"RegistryConfig.Mirrors": mirrors},
    )


@check("image.pull-denied", severity=Severity.warning)
def pull_denied(pulls: Pulls, clock: Clock, *, repeated: Count = Count(3)) -> Iterable[Finding]:
    """An image does not exist in its registry, or this host has no right to pull it.

    Registries answer alike for a name that is misspelt and one that needs a login, so the two cannot be told apart;
    credentials lie with the client and are not seen from here. One refused pull is most often a slip of the pen: a
    warning takes three.
    """
    yield from _troubles(pulls, "denied", clock, repeated=repeated, recent_s=0.0)


@check(
    "image.registry-unreachable",
    severity=Severity.warning,
    caused_by=["dns.host-broken", "network.subnet-overlaps-route", "network.conntrack-full"],
)
def registry_unreachable(
    pulls: Pulls, clock: Clock, *, repeated: Count = Count(3), recent_s: Seconds = Seconds(3600)
) -> Iterable[Finding]:
    """A registry cannot be reached from this host.

    The text names the layer: a look-up that failed is the host's DNS (the daemon uses the host's resolver, not its
    containers'), a dial that failed a firewall, a route or a registry that is down, a status of 5xx the registry
    itself. Hosts without a way to the internet are silent as long as nobody pulls.
    """
    yield from _troubles(pulls, "unreachable", clock, repeated=repeated, recent_s=recent_s)


@check("image.registry-tls", severity=Severity.warning)
def registry_tls(
    pulls: Pulls, clock: Clock, *, repeated: Count = Count(3), recent_s: Seconds = Seconds(3600)
) -> Iterable[Finding]:
    """A registry's certificate is not trusted, or it does not speak TLS at all.

    127.0.0.0/8 is always taken without TLS. The first question to an insecure registry is sent with TLS and fails;
    that line of the log is no failure and is left out.
    """
    yield from _troubles(pulls, "tls", clock, repeated=repeated, recent_s=recent_s)


@check("image.registry-proxy", severity=Severity.warning)
def registry_proxy(
    pulls: Pulls,
    clock: Clock,
    info: Info | Unavailable,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> Iterable[Finding]:
    """The proxy that the daemon is configured to use makes pulls fail.

    The daemon's proxy is that of its own environment or `proxies` in daemon.json (from engine 23.0), not that of a
    shell in which curl works. A proxy that answers for a registry with an error of its own making reads as that
    registry's error.
    """
    proof = {}
    if isinstance(info, Info):
        proof = {"HttpsProxy": info.https_proxy or info.http_proxy or "not set", "NoProxy": info.no_proxy or "not set"}
    yield from _troubles(pulls, "proxy", clock, repeated=repeated, recent_s=recent_s, proof=proof)
