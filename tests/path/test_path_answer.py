"""The answer for a recorded host, as text, JSON and a drawing."""

from __future__ import annotations

import io
import json
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path as FilePath
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from diagnose import registry, session
from diagnose.path import ends
from diagnose.path.answer import FAMILIES, KINDS, PathAnswer, answer
from diagnose.path.model import SentPacket
from diagnose.questions.probes import ProbeReply
from diagnose.questions.run import Options
from diagnose.render import path as rendering

DEMO = FilePath(__file__).parents[2] / "fixtures" / "demo"


@pytest.fixture(scope="module")
def demo() -> Any:
    known = registry.load()
    selected = [id for id, check in known.items() if check.family in FAMILIES]
    options = Options(source=DEMO, budget_s=120)
    return session.diagnose(lambda: known, selected, options, began=time.monotonic(), shown=KINDS)


def answered(report: Any, begin: str, target: str) -> PathAnswer:
    found = answer(report, begin, target)
    assert isinstance(found, PathAnswer)
    return found


DEMO_WAYS = {
    ("web", "internet"): (2, "firewall.forwarding-off", "fix"),
    ("internet", "web:8080"): (0, None, None),
    ("stray", "web:80"): (2, None, "confirm"),
    ("batch", "internet"): (2, "container.entrypoint-forbidden", "fix"),
}


@pytest.mark.parametrize("ways", DEMO_WAYS, ids=" ".join)
def test_ways_of_the_demo_host(demo: Any, ways: tuple[str, str]) -> None:
    found = answered(demo, *ways)
    code, id, purpose = DEMO_WAYS[ways]
    assert found.exit_code == code
    assert (found.finding.id if found.finding else None) == id
    assert (found.cure.purpose if found.cure else None) == purpose


def test_a_port_of_the_host_has_to_be_named(demo: Any) -> None:
    with pytest.raises(ends.UnknownEndError, match="which port"):
        answer(demo, "web", "host")


def test_the_answer_is_written_three_ways(demo: Any) -> None:
    found = answered(demo, "web", "internet")
    texts = {}
    for format_ in ("text", "json", "svg"):
        stream = io.StringIO()
        rendering.render(found, format_, stream, color=False)
        texts[format_] = stream.getvalue()
    assert texts["text"].startswith('BROKEN container "web" to internet: FORWARD: ')
    assert "sysctl -w net.ipv4.ip_forward=1" in texts["text"]
    document = json.loads(texts["json"])
    assert document["state"] == "broken"
    assert [hop["state"] for hop in document["hops"]][-1] == "broken"
    picture = ElementTree.fromstring(texts["svg"])
    assert picture.tag.endswith("svg")
    assert "forwarding is off" in texts["svg"]


def test_hostile_names_are_text_in_the_drawing(demo: Any) -> None:
    found = answered(demo, "web", "internet")
    hops = tuple(replace(hop, place="<script>", text="</svg>&\x1b[31m") for hop in found.path.hops)
    stream = io.StringIO()
    rendering.render(replace(found, path=replace(found.path, hops=hops)), "svg", stream)
    assert "<script>" not in stream.getvalue()
    assert ElementTree.fromstring(stream.getvalue()) is not None


def test_the_packet_is_written_beside_the_walk(demo: Any) -> None:
    found = answered(demo, "web", "internet")
    packet = SentPacket(
        "to 192.0.2.9:443/tcp: accepted", "ok", "192.0.2.9", 443, ProbeReply("accepted")
    )
    found = replace(found, path=replace(found.path, packet=packet))
    stream = io.StringIO()
    rendering.render(found, "text", stream, color=False)
    text = stream.getvalue()
    assert text.startswith('OPEN container "web" to internet: a packet came through')
    assert "walk and packet disagree" in text
    stream = io.StringIO()
    rendering.render(found, "json", stream)
    document = json.loads(stream.getvalue())
    assert (document["state"], document["walk"]) == ("open", "broken")
    assert document["packet"]["agrees"] is False


def test_a_recording_sends_nothing() -> None:
    from diagnose.cli.main import group

    ways = ["path", "web", "internet", "--probe", "--from", str(DEMO)]
    done = CliRunner().invoke(group, ways, standalone_mode=True)
    assert done.exit_code == 2  # main makes it 3
    assert "--probe does not go with --from" in done.output
