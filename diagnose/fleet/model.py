"""The nouns of a fleet: what the user asked, the reports by host, and the answer."""

from collections.abc import Mapping

import msgspec

from diagnose.fleet.contrast import Split
from diagnose.fleet.packed import Unusable
from diagnose.fleet.reports import HostName, HostReport
from diagnose.model import Severity


class FleetRequest(msgspec.Struct, frozen=True):
    """The options of a comparison."""

    now: float
    """Unix time."""
    since_s: float
    group_by: str = ""
    fail_on: str = "warning"
    expected: tuple[str, ...] = ()
    """Names of hosts that should have reported."""


class Span(msgspec.Struct, frozen=True):
    """When a cause began on its hosts, in Unix time."""

    first: float
    half: float
    last: float
    known: int
    """The number of hosts on which the begin is known."""


class FirstCommand(msgspec.Struct, frozen=True):
    """The fix that most reports of a cause name first, and a host for which it is written."""

    text: str
    risk: str
    host: str
    hosts: int


class GroupShare(msgspec.Struct, frozen=True):
    """How many hosts of one group have a cause."""

    name: str
    sick: int
    hosts: int


class FleetCause(msgspec.Struct, frozen=True):
    """One kind of root over all hosts."""

    id: str
    severity: Severity
    hosts: tuple[str, ...]
    """In the order in which it began, as far as that is known."""
    new: int | None
    """How many of them did not have it in the earlier set; None where there is none."""
    gone: int | None
    """How many had it in the earlier set and are without it now."""
    span: Span | None
    summary: str
    """The finding's sentence on the first host."""
    signatures: tuple[tuple[str, int], ...]
    """What exactly it is about, with the number of hosts, where that is not the same for all."""
    effects: tuple[tuple[str, int], ...]
    """The ids that it explains, with the number of hosts."""
    split: Split | None
    command: FirstCommand | None
    groups: tuple[GroupShare, ...]


class OddHost(msgspec.Struct, frozen=True):
    """A host that differs from its group: fact, its value, and the value of nearly all others."""

    host: str
    differences: tuple[tuple[str, str, str], ...]


class Blindness(msgspec.Struct, frozen=True):
    """A check that could look at some hosts earlier and cannot now."""

    id: str
    hosts: tuple[str, ...]


class SilentHost(msgspec.Struct, frozen=True):
    """A host that did not report."""

    host: str
    last: float | None
    """Unix time of its last report, None where there is none."""


class FleetAnswer(msgspec.Struct, frozen=True):
    """All that is said of a fleet."""

    code: int
    hosts: int
    well: int
    sick: int
    unexamined: tuple[str, ...]
    """Hosts on which nothing was found, and a check that may find something could not look."""
    causes: tuple[FleetCause, ...]
    odd: tuple[OddHost, ...]
    lost: tuple[Blindness, ...]
    silent: tuple[SilentHost, ...]
    unusable: tuple[Unusable, ...]
    notes: tuple[str, ...]
    earlier: int
    """Hosts of the earlier set."""


class Fleet(msgspec.Struct, frozen=True):
    """A set of reports by host: the newest of each, and the earlier ones, newest first."""

    newest: tuple[HostReport, ...]
    before: Mapping[HostName, tuple[HostReport, ...]]
    unusable: tuple[Unusable, ...]
