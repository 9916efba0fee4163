"""The HTML report: one sound file that loads nothing, runs nothing, and holds all that the other
reports say."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import time
from pathlib import Path
from typing import Any

import html5lib
import msgspec
import pytest
from msgspec.structs import replace

from diagnose import registry, session
from diagnose.evidence.run.host_map import HostMap, MapContainer, MapNetwork, MapPort, MapWay
from diagnose.judgement.exit_codes import code_of
from diagnose.model import HOST, Json, Report, Severity, Subject, container
from diagnose.questions.run import Options
from diagnose.render.html import moments, networks, page
from diagnose.render.html.shapes import Box, Cross, Drawing, Label, Line
from diagnose.render.outlines.outline import outline
from diagnose.timeline import Moment
from tests.reports import found, report

FIXTURES = Path(__file__).parents[2] / "fixtures"
RECORDED = sorted(path.parent for path in FIXTURES.glob("*/expected.json"))
EVIL = '<img src=x onerror="alert(1)">'
SVG = "{http://www.w3.org/2000/svg}"
HTML = "{http://www.w3.org/1999/xhtml}"


def judged(folder: Path) -> Report:
    options = Options(source=folder, budget_s=120)
    return session.diagnose(registry.load, None, options, began=time.monotonic(), shown=page.KINDS)


def parsed(text: str) -> Any:
    """The document as browsers build it; raises for a parse error."""
    return html5lib.HTMLParser(strict=True).parse(text)


def words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


HOLDERS = {
    f"{HTML}{name}" for name in ("body", "header", "main", "nav", "section", "article", "ul")
}


def between(document: Any) -> list[str]:
    """Text that is beside the paragraphs of a part: something that was left in the template."""
    texts = [
        text
        for element in document.iter()
        if element.tag in HOLDERS
        for text in (element.text, *(child.tail for child in element))
    ]
    return [text.strip() for text in texts if text and text.strip()]


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_a_recorded_host_is_one_sound_file(folder: Path):
    what = judged(folder)
    code = code_of(what, "warning")
    text = page.text(what, code)
    document = parsed(text)
    assert loaded(document) == []
    assert between(document) == []
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    links = {element.get("href") for element in document.iter(f"{HTML}a")}
    assert links
    assert links <= {f"#{id}" for id in ids}
    shown = words(document)
    for block in outline(what, code).blocks:
        assert block.id in shown
        if block.cure is not None:
            assert " ".join(block.cure.text.split()) in shown
    assert len(text) < 300_000
    assert len(list(document.iter(f"{SVG}svg"))) >= 2


def loaded(document: Any) -> list[str]:
    """All that a browser would fetch or run."""
    names = ("script", "img", "link", "iframe", "object", "embed", "form", "base", "video", "audio")
    things = [str(element.tag) for name in names for element in document.iter(f"{HTML}{name}")]
    for element in document.iter():
        for name, value in element.attrib.items():
            runs = str(name).startswith("on") or name in ("src", "style", "srcdoc", "action")
            leads_out = name == "href" and not value.startswith("#")
            if runs or leads_out:
                things.append(f"{element.tag} {name}")
    return things


def test_the_policy_allows_the_files_own_style_sheet_alone():
    text = page.text(report(), 0)
    document = parsed(text)
    policy = next(
        element.get("content")
        for element in document.iter(f"{HTML}meta")
        if element.get("http-equiv") is not None
    )
    style = next(document.iter(f"{HTML}style")).text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy


def hostile() -> Report:
    """A report in which every text that a user or a container chooses is markup."""
    shares: Json = [{"name": EVIL, "bytes": 10, "note": EVIL}]
    evidence = {EVIL: EVIL, "attribution": shares}
    effect = found(
        "container.unhealthy", container(EVIL), EVIL, caused_by=("firewall.chains-missing",)
    )
    cause = found(
        "container.oom-killed",
        container(EVIL),
        EVIL,
        evidence=evidence,
        variables={"container": EVIL},
        onset=1.7e9,
    )
    what = report(
        cause, effect, found("security.root-user", container(EVIL), EVIL, Severity.advice)
    )
    port = MapPort(EVIL, MapWay("closed", EVIL))
    network = MapNetwork(
        EVIL,
        EVIL,
        MapWay("closed", EVIL),
        (MapContainer(EVIL, EVIL, True, EVIL, (port,)),),
        (EVIL,),
        EVIL,
    )
    host_map = HostMap((network,), ((EVIL, EVIL),), ((EVIL, (EVIL,)),))
    head = replace(what.host, name=EVIL, data_root=EVIL)
    return replace(what, host=head, notes=(EVIL,), evidence={HostMap: host_map})


def test_markup_in_a_name_is_text():
    text = page.text(hostile(), 2)
    document = parsed(text)
    assert loaded(document) == []
    assert "<img" not in text
    assert words(document).count(EVIL) > 10


def test_no_control_character_is_in_the_file():
    what = report(
        found("container.oom-killed", container("a\x1b[31m\u202eb"), "a\x1b[31m\x00\u202eb")
    )
    text = page.text(what, 2)
    assert parsed(text) is not None
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_a_hundred_containers_stay_small():
    names = [f"shop-eu-west-1-checkout-worker-{number}" for number in range(100)]
    members = tuple(
        MapContainer(
            name, "running", True, "172.18.0.9", (MapPort("8080 -> 80/tcp", MapWay("open")),)
        )
        for name in names
    )
    host_map = HostMap(
        (MapNetwork("shop", "bridge", MapWay("open"), members, ("172.18.0.0/16",), "br-0"),)
    )
    roots = [
        found(check, container(name))
        for name in names
        for check in ("container.oom-killed", "container.unhealthy")
    ]
    what = replace(report(*roots), evidence={HostMap: host_map})
    text = page.text(what, 2)
    assert len(text) < 300_000
    assert all(name in text for name in names)


# -- the drawing of the networks ----------------------------------------

CLOSED = MapWay("closed", "ip filter FORWARD: policy drop", "rule")


def drawn(out: MapWay, *findings: Any, members: tuple[MapContainer, ...] = ()) -> Drawing:
    network = MapNetwork("shop", "bridge", out, members, ("172.18.0.0/16",), "br-0")
    host_map = HostMap((network,), (("eth0", "192.0.2.10"),), (("192.0.2.53", ("web",)),))
    return networks.draw(host_map, report(*findings), "wide")


def labels(picture: Drawing) -> list[str]:
    return [shape.text for shape in picture.shapes if isinstance(shape, Label)]


def crosses(picture: Drawing) -> int:
    return sum(isinstance(shape, Cross) for shape in picture.shapes)


def red_lines(picture: Drawing) -> int:
    return sum(isinstance(shape, Line) and shape.tone == "critical" for shape in picture.shapes)


FLUSHED = found(
    "firewall.chains-missing",
    HOST,
    "Docker's rules are gone",
    touches=(Subject("network", "shop"),),
)


def test_a_broken_way_is_red_up_to_the_host_and_says_what_breaks_it():
    picture = drawn(CLOSED, FLUSHED)
    assert (crosses(picture), red_lines(picture)) == (1, 2)
    assert "✕ way out broken: ip filter FORWARD: policy drop" in labels(picture)
    assert "Docker's rules are gone" in labels(picture)
    assert 'way out of network "shop" is broken' in picture.summary


def test_a_way_that_is_closed_on_purpose_is_not_red():
    picture = drawn(CLOSED)
    assert (crosses(picture), red_lines(picture)) == (0, 0)
    assert "way out closed: ip filter FORWARD: policy drop" in labels(picture)


def test_a_finding_about_something_else_breaks_no_way():
    elsewhere = found("firewall.chains-missing", HOST, touches=(Subject("network", "other"),))
    assert crosses(drawn(CLOSED, elsewhere)) == 0
    assert crosses(drawn(MapWay("open"), FLUSHED)) == 0


def test_advice_colours_nothing():
    picture = drawn(
        CLOSED, found("network.x", Subject("network", "shop"), severity=Severity.advice)
    )
    assert {shape.tone for shape in picture.shapes if isinstance(shape, Box | Line)} == {"calm"}


def test_a_dns_server_with_a_finding_is_marked():
    silent = found("dns.upstream-unreachable", container("web"), variables={"server": "192.0.2.53"})
    boxes = [
        shape
        for shape in drawn(MapWay("open"), silent).shapes
        if isinstance(shape, Box) and shape.role == "chip"
    ]
    assert sum(box.tone == "critical" for box in boxes) == 1


@pytest.mark.parametrize("fits", ["wide", "narrow"])
def test_nothing_is_drawn_outside_the_canvas(fits: Any):
    member = MapContainer(
        "n" * 200, "running", True, "172.18.0.2", (MapPort("8080 -> 80/tcp", CLOSED),)
    )
    network = MapNetwork(
        "x" * 200,
        "bridge",
        CLOSED,
        (member,) * 5,
        ("172.18.0.0/16", "fd00:dead:beef::/64"),
        "br-123456789012",
    )
    host_map = HostMap(
        (network,),
        (("eth0", "192.0.2.10"),),
        (("2001:db8:1234:5678:9abc:def0:1234:5678", ("web",)),),
    )
    picture = networks.draw(host_map, report(FLUSHED), fits)
    for shape in picture.shapes:
        if isinstance(shape, Box):
            assert shape.x >= 0
            assert shape.x + shape.width <= picture.width
            assert shape.y + shape.height <= picture.height
        if isinstance(shape, Label):
            width = 7.25 * len(shape.text)
            left = shape.x - width if shape.anchor == "end" else shape.x
            assert left >= 0, shape
            assert left + width <= picture.width, shape


# -- the time line ----------------------------------------


def times(*findings: Any, fits: Any = "wide") -> Drawing | None:
    what = report(*findings)
    return moments.draw(outline(what, 2).blocks, [Moment(1.8e9 - 30, "event", "x")], 1.8e9, fits)


def test_each_root_with_an_onset_is_a_row_the_first_on_top():
    late = found("container.oom-killed", container("late"), onset=1.8e9 - 10)
    early = found("container.unhealthy", container("early"), onset=1.8e9 - 3600)
    picture = times(late, early, found("storage.disk-full", HOST))
    assert picture is not None
    rows = [label for label in labels(picture) if "." in label]
    assert rows == ["container.unhealthy  early", "container.oom-killed  late"]


def test_without_an_onset_there_is_no_time_line():
    assert times(found("storage.disk-full", HOST)) is None


@pytest.mark.parametrize("fits", ["wide", "narrow"])
@pytest.mark.parametrize("ago", [0, 1, 3600, 86400])
def test_no_row_leaves_the_time_line(fits: Any, ago: float):
    picture = times(
        found("container.oom-killed", container("n" * 90), onset=1.8e9 - ago), fits=fits
    )
    assert picture is not None
    for shape in picture.shapes:
        if isinstance(shape, Label):
            width = 7.25 * len(shape.text)
            left = {"start": shape.x, "end": shape.x - width, "middle": shape.x - width / 2}[
                shape.anchor
            ]
            assert left >= -1, shape
            assert left + width <= picture.width + 1, shape


def test_shapes_are_plain_values():
    assert msgspec.json.encode(drawn(CLOSED, FLUSHED))


def test_the_shares_of_a_disk_are_of_the_whole_disk():
    """The bar of 365 MiB on a disk of 688 MiB is half as long as the disk's, not as long."""
    what = judged(FIXTURES / "demo")
    (block,) = (block for block in outline(what, 2).blocks if block.id == "storage.disk-full")
    bars = page._share_bars(what, block)
    disk = next(disk for disk in page._disks(what) if disk.parts)
    assert [bar.name for bar in bars] == [bar.name for bar in disk.parts]
    assert [round(bar.part) for bar in bars][:2] == [53, 41]
    assert disk.parts[0].start == 0
    for before, after in itertools.pairwise(disk.parts):
        assert after.start == pytest.approx(before.start + before.part)
    assert sum(bar.part for bar in disk.parts) <= disk.used_pct + 0.1
    text = page.text(what, 2)
    assert text.count('class="bar stacked"') == 2
    assert "&lt;1 %" in text
