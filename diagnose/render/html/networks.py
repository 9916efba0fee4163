"""A drawing of the host's networks.

The outside on top, the host below it, then each network with its containers.

A way that a finding is about, and that a rule, a route or a setting closes, is red up to the host,
and says what closes it. One that is closed without a finding is closed on purpose, and stays grey.
The ranks are given by what the things are, so that no layout of graphs is computed: a container is
drawn in each of its networks, and no two lines cross.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from diagnose.evidence.run.host_map import HostMap, MapContainer, MapNetwork, MapWay
from diagnose.model import HOST, Report, Reported, Severity, Subject
from diagnose.phrases import count, shortened
from diagnose.render.html.shapes import MONO, Box, Cross, Dot, Drawing, Label, Line, Shape, Tone
from diagnose.render.words import clean, middle

WIDE = 920
NARROW = 352
PAD = 10
OPEN_TRUNK = 18
CLOSED_TRUNK = 30
"""Where the lines run down to the networks: of open ways, and of closed ones."""
INDENT = 48
CHIP = 26
GAP = 8
ROW = 18
NAME_MOST = 40
NOTE_LEAST = 7
"""A note is left out where there is room for fewer characters."""
MOST_CONTAINERS = 150
HOST_LINES = 3
_PATH_FAMILIES = frozenset({"firewall", "network", "kernel"})
"""Families whose findings are about paths through the host."""


class Marks(msgspec.Struct, frozen=True):
    """The findings above advice, as marks on the things in the drawing."""

    worst: Mapping[Subject, Severity]
    accused: frozenset[Subject]
    """Networks, interfaces and containers whose ways a finding is about."""
    servers: Mapping[str, Severity]
    """DNS servers that a finding is about."""
    host: tuple[Reported, ...]
    """Findings about the host's network itself."""

    def tone(self, subject: Subject) -> Tone:
        return tone(self.worst.get(subject))


def tone(severity: Severity | None) -> Tone:
    """How a thing with such a finding is coloured."""
    if severity is Severity.critical:
        return "critical"
    return "warning" if severity is Severity.warning else "calm"


def marks(report: Report) -> Marks:
    """The findings by what they are about."""
    loud = [
        finding
        for finding in report.findings
        if finding.severity > Severity.advice and not finding.silenced
    ]
    worst: dict[Subject, Severity] = {}
    servers: dict[str, Severity] = {}
    accused: set[Subject] = set()
    for finding in loud:
        worst[finding.subject] = max(finding.severity, worst.get(finding.subject, finding.severity))
        if finding.check.family in _PATH_FAMILIES:
            accused |= {finding.subject, *finding.finding.touches}
        if finding.check.family == "dns":
            for value in finding.finding.variables.values():
                servers[value] = max(finding.severity, servers.get(value, finding.severity))
    of_host = tuple(
        finding
        for finding in loud
        if finding.subject == HOST and finding.root and finding.check.family in _PATH_FAMILIES
    )
    return Marks(worst, frozenset(accused), servers, of_host)


def draw(host_map: HostMap, report: Report, fits: Literal["wide", "narrow"]) -> Drawing:
    """The map with what the report found, for wide or narrow screens."""
    canvas = _Canvas(WIDE if fits == "wide" else NARROW, marks(report))
    canvas.outside(host_map)
    canvas.host(host_map, report.host.name)
    for network in host_map.networks:
        canvas.network(network)
    return Drawing(
        canvas.width, canvas.y, tuple(canvas.finished()), _summary(host_map, canvas.marks), fits
    )


def is_broken(network: MapNetwork, marks: Marks) -> bool:
    """Whether a network's way out is closed and a finding is about it."""
    suspects = {Subject("network", network.name), Subject("interface", network.bridge)}
    return network.out.state == "closed" and not suspects.isdisjoint(marks.accused)


def words_of(way: MapWay) -> str:
    """The rule or route that closes a way, in words."""
    return way.by.removeprefix("routing ").removeprefix(": ")


def _summary(host_map: HostMap, marks: Marks) -> str:
    """The drawing in one sentence, for those who do not see it."""
    broken = [network.name for network in host_map.networks if is_broken(network, marks)]
    parts = [
        (
            f"{count(len(host_map.networks), 'network')} with their containers, "
            "below the host and its uplinks"
        ),
        *(f'the way out of network "{name}" is broken' for name in broken),
        *(
            f"DNS server {server} has a finding"
            for server, _ in host_map.servers
            if server in marks.servers
        ),
    ]
    return f"{'; '.join(parts)}."


class _Canvas:
    """A drawing that grows downwards. Lines lie below everything else."""

    def __init__(self, width: int, marks: Marks) -> None:
        self.width = width
        self.marks = marks
        self.y: float = PAD
        self._lines: list[Shape] = []
        self._shapes: list[Shape] = []
        self._below_host: float = 0
        self._lowest: dict[bool, float] = {}

    def finished(self) -> Iterator[Shape]:
        """All shapes, from the lowest layer to the topmost."""
        for broken, lowest in self._lowest.items():
            x = CLOSED_TRUNK if broken else OPEN_TRUNK
            trunk = ((x, self._below_host), (x, lowest))
            yield Line(trunk, "critical" if broken else "calm", dashed=broken)
        yield from self._lines
        yield from self._shapes
        if True in self._lowest:
            yield Cross(CLOSED_TRUNK, self._below_host + 9)

    def outside(self, host_map: HostMap) -> None:
        """The first rows: what lies beyond the host, and the uplinks that lead there."""
        self.text(PAD, "outside", "note")
        chips = [_Chip("other hosts")]
        for server, askers in host_map.servers:
            severity = self.marks.servers.get(server)
            note = f"asked by {len(askers)}" if askers else ""
            chips.append(_Chip(f"DNS {server}", note, tone(severity)))
        self.chips(chips, PAD)
        top = self.y - GAP
        if host_map.uplinks:
            self.y += 10
            uplinks = [
                _Chip(name, address, self.marks.tone(Subject("interface", name)))
                for name, address in host_map.uplinks
            ]
            self._lines.append(Line(((OPEN_TRUNK, top), (OPEN_TRUNK, self.y))))
            self.chips(uplinks, PAD)
            top = self.y - GAP
        self.y += 10
        self._lines.append(Line(((OPEN_TRUNK, top), (OPEN_TRUNK, self.y))))

    def host(self, host_map: HostMap, name: str) -> None:
        """The host: what it does to packets, and what is wrong with that."""
        findings = self.marks.host[:HOST_LINES]
        worst = tone(max((finding.severity for finding in findings), default=None))
        width = self.width - 2 * PAD
        most = int((width - 24) / MONO)
        rows = [
            row for finding in findings for row in self.wrapped(finding.finding.summary, most, 3)
        ]
        top = self.y
        height = 30 + ROW * len(rows) + (6 if rows else 0)
        self._shapes.append(Box(PAD, top, width=width, height=height, role="host", tone=worst))
        forwarding = {True: "IP forwarding on", False: "IP forwarding off", None: ""}[
            host_map.forwarding
        ]
        self._shapes.append(
            Label(PAD + 12, top + 20, middle(f"host {clean(name)}", most - 20), "title")
        )
        self._shapes.append(
            Label(self.width - PAD - 12, top + 20, forwarding, "note", anchor="end")
        )
        for number, row in enumerate(rows):
            self._shapes.append(Label(PAD + 12, top + 40 + ROW * number, row, "note", worst))
        self.y = self._below_host = top + height
        self.y += 22

    def network(self, network: MapNetwork) -> None:
        """One network.

        Its line to the host, its name and addresses, what closes its way out, its containers.
        """
        broken = is_broken(network, self.marks)
        top = self.y
        left_edge = INDENT + 12
        room = self.width - PAD - left_edge - 12
        notes = [*network.subnets, network.bridge or network.driver]
        about = " · ".join(note for note in notes if note)
        title = middle(clean(network.name), NAME_MOST)
        self.y += 20
        self._shapes.append(Label(left_edge, self.y, title, "title"))
        if (len(title) + len(about) + 4) * MONO < room:
            self._shapes.append(Label(self.width - PAD - 12, self.y, about, "note", anchor="end"))
        else:
            self.y += ROW
            self._shapes.append(Label(left_edge, self.y, middle(about, int(room / MONO)), "note"))
        for row in self.wrapped(_way_words(network, broken=broken), int(room / MONO), 3):
            self.y += ROW
            self._shapes.append(
                Label(left_edge, self.y, row, "note", "critical" if broken else "calm")
            )
        self.y += 10
        self.chips(list(self.members(network)), left_edge)
        self.y += 4
        subject = Subject("network", network.name)
        tone = "critical" if broken else self.marks.tone(subject)
        box = Box(
            INDENT,
            top,
            width=self.width - PAD - INDENT,
            height=self.y - top,
            role="network",
            tone=tone,
        )
        self._shapes.insert(0, box)
        if network.out.state != "none" or network.driver == "host":
            dashed = broken or network.out.state in ("closed", "unknown")
            self._line_to_host(top + 16, broken=broken, dashed=dashed)
        self.y += 12

    def _line_to_host(self, y: float, *, broken: bool, dashed: bool) -> None:
        """The line between a network and the host; broken ones go down a trunk of their own."""
        x = CLOSED_TRUNK if broken else OPEN_TRUNK
        shown: Tone = "critical" if broken else "calm"
        self._lines.append(Line(((x, y), (INDENT, y)), shown, dashed=dashed))
        self._lowest[broken] = y

    def members(self, network: MapNetwork) -> Iterator[_Chip]:
        """The containers: those with findings first, then those that run."""
        ordered = sorted(
            network.containers,
            key=lambda container: (
                -self.severity(container),
                not container.is_running,
                container.name,
            ),
        )
        for container in ordered[:MOST_CONTAINERS]:
            yield self.member(container)
        if len(ordered) > MOST_CONTAINERS:
            yield _Chip(f"and {len(ordered) - MOST_CONTAINERS} more")

    def severity(self, container: MapContainer) -> int:
        return int(self.marks.worst.get(Subject("container", container.name), 0))

    def member(self, container: MapContainer) -> _Chip:
        """A container as a chip, with the ports that it publishes; closed ones first."""
        subject = Subject("container", container.name)
        closed = [
            port
            for port in container.ports
            if port.way.state == "closed" and self.is_accused(container)
        ]
        ports = [
            *(f"✕ {port.label}" for port in closed),
            *(port.label for port in container.ports if port not in closed),
        ]
        note = ports[0] if ports else ""
        if len(ports) > 1:
            note += f" +{len(ports) - 1}"
        if not container.is_running:
            note = container.status
        return _Chip(
            container.name,
            note,
            self.marks.tone(subject),
            is_container=True,
            is_running=container.is_running,
        )

    def is_accused(self, container: MapContainer) -> bool:
        return Subject("container", container.name) in self.marks.accused

    # -- pieces ----------------------------------------

    def text(self, x: float, text: str, role: str) -> None:
        self.y += 12
        self._shapes.append(Label(x, self.y, text, role))
        self.y += 8

    @staticmethod
    def wrapped(text: str, columns: int, most: int) -> list[str]:
        """A sentence on a few rows; the last one is cut."""
        rows = textwrap.wrap(clean(text), max(12, columns))
        if len(rows) <= most:
            return rows
        return [*rows[: most - 1], shortened(" ".join(rows[most - 1 :]), max(12, columns))]

    def chips(self, chips: Sequence[_Chip], left_edge: float) -> None:
        """Chips in rows, as many a row as there is room for."""
        x = left_edge
        right = self.width - PAD - (12 if left_edge > PAD else 0)
        for chip in chips:
            width = chip.width(right - left_edge)
            if x > left_edge and x + width > right:
                x = left_edge
                self.y += CHIP + GAP
            self._shapes.extend(chip.shapes(x, self.y, width))
            x += width + GAP
        self.y += CHIP + GAP


class _Chip(msgspec.Struct, frozen=True):
    """A small box: a name, and a note behind it."""

    name: str
    note: str = ""
    tone: Tone = "calm"
    is_container: bool = False
    is_running: bool = True

    def fitted(self, room: float) -> tuple[str, str]:
        """Name and note as far as there is room for them."""
        columns = int((room - self._height_before - 12) / MONO)
        name = middle(clean(self.name), min(NAME_MOST, columns))
        left = columns - len(name) - 1
        note = middle(clean(self.note), left) if left >= NOTE_LEAST else ""
        return name, note

    @property
    def _height_before(self) -> int:
        return 22 if self.is_container else 10

    def width(self, room: float) -> float:
        name, note = self.fitted(room)
        columns = len(name) + (len(note) + 1 if note else 0)
        return self._height_before + 12 + MONO * columns

    def shapes(self, x: float, y: float, width: float) -> Iterable[Shape]:
        """The box of a chip, with its name and note as far as they fit."""
        name, note = self.fitted(width)
        yield Box(
            x,
            y,
            width=width,
            height=CHIP,
            role="chip",
            tone=self.tone if self.is_running or self.tone != "calm" else "quiet",
            radius=5,
        )
        if self.is_container:
            yield Dot(x + 12, y + CHIP / 2, tone=self.tone, filled=self.is_running)
        yield Label(
            x + self._height_before, y + 17, name, "name", "calm" if self.is_running else "quiet"
        )
        if note:
            yield Label(x + self._height_before + MONO * (len(name) + 1), y + 17, note, "note")


def _way_words(network: MapNetwork, *, broken: bool) -> str:
    """The words about a network's way out. Empty where it is open."""
    way = network.out
    if network.is_internal:
        return "internal: no way out, on purpose"
    if way.state == "closed":
        return (
            f"✕ way out broken: {words_of(way)}" if broken else f"way out closed: {words_of(way)}"
        )
    return f"way out not known: {words_of(way)}" if way.state == "unknown" else ""
