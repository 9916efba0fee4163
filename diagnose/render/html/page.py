"""The report as one HTML file: everything is in it, nothing is loaded, and no script runs.

Names come from users and containers, so that the template escapes every text, and a
Content-Security-Policy allows the file's own style sheet alone: markup in a name would do nothing.
"""

import base64
import functools
import hashlib
import importlib.resources
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TextIO

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from msgspec.structs import replace

from diagnose import timeline
from diagnose.evidence.run.host_map import HostMap
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.usage.disk_parts import UsagePart
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.model import Report
from diagnose.phrases import and_more, size, time_of_day, utc
from diagnose.render.html import moments, networks
from diagnose.render.html.runbook_pages import runbook_pages
from diagnose.render.html.shapes import Drawing
from diagnose.render.outlines.outline import Outline, outline
from diagnose.render.outlines.outline_block import OutlineBlock
from diagnose.render.words import clean, short_ids

KINDS: tuple[type, ...] = (HostMap, Filesystems, Options, *timeline.KINDS)
"""The evidence that is drawn, beside what a report holds anyway."""

NAMES_SHOWN = 12
EVIDENCE_MOST = 4_000
"""Characters of one value of evidence: a log's tail is in the bundle."""
MOMENTS_SHOWN = 150


class Bar(msgspec.Struct, frozen=True):
    """A share of a whole."""

    name: str
    size: str
    part: float
    """0 to 100."""
    note: str = ""
    start: float = 0.0
    """Where it begins among its neighbours."""

    @property
    def share(self) -> str:
        return f"{self.part:.0f} %" if self.part >= 1 or not self.part else "<1 %"


class Disk(msgspec.Struct, frozen=True):
    """One file system: how full it is, and of what, as far as it was measured."""

    point: str
    used_pct: float
    about: str
    parts: tuple[Bar, ...] = ()


def render(report: Report, exit_code: int, stream: TextIO) -> None:
    """Write the whole report."""
    stream.write(text(report, exit_code))


def text(report: Report, exit_code: int) -> str:
    """The report as one HTML file."""
    page = outline(report, exit_code)
    style = style_sheet()
    history = _history(report)
    return template(
        "report.html.j2"
    ).render(
        page=page,
        report=report,
        word=page.status.partition(" ")[0],
        rest=page.status.partition(" ")[2],
        taken=utc(report.taken_at).strftime("%Y-%m-%d %H:%M:%S UTC"),
        style=Markup(style),  # noqa: S704 - our own file
        style_hash=style_hash(style),
        maps=_maps(report),
        times=_times(page, report, history),
        history=history.moments[-MOMENTS_SHOWN:] if history else (),
        disks=_disks(report),
        bars=partial(_share_bars, report),
        pages=runbook_pages(page, report),
    )


def style_sheet() -> str:
    """The style of every page."""
    return (
        importlib.resources.files("diagnose.render.html")
        .joinpath("style.css")
        .read_text(encoding="utf-8")
    )


@functools.cache
def template(name: str) -> Template:
    """A template of this folder, with the filters that clean what a report says."""
    environment = Environment(
        loader=PackageLoader("diagnose.render.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clean": clean,
        "clock": time_of_day,
        "size": size,
        "value": _value,
        "names": lambda names: and_more([clean(name) for name in names], NAMES_SHOWN),
        "prose": _prose,
        "day": lambda at: utc(at).strftime("%Y-%m-%d"),
    }
    return environment.get_template(name)


def standalone(picture: Drawing) -> str:
    """A drawing as a file of its own."""
    svg: str = template("drawing.svg.j2").render(
        alone=True,
        picture=picture,
        style=Markup(style_sheet()),  # noqa: S704 - our own file
    )
    return svg


def style_hash(style: str) -> str:
    """The hash of the style sheet, for the policy that allows no other."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _prose(text: str) -> Markup:
    """A sentence of a page: what stands between backticks is code."""
    parts = clean(text).split("`")
    return Markup("").join(
        Markup("<code>{0}</code>").format(part) if at % 2 else part for at, part in enumerate(parts)
    )


def _value(value: str) -> str:
    """A value of evidence as it is shown: short ids, no control characters, not without end."""
    shown = clean(short_ids(value))
    return shown if len(shown) <= EVIDENCE_MOST else f"{shown[:EVIDENCE_MOST]} ..."


def _maps(report: Report) -> tuple[Drawing, ...]:
    host_map = report.evidence_of(HostMap)
    if host_map is None or not host_map.networks:
        return ()
    return networks.draw(host_map, report, "wide"), networks.draw(host_map, report, "narrow")


def _history(report: Report) -> timeline.Timeline | None:
    """The events of the last hours. None where the run did not collect them."""
    if not all(kind in report.evidence for kind in timeline.KINDS):
        return None
    evidence = [report.evidence[kind] for kind in timeline.KINDS]
    options = report.evidence_of(Options) or Options()
    return timeline.make(evidence, options.since_s, words=())


def _times(page: Outline, report: Report, history: timeline.Timeline | None) -> tuple[Drawing, ...]:
    past = history.moments if history else ()
    drawn = (
        moments.draw(page.blocks, past, report.taken_at, "wide"),
        moments.draw(page.blocks, past, report.taken_at, "narrow"),
    )
    return tuple(picture for picture in drawn if picture is not None)


def _disks(report: Report) -> tuple[Disk, ...]:
    """The file systems, the fullest first."""
    filesystems = report.evidence_of(Filesystems) or ()
    usage = report.evidence_of(DiskUsage)
    disks = [_disk(filesystem, usage) for filesystem in filesystems]
    return tuple(sorted(disks, key=lambda disk: -disk.used_pct))


def _disk(filesystem: Filesystem, usage: DiskUsage | None) -> Disk:
    figures = filesystem.usage
    is_measured = usage is not None and usage.point == filesystem.point
    return Disk(
        filesystem.point,
        figures.used_pct,
        f"{size(figures.available)} left of {size(figures.size)}; {and_more(filesystem.holds, 4)}",
        _parts(usage.parts, figures.size) if usage is not None and is_measured else (),
    )


def _parts(parts: Sequence[UsagePart], whole: int) -> tuple[Bar, ...]:
    """The parts of a full disk of `whole` bytes, as bars."""
    bars = []
    for part in parts:
        amount = f"at least {size(part.bytes)}" if part.at_least else size(part.bytes)
        members = ", ".join(f"{short_ids(name)} {size(count)}" for name, count in part.subjects)
        bars.append(Bar(part.name, amount, _percent(part.bytes, whole), members))
    return _side_by_side(bars)


def _share_bars(report: Report, block: OutlineBlock) -> tuple[Bar, ...]:
    """The shares that a finding shows, of the file system that it is about.

    Of all shares together where the size of the file system is not known.
    """
    sizes = {disk.point: disk.usage.size for disk in report.evidence_of(Filesystems) or ()}
    of_disk = next((sizes[name] for name in block.subjects if name in sizes), 0)
    whole = of_disk or sum(part.bytes for part in block.parts)
    return _side_by_side(
        Bar(part.name, size(part.bytes), _percent(part.bytes, whole), short_ids(part.note))
        for part in block.parts
    )


def _percent(part: int, whole: int) -> float:
    return min(100.0, 100 * part / whole) if whole else 0.0


def _side_by_side(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    """The bars one behind the other, as they fill the whole."""
    placed: list[Bar] = []
    start = 0.0
    for bar in bars:
        placed.append(replace(bar, start=start))
        start = min(100.0, start + bar.part)
    return tuple(placed)
