"""Findings about pulls that failed."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.mappings import present
from diagnose.model import DAEMON, Finding, Json, PageVariables, Severity, Subject
from diagnose.numbers import is_number
from diagnose.phrases import how_often, shortened

LATELY_S = 3600.0
"""A failure within this time may still matter to a user."""


class FailedPulls(msgspec.Struct, frozen=True):
    """The failed pulls of this host, and the number and age that make them more than advice."""

    pulls: Pulls
    clock: Clock
    repeated: float
    """From this number of failures on, they are a warning."""
    recent_s: float = 0.0
    """A failure within this time is a warning too."""

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
        """The finding about one image or registry; reason replaces the engine's own words."""
        times = how_often(trouble.count, self.clock.ago(trouble.last))
        is_harmful = trouble.count >= self.repeated or self.clock.is_within(
            trouble.last, self.recent_s
        )
        return Finding(
            subject=trouble.subject,
            summary=f"pulling {trouble.what} failed {times}: {reason or reason_of(trouble)}{clause}",
            evidence={
                self.pulls.source: shortened(trouble.text),
                "failures": trouble.count,
                "last": self.clock.ago(trouble.last),
                **(proof or {}),
            },
            variables=_registry_of(trouble) if variables is None else variables,
            discriminator=f"{trouble.registry} {trouble.image}".strip(),
            severity=Severity.warning if is_harmful else Severity.advice,
            touches=(DAEMON, *touches),
            signs=signs(trouble.text),
            onset=trouble.first,
            is_quiet=not self.clock.is_within(trouble.last, LATELY_S),
        )


def _registry_of(trouble: PullTrouble) -> PageVariables:
    """The page variable `registry`, where the log names one: another registry would answer well."""
    return {"registry": trouble.host} if trouble.registry or trouble.image else {}


def image_of(trouble: PullTrouble) -> PageVariables:
    """The page variable `image`, where the log names one."""
    return present({"image": trouble.image})


def reason_of(trouble: PullTrouble) -> str:
    """The error of a pull, without the request that failed.

    Go calls a DNS server misbehaving that answers REFUSED or SERVFAIL.
    """
    reason = shortened(trouble.words.without_request.rstrip("."), 80)
    return reason.replace("server misbehaving", "the DNS server answers with an error")


def mirrors_of(info: Info | None) -> dict[str, str]:
    """The mirrors of Docker Hub: host with port, and the whole address."""
    config = info.registry_config if info is not None else None
    addresses = config.mirrors if config is not None else None
    return {urlsplit(address).netloc: address for address in addresses or ()}


def own_mirrors(
    mirrors: Mapping[str, str], containers: Containers | None, interfaces: Interfaces | None
) -> dict[str, Container]:
    """The mirrors that are a published port of a container here, by host with port."""
    own_mirror_by_host = {}
    for place in mirrors:
        host, _, port = place.rpartition(":")
        is_here = host == "localhost" or is_loopback(host)
        if not is_here and (interfaces is None or not interfaces.holds(host)):
            continue
        for container in containers.running if containers is not None else ():
            if is_number(port) and container.publishes(int(port)):
                own_mirror_by_host[place] = container
    return own_mirror_by_host
