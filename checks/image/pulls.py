"""Pulls that fail, and why: from what the engine said of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.engine.config import DEFAULT_PATH, DaemonConfig
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import DAEMON, CheckResult, Count, Finding, Json, Seconds, Severity, Subject
from diagnose.phrases import ago, shortened, size
from diagnose.registry import check

WEB_PAGE = (
    "a web page answers in place of the registry: a proxy or a portal on the way, or another server"
)
HUB = "docker.io"
"""The Hub as a login names it: under its host's name the credentials would not be found."""
HUB_HOST = "registry-1.docker.io"
_NO_SUCH_TAG = LazyPattern(r"manifest unknown|manifest for \S+ not found")
LAST_ID = 2**32 - 2
"""The highest user id of the kernel."""


class _Failures(msgspec.Struct, frozen=True):
    """The failed pulls of this host, and from when on they are more than advice."""

    pulls: Pulls
    clock: Clock
    repeated: float
    """So many failures are a warning."""
    recent_s: float = 0.0
    """So is one that is not older than so many seconds."""

    def finding(
        self,
        trouble: PullTrouble,
        *,
        proof: Mapping[str, Json] | None = None,
        variables: Mapping[str, str] | None = None,
        touches: tuple[Subject, ...] = (),
        clause: str = "",
        reason: str = "",
    ) -> Finding:
        """A finding about one image or registry; reason in place of the engine's own words."""
        age = self.clock.age(trouble.last) or 0.0
        times = "once" if trouble.count == 1 else f"{trouble.count} times"
        is_harmful = trouble.count >= self.repeated or age < self.recent_s
        return Finding(
            subject=trouble.subject,
            summary=(
                f"pulling {trouble.what} failed {times}, last {ago(age)} ago: "
                f"{reason or _reason(trouble.text)}{clause}"
            ),
            evidence={
                self.pulls.source: shortened(trouble.text),
                "failures": trouble.count,
                "last": f"{ago(age)} ago",
                **(proof or {}),
            },
            variables={"registry": _host(trouble)} if variables is None else variables,
            discriminator=f"{trouble.registry} {trouble.image}".strip(),
            severity=Severity.warning if is_harmful else Severity.advice,
            touches=(DAEMON, *touches),
            signs=signs(trouble.text),
            onset=trouble.first,
        )


def _host(trouble: PullTrouble) -> str:
    """The registry's host as a command would ask it."""
    return HUB_HOST if trouble.registry in ("", "docker.io") else trouble.registry


def _image(trouble: PullTrouble) -> dict[str, str]:
    """The variable `image`, where the log names one."""
    return {"image": trouble.image} if trouble.image else {}


_REQUEST = LazyPattern(r'^.*(?:Get|Head|Post|resolve reference) "[^"]*": ', re.DOTALL)


def _reason(text: str) -> str:
    """What went wrong, without the request that it went wrong with."""
    return shortened(_REQUEST.sub("", text).partition(" (possibly")[0], 80)


@check(
    "image.pull-no-space",
    severity=Severity.warning,
    caused_by=["storage.disk-full", "storage.inodes-exhausted"],
)
def pull_no_space(
    pulls: Pulls,
    clock: Clock,
    filesystems: Filesystems | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A pull failed because the disk had no room for the image.

    The engine removes the unfinished layers, so the room is back a moment later and the disk looks
    well. An image needs its unpacked size and, while it is pulled, its packed layers as well.
    """
    disk = filesystems.of_data_root if filesystems is not None else None
    failures = _Failures(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("no-space"):
        if disk is None:
            yield failures.finding(trouble, variables=_image(trouble))
            continue
        available = size(disk.usage.available)
        yield failures.finding(
            trouble,
            proof={f"statvfs({disk.point}).available": available},
            variables={**_image(trouble), "point": disk.point},
            touches=(disk.subject,),
            clause=f"; {disk.point} has {available} free now",
        )
    return None


_UNMAPPED = LazyPattern(r"[Cc]ontainer ID (\d+) cannot be mapped")


@check("image.ids-out-of-range", severity=Severity.warning)
def ids_out_of_range(
    pulls: Pulls,
    clock: Clock,
    config: DaemonConfig | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """An image has files of a user id that the engine's user namespace does not have.

    An engine with `userns-remap`, and a rootless one, own a range of ids from /etc/subuid and
    /etc/subgid, by default 65,536 of them. A file whose owner has a higher number cannot be
    unpacked. Images built on hosts with directory users have such files.
    """
    failures = _Failures(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("ids"):
        match = _UNMAPPED.search(trouble.text)
        id = int(match[1]) if match else None
        variables = _image(trouble)
        user = _remapped_user(config)
        if id is not None and user and id < LAST_ID:
            variables |= {"user": user, "count": str(id + 1)}
        yield failures.finding(
            trouble,
            variables=variables,
            proof={"userns-remap": config.value("userns-remap")} if config and user else None,
        )
    return None


def _remapped_user(config: DaemonConfig | None) -> str:
    """The user whose subordinate ids the engine uses (`default` stands for dockremap).

    Empty if none is named by name.
    """
    wanted = config.value("userns-remap") if config is not None else None
    name = str(wanted or "").partition(":")[0]
    if name.isdigit():
        return ""
    return "dockremap" if name == "default" else name


@check("image.too-many-layers", severity=Severity.warning)
def too_many_layers(
    pulls: Pulls, clock: Clock, *, repeated: Count = Count(3), recent_s: Seconds = Seconds(3600)
) -> CheckResult:
    """An image has more layers than the storage driver can stack.

    overlay2 takes 125 (its mount options must fit into one page of memory). The same image may work
    with another storage driver.
    """
    failures = _Failures(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("depth"):
        yield failures.finding(trouble, variables=_image(trouble))
    return None


@check("image.pull-rate-limited", severity=Severity.warning)
def pull_rate_limited(
    pulls: Pulls,
    clock: Clock,
    info: Info | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A registry refuses pulls because too many were made.

    Docker Hub counts by address where nobody is logged in: behind a shared address this host may be
    innocent. Other registries have limits of their own; the text tells. A later pull from the same
    registry ends the finding. Nothing is pulled to find out.
    """
    config = info.registry_config if info is not None else None
    mirrors = (config or {}).get("Mirrors") or "none"
    failures = _Failures(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("rate-limit"):
        yield failures.finding(trouble, proof={"RegistryConfig.Mirrors": mirrors})
    return None


@check("image.pull-denied", severity=Severity.warning)
def pull_denied(pulls: Pulls, clock: Clock, *, repeated: Count = Count(3)) -> CheckResult:
    """An image does not exist in its registry, or this host has no right to pull it.

    Registries give the same answer for a name that is misspelt and one that needs a login, so the
    two cannot be distinguished; credentials lie with the client and are not seen from here. One
    refused pull is most often a slip of the pen: a warning takes three.
    """
    failures = _Failures(pulls, clock, repeated)
    for trouble in pulls.of("denied"):
        # the registry has shown the repository: a login would change nothing
        is_known = _NO_SUCH_TAG.search(trouble.text) is not None
        login = {} if is_known else {"login": trouble.registry or HUB}
        yield failures.finding(trouble, variables={"registry": _host(trouble)} | login)
    return None


@check(
    "image.registry-unreachable",
    severity=Severity.warning,
    caused_by=["dns.host-broken", "network.subnet-overlaps-route", "network.conntrack-full"],
)
def registry_unreachable(
    pulls: Pulls, clock: Clock, *, repeated: Count = Count(3), recent_s: Seconds = Seconds(3600)
) -> CheckResult:
    """A registry cannot be reached from this host.

    The text names the layer: a look-up that failed is the host's DNS (the daemon uses the host's
    resolver, not its containers'), a dial that failed a firewall, a route or a registry that is
    down, a status of 5xx the registry itself, and HTML where JSON is due a proxy, a portal that
    wants a login, or another server. Hosts without a way to the internet are silent as
    long as nobody pulls.
    """
    failures = _Failures(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("unreachable"):
        yield failures.finding(trouble)
    for trouble in pulls.of("web-page"):
        yield failures.finding(trouble, reason=WEB_PAGE)
    return None


@check("image.pull-altered", severity=Severity.warning)
def pull_altered(
    pulls: Pulls,
    clock: Clock,
    info: Info | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """What arrives of an image is not what its registry promises.

    A layer whose digest or size is another one, or that breaks off: the engine keeps nothing of it,
    and nothing on this host is damaged. A mirror or a proxy that stores a wrong copy, a device on
    the way that looks into the traffic, or a damaged store of the registry.
    """
    failures = _Failures(pulls, clock, repeated, recent_s)
    between = _between(info) if info is not None else {}
    for trouble in pulls.of("altered"):
        yield failures.finding(
            trouble,
            proof=between,
            variables=_image(trouble),
            clause="" if not between else f"; on the way {_on_the_way(between)}",
        )
    return None


def _between(info: Info) -> dict[str, Json]:
    """The mirrors and the proxy between this host and a registry."""
    mirrors = (info.registry_config or {}).get("Mirrors") or []
    proxy = info.https_proxy or info.http_proxy
    return {
        **({"RegistryConfig.Mirrors": mirrors} if mirrors else {}),
        **({"HttpsProxy": proxy} if proxy else {}),
    }


def _on_the_way(between: Mapping[str, Json]) -> str:
    return " and ".join(
        "are mirrors" if key.endswith("Mirrors") else f"is the proxy {value}"
        for key, value in between.items()
    )


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
    failures = _Failures(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("tls"):
        host = _host(trouble)
        untrusted = {"untrusted": host} if _UNTRUSTED.search(trouble.text) else {}
        dated = _EXPIRED.search(trouble.text)
        yield failures.finding(
            trouble,
            variables={"registry": host} | untrusted,
            reason=_outdated(dated) if dated else "",
        )
    for trouble in pulls.of("plain-http"):
        host = _host(trouble)
        yield failures.finding(
            trouble,
            variables={
                "registry": host,
                "plain": host,
                "path": config.path if config else DEFAULT_PATH,
            },
            clause="; the registry speaks plain HTTP",
        )
    return None


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
    failures = _Failures(pulls, clock, repeated, recent_s)
    addresses = (info.https_proxy, info.http_proxy) if info is not None else ()
    is_malformed = any(_is_malformed(address) for address in addresses)
    for trouble in pulls.of("proxy"):
        yield failures.finding(trouble, proof=proof, reason=_MALFORMED if is_malformed else "")
    return None


_MALFORMED = (
    "the address of the engine's proxy cannot be read: a special character in its user or password "
    "has to be written in percent form, a backslash as %5C"
)


def _is_malformed(address: str) -> bool:
    """Whether an address of a proxy has a character that ends its host's part too early."""
    place = address.partition("://")[2]
    return bool(re.search(r"[\\\s]|%(?![0-9A-Fa-f]{2})", place)) or place.count("@") > 1


_UNPACKING = (
    (
        LazyPattern(r"schema 1\b|manifest\.v1\+prettyjws|missing signature key"),
        "its registry has it in the old format schema 1, which this engine does not read",
    ),
    (LazyPattern(r"docker\.plugin\.v\d"), "it is a plugin of the engine and not an image"),
    (
        LazyPattern(r"media ?type"),
        "its layers are in a format that this engine does not know",
    ),
    (
        LazyPattern(r"input/output error"),
        "the disk of the data root answers with an error",
    ),
    (
        LazyPattern(r"signal: killed"),
        "the program that unpacks it was killed, most often for want of memory",
    ),
    (
        LazyPattern(r"operation not supported"),
        "the disk of the data root keeps no extended attributes, as a network share",
    ),
    (
        LazyPattern(r"(?:unshare|mount|clone)\S*: (?:operation not permitted|permission denied)"),
        "the engine may not make namespaces to unpack it, as in a container without nesting",
    ),
)
"""What a text means, the first that fits; what none fits is shown as it is."""


@check(
    "image.unpack-failed",
    severity=Severity.warning,
    caused_by=["storage.read-only", "kernel.filesystem-errors", "resources.host-oom"],
)
def unpack_failed(
    pulls: Pulls, clock: Clock, *, repeated: Count = Count(3), recent_s: Seconds = Seconds(3600)
) -> CheckResult:
    """An image cannot be read or unpacked on this host, although it arrived whole.

    It is in a format that the engine does not know, or no longer (schema 1, from engine 28 on), or
    it is a plugin; or the host does not let the engine write the layers: a disk with errors, a
    share without extended attributes, an engine inside a container.
    """
    failures = _Failures(pulls, clock, repeated, recent_s)
    for trouble in (*pulls.of("format"), *pulls.of("unpack")):
        reason = next((words for text, words in _UNPACKING if text.search(trouble.text)), "")
        variables = _image(trouble)
        if "plugin" in reason and trouble.image:
            variables = {"plugin": trouble.image}
        yield failures.finding(trouble, variables=variables, reason=reason)
    return None
