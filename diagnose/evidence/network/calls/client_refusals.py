"""Log lines in which programs refuse clients."""

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Network
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import subjects_of
from diagnose.model import Json, Subject
from diagnose.phrases import agree, named, shortened

REFUSES = LazyPattern(
    r"forbidden|denied|reject|refus|not allowed|not whitelisted|blocked|banned|too many"
    r"|brute-?force|throttl|limiting (?:requests|connections)|rate.?limit|\bban\b|blacklist"
    r'|" 429 ',
    re.IGNORECASE,
)
"""A server refused a client by a rule or a limit, and not for a fault of its own."""
LIMITS = LazyPattern(
    r"forbidden by rule|banned|too many (?:[\w-]{1,20} ){0,3}(?:requests|attempts|logins|failures|tries)"
    r"|brute-?force|throttl|limiting (?:requests|connections)|temporarily (?:locked|blocked)"
    r'|locked out|rate.?limit|" 429 ',
    re.IGNORECASE,
)
"""Refusals that are about the client, and not about its password."""

IsRefusal = Callable[[str], bool]
"""Whether a line of a log says that a client is refused."""


class RefusingContainers(msgspec.Struct, frozen=True):
    """Containers whose logs say that they refuse clients, with these lines."""

    containers: Sequence[Container]
    lines: Mapping[str, Sequence[RecentLine]]
    """By the container's name."""

    def __bool__(self) -> bool:
        return bool(self.lines)

    @property
    def clause(self) -> str:
        verb = agree(self.lines, "refuses", "refuse")
        return f"{named('container', sorted(self.lines))} {verb}"

    @property
    def evidence(self) -> dict[str, Json]:
        return {f"log of {name}": shortened(lines[-1].text) for name, lines in self.lines.items()}

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return subjects_of(self.containers)


class Refusals(msgspec.Struct, frozen=True):
    """The lines in which running containers refuse clients."""

    containers: Containers
    logs: RecentLogs
    clock: Clock
    least: int
    """Minimum number of lines of one container that are a refusal."""

    def of(self, container: Container, is_refusal: IsRefusal) -> Sequence[RecentLine]:
        """The lines of a container; empty where they are too few."""
        return self.logs.repeated(container, is_refusal, self.clock, self.least)

    def on(self, network: Network, is_refusal: IsRefusal) -> RefusingContainers:
        """The containers of a network that refuse clients."""
        lines = {
            container.name: self.of(container, is_refusal)
            for container in self.containers.running_on(network.name)
        }
        lines = {name: refusals for name, refusals in lines.items() if refusals}
        refusing = [container for container in self.containers if container.name in lines]
        return RefusingContainers(refusing, lines)


def refusal_of(address: str, words: LazyPattern = REFUSES) -> IsRefusal:
    """The predicate whether a line says that this very address is refused."""
    whole = re.compile(rf"(?<![\d.]){re.escape(address)}(?![\d.]*\d)")
    return lambda text: bool(words.search(text) and whole.search(text))
