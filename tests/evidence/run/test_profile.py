"""What distinguishes a host: facts that are equal where the hosts are, none that is guessed, and an
identity that gives nothing away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.run.profile import EngineSetup, NetworkSetup, comparable, host_profile
from diagnose.live import Live
from diagnose.live import tool as live_tool
from diagnose.model import Failed, HostProfile
from diagnose.questions.machine import ReadClockState
from diagnose.questions.run import IdentifySite, Options, Site
from tests.hosts import Made

PING = Ping("1.51", "28.5.2", "")
NOTHING = dict.fromkeys(
    (
        "header",
        "ping",
        "info",
        "config",
        "containers",
        "images",
        "firewall",
        "resolvers",
        "uplinks",
        "interfaces",
        "routes",
    )
)


def profile(answers: dict[str, object] | None = None, **evidence: object) -> HostProfile:
    known: dict[str, Any] = {**NOTHING, **evidence}
    engine = EngineSetup(**{name: known[name] for name in EngineSetup.__struct_fields__})
    network = NetworkSetup(**{name: known[name] for name in NetworkSetup.__struct_fields__})
    return host_profile(Made(answers or {}), known["header"], engine, network)


def test_an_old_recording_has_no_facts_and_no_identity():
    assert profile() == HostProfile()


def test_the_order_of_the_keys_of_a_configuration_does_not_matter():
    one = profile(
        config=DaemonConfig(
            "/etc/docker/daemon.json", exists=True, values={"dns": ["192.0.2.1"], "mtu": 1400}
        )
    )
    other = profile(
        config=DaemonConfig(
            "/etc/docker/daemon.json", exists=True, values={"mtu": 1400, "dns": ["192.0.2.1"]}
        )
    )
    assert one.facts == other.facts
    assert one.facts["daemon.json mtu"] == "1400"


COMPARABLE = {
    "a number": (1400, 1400, True),
    "secrets of two runs have other tokens": (
        {"http": "http://<redacted:password:aa11bb>@proxy"},
        {"http": "http://<redacted:password:cc22dd>@proxy"},
        True,
    ),
    "what stands beside a secret counts": (
        {"http": "http://<redacted:password:aa11bb>@proxy"},
        {"http": "http://<redacted:password:aa11bb>@other"},
        False,
    ),
    "keys in another order": ({"mtu": 1400, "dns": []}, {"dns": [], "mtu": 1400}, True),
    "long values differ by their hash": ("x" * 100, "x" * 99 + "y", False),
}


@pytest.mark.parametrize(("one", "other", "equal"), COMPARABLE.values(), ids=COMPARABLE)
def test_values_are_comparable(one: object, other: object, equal: bool):
    assert (comparable(one) == comparable(other)) is equal


def test_files_are_known_by_size_and_time():
    path = "/etc/sysctl.d/99-hardening.conf"
    found = profile(
        {
            "file.list": lambda question: (
                {"entries": [{"name": "99-hardening.conf", "type": "file"}]}
                if question.args["path"] == "/etc/sysctl.d"
                else {"entries": []}
            ),
            "file.stats": lambda question: {
                asked: {"type": "file", "size": 213, "mtime": 1.8e9}
                if asked == path
                else {"failed": "missing"}
                for asked in question.args["paths"]
            },
        }
    )
    facts = {name: value for name, value in found.facts.items() if "sysctl" in name}
    assert facts == {
        "folder /etc/sysctl.d": "1 file",
        f"file {path}": "213 bytes",
        "file /etc/sysctl.conf": "missing",
    }
    assert found.changed == {path: 1.8e9}


def test_a_folder_that_could_not_be_read_says_nothing_of_its_files():
    facts = profile({"file.list": Failed("forbidden"), "file.stats": Failed("timed out")}).facts
    assert not facts
    assert profile({"file.list": Failed("missing")}).facts["folder /etc/sysctl.d"] == "0 files"


def test_an_engine_that_answers_only_ping_has_a_version_and_nothing_else():
    assert profile(ping=PING).facts == {"engine": "Docker 28.5.2"}
    known = profile(
        ping=PING,
        info=Info(
            id="x", server_version="28.5.2", cgroup_version="2", runtimes={"runc": {}, "crun": {}}
        ),
    )
    assert known.facts["cgroup version"] == "2"
    assert known.facts["runtimes"] == "crun, runc"


CLOCKS = {"kept": (True, 0.0004, "below 10 ms"), "far off": (False, -3.0, "1 s or more")}


@pytest.mark.parametrize(("synchronised", "offset", "words"), CLOCKS.values(), ids=CLOCKS)
def test_a_clock_is_known_by_the_class_of_its_error(synchronised: bool, offset: float, words: str):
    facts = profile(
        {"clock.state": {"synchronised": synchronised, "offset_s": offset, "max_error_s": 0.1}}
    ).facts
    assert facts["clock offset"] == words
    assert facts["clock"] == ("synchronised" if synchronised else "not synchronised")


def test_the_machine_id_is_hashed_with_the_salt_of_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    plain = "0123456789abcdef" * 2
    (tmp_path / "machine-id").write_text(f"{plain}\n")
    monkeypatch.setattr(live_tool, "MACHINE_ID", tmp_path / "machine-id")
    answers = [
        live_tool.site(Live(Options(site=Site(salt))), IdentifySite())
        for salt in ("", "north", "north", "south")
    ]
    ids = [answer["machine"] for answer in answers]
    assert ids[1] == ids[2]
    assert len({plain, *ids}) == 4
    assert all(len(id) == 32 for id in ids)


@pytest.mark.parametrize("text", ["", "uninitialized\n", "x" * 32])
def test_an_image_that_is_made_for_copying_has_no_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
):
    (tmp_path / "machine-id").write_text(text)
    monkeypatch.setattr(live_tool, "MACHINE_ID", tmp_path / "machine-id")
    site = Site(labels={"rack": "b12"}, name="web1")
    assert live_tool.site(Live(Options(site=site)), IdentifySite()) == {
        "machine": "",
        "name": "web1",
        "labels": {"rack": "b12"},
    }


def test_this_machine_answers_about_its_clock():
    answer = Live().ask(ReadClockState())
    state = ReadClockState.decode(answer)
    assert isinstance(state.synchronised, bool)
    assert answer["max_error_s"] > 0
