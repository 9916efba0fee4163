"""The checks in checks/daemon/starting/configuration.py."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from checks.daemon.repairs import (
    settings_on_the_command_line_alone,
    without_the_setting_that_its_log_names,
)
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon_json.brackets import innermost_open
from diagnose.evidence.engine.daemon_json.faults import ConfigFaults
from diagnose.evidence.engine.daemon_json.file_repair import file_repair
from diagnose.evidence.engine.daemon_json.other_text import as_json, form_of
from diagnose.evidence.engine.daemon_json.refusals import faults_of
from diagnose.evidence.engine.daemon_json.syntax import Fault
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.questions.network import Interface
from diagnose.repair.differences import FileChange
from tests.checks.daemon.evidence import config, daemon, log
from tests.hosts import Made
from tests.judging import judge, rows

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "data/daemon/daemon_json.json").read_text()
)


PATH = "/etc/docker/daemon.json"


NOT_OURS = {"hosts", "group", "nodegenres", "storageopt"}
"""What only the engine itself knows: `--validate` and its last words speak for it."""


KERNEL_LACKS = {"aufs"}


@pytest.mark.parametrize("version", ["20.10", "26.1", "28.5"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_file_is_judged_as_the_engine_judges_it(case: dict[str, Any], version: str) -> None:
    if case["name"] in NOT_OURS or (case["name"] in KERNEL_LACKS and version == "20.10"):
        pytest.skip("only the engine knows")
    faults = faults_of(case["text"], int(version.partition(".")[0]))
    assert bool(faults) is not case["engines"][version]["starts"]
    for fault in faults:
        assert (fault.line, fault.column) != (0, 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_for_an_unknown_version_only_what_every_engine_refuses_is_told(
    case: dict[str, Any],
) -> None:
    if any(engine["starts"] for engine in case["engines"].values()):
        assert faults_of(case["text"], None) == ()


@pytest.mark.parametrize(
    ("text", "major", "key", "line", "column"),
    [
        pytest.param(
            '{\n  "firewall-backend": "nftables"\n}',
            28,
            "firewall-backend",
            2,
            3,
            id="too new a key",
        ),
        pytest.param('{\n  "graph": "/srv"\n}', 28, "graph", 2, 3, id="a key that was given up"),
        pytest.param(
            '{\n  "log-opts": {\n    "max-file": 3\n  }\n}',
            28,
            "log-opts.max-file",
            3,
            5,
            id="nested",
        ),
        pytest.param(
            '{"features": {"x": true},\n "mtu": "1500"}', 26, "mtu", 2, 2, id="a text for a number"
        ),
        pytest.param('{"debug": tru}', 26, "", 1, 11, id="a word that is not a value"),
        pytest.param('{"dns": ["1.1.1.1"}', 26, "", 1, 19, id="a bracket is missing"),
        pytest.param('{"debug": true', 26, "", 1, 15, id="cut off"),
    ],
)
def test_a_fault_has_its_place(text: str, major: int, key: str, line: int, column: int) -> None:
    (fault,) = faults_of(text, major)
    assert (fault.key, fault.line, fault.column) == (key, line, column)


@pytest.mark.parametrize(
    ("text", "major"),
    [
        pytest.param('{"graph": "/srv"}', 20, id="an old key on an old engine"),
        pytest.param('{"firewall-backend": "nftables"}', 29, id="a new key on a new engine"),
        pytest.param(
            '{"proxies": {"http-proxy": "http://p:3128"}}', 26, id="an object that is flattened"
        ),
        pytest.param(
            '{"default-runtime": "gpu", "runtimes": {"gpu": {"path": "/x"}}}',
            28,
            id="a runtime of its own",
        ),
        pytest.param(
            '{"log-driver": "gelf", "log-opts": {"gelf-address": "udp://h:1"}}',
            28,
            id="another driver",
        ),
        pytest.param(
            '{"dns": ["::1", "fe80::1%eth0"], "bip": "172.26.0.1/24"}', 28, id="addresses"
        ),
        pytest.param(
            '{"storage-driver": "overlayfs", "features": {"containerd-snapshotter": true}}',
            28,
            id="store",
        ),
    ],
)
def test_valid_files_are_left_alone(text: str, major: int) -> None:
    assert faults_of(text, major) == ()


def test_config_invalid_is_a_warning_while_the_engine_lives() -> None:
    faults = ConfigFaults(
        "/etc/docker/daemon.json", (Fault("mtu", "a number is needed", 2, 3),), 28
    )
    latent = judge("daemon.config-invalid", daemon=daemon(silence=None), config=faults)
    dead = judge("daemon.config-invalid", daemon=daemon(), config=faults)
    assert (rows(latent), rows(dead)) == ([("warning", "docker")], [("critical", "docker")])
    assert (
        latent.findings[0].evidence["/etc/docker/daemon.json line 2 column 3"]
        == "mtu: a number is needed"
    )


REMOVABLE = {
    "a decision": (Fault("default-runtime", "there is no such runtime", 2, 3), True),
    "a part of a key": (Fault("log-opts.max-size", "no size", 2, 3), False),
    "what protects the engine": (Fault("hosts", "no address", 2, 3), False),
    "no key at all": (Fault("", "a comma is missing", 2, 3), False),
}


@pytest.mark.parametrize("name", REMOVABLE)
def test_a_dead_engine_can_start_without_the_key_at_fault(name: str) -> None:
    fault, is_offered = REMOVABLE[name]
    faults = ConfigFaults(PATH, (fault,), 28)
    dead = judge("daemon.config-invalid", daemon=daemon(), config=faults)
    alive = judge("daemon.config-invalid", daemon=daemon(silence=None), config=faults)
    assert ("repair" in dead.findings[0].variables) == is_offered
    assert "repair" not in alive.findings[0].variables


FORMS = {
    "a page": ("\n<!DOCTYPE html>\n<html><head><title> 404: Not Found </title>", "an HTML page (404: Not Found)"),
    "a page without a title": ("<html><body>Log in</body></html>", "an HTML page"),
    "a script": ("#!/bin/sh\ndockerd\n", "a shell script"),
    "a unit": ("# override\n[Service]\nExecStart=\n", "a unit of systemd"),
    "TOML": ("[log-opts]\nmax-size = 1\n", "a file of sections, as in TOML"),
    "the old file of Debian": ('DOCKER_OPTS="--dns 9.9.9.9"\n', "settings of a shell (NAME=value)"),
    "YAML": ("# engine\nlog-driver: journald\n", "YAML"),
    "JSON with a mistake": ('{"debug": tru}', ""),
    "JSON behind a mark": ("\ufeff{\n", ""),
    "another value": ('"debug"', ""),
    "nothing": ("\n", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "form"), FORMS.values(), ids=FORMS)
def test_what_a_file_is_that_holds_no_json(text: str, form: str) -> None:
    assert form_of(text) == form


def test_a_file_that_holds_no_setting_is_moved_aside_for_a_dead_engine() -> None:
    text = FORMS["a page"][0]
    faults = ConfigFaults(PATH, faults_of(text, 28), 28, form=form_of(text))
    (dead,) = judge("daemon.config-invalid", daemon=daemon(), config=faults).findings
    assert dead.summary.startswith(f"{PATH} is an HTML page (404: Not Found) and no JSON; ")
    assert dead.variables == {"path": PATH, "foreign": PATH}
    (alive,) = judge("daemon.config-invalid", daemon=daemon(silence=None), config=faults).findings
    assert alive.variables == {"path": PATH}
    text = FORMS["YAML"][0]
    faults = ConfigFaults(PATH, faults_of(text, 28), 28, form=form_of(text))
    (dead,) = judge("daemon.config-invalid", daemon=daemon(), config=faults).findings
    assert dead.variables == {"path": PATH, "unwritten": PATH}


WRITTEN = {
    "settings": ("# engine\nlog-opts:\n  max-size: 10m\nmtu: 1400\n", {"log-opts": {"max-size": "10m"}, "mtu": 1400}),
    "a list": ("---\n- log-driver\n", None),
    "a broken one": ("log-driver: [journald\n", None),
    "a date": ("log-driver: 2026-01-01\n", None),
    "a number as its key": ("log-driver: x\n1: y\n", None),
    "a secret that is hidden": ("proxies: <redacted:password:1a2b3c4d>\n", None),
    "JSON with a mistake": ('{"mtu": 1400,}\n', None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "settings"), WRITTEN.values(), ids=WRITTEN)
def test_yaml_that_is_written_as_json(text: str, settings: dict[str, Any] | None) -> None:
    rewritten = as_json(text)
    assert (json.loads(rewritten) if rewritten else None) == settings
    if settings is None:
        return
    faults = ConfigFaults(PATH, faults_of(text, 28), 28, form=form_of(text), rewritten=rewritten)
    for is_dead, variable in ((True, "rewritten"), (False, "rewritten_ahead")):
        engine = daemon() if is_dead else daemon(silence=None)
        (found,) = judge("daemon.config-invalid", daemon=engine, config=faults).findings
        assert found.variables == {"path": PATH, variable: "daemon.config-invalid"}


STRINGS = '{\n  "icc": "false",\n  "debug": "true",\n  "mtu": "1500"\n}'


def test_faults_of_one_file_are_one_finding_with_one_diff() -> None:
    config = ConfigFaults(
        PATH, faults_of(STRINGS, 20), 20, "20.10.24", file_repair=file_repair(STRINGS, 20)
    )
    result = judge("daemon.config-invalid", daemon=daemon(silence=None), config=config)
    (finding,) = result.findings
    assert [key for key in finding.evidence if " line " in key] == [
        f"{PATH} line {n} column 3" for n in (2, 3, 4)
    ]
    assert finding.evidence["checked against engine"] == "20.10.24"
    assert finding.evidence["with these changes this engine takes the file"] == [
        'line 2: "icc": "false" becomes "icc": false',
        'line 3: "debug": "true" becomes "debug": true',
        'line 4: "mtu": "1500" becomes "mtu": 1500',
    ]


MENDED = [
    pytest.param('{"log-opts": {"max-size": "10m",}}', 28, id="a comma too many"),
    pytest.param('{\n  "debug": true,\n}\n', 28, id="a comma at the end of the line before"),
    pytest.param('{\n  "debug": true, // for now\n  "icc": false\n}', 28, id="a comment"),
    pytest.param('\ufeff{"debug": true}', 20, id="a byte order mark"),
    pytest.param('{"log-opts": {"max-sizee": "10m"}}', 28, id="a misspelt option"),
    pytest.param('{"live-restor": true}', 28, id="a misspelt name"),
    pytest.param('{\n  "debug": true\n  "mtu": 1400\n}', 28, id="a comma too few"),
    pytest.param('{"dns": ["192.0.2.1" "192.0.2.2"]}', 28, id="a comma too few in a line"),
    pytest.param('{\n "dns": ["192.0.2.1"\n },\n "mtu": 1400\n}', 28, id="a wrong bracket"),
    pytest.param('{\n "dns": ["192.0.2.1",\n },\n "mtu": 1400\n}', 28, id="both"),
    pytest.param('{\n "log-opts": {\n "max-size": "1m"\n ]\n}', 28, id="another wrong bracket"),
    pytest.param("{\n 'debug': true,\n 'log-level': 'info'\n}", 28, id="other quotes"),
    pytest.param("{\n \u201cdebug\u201d: true\n}", 28, id="quotes of a text program"),
    pytest.param("{debug: True, log-driver: journald}", 28, id="words without quotes"),
    pytest.param('{"debug" = true}', 28, id="a sign of equality"),
    pytest.param('{"debug": true}}', 28, id="a bracket too many"),
    pytest.param('{"log-opts": {"max-file": 3, "max-size": "1m"}}', 28, id="a number for a text"),
    pytest.param('{"dns": "192.0.2.1"}', 28, id="a text for a list"),
    pytest.param(STRINGS, 26, id="texts for other types"),
    pytest.param('{\n  "graph": "/srv/docker"\n}', 28, id="a key with a successor"),
]


SLIPS = {
    '{\n "dns": ["192.0.2.1"\n },\n "mtu": 1400\n}': "a } where a ] must close the [ of line 2",
    '{\n "debug": true\n "mtu": 1400\n}': "a comma is missing at the end of line 2",
    '{"debug": true,\n}': "a comma before the closing }",
}


@pytest.mark.parametrize(("text", "message"), SLIPS.items())
def test_a_slip_is_named(text: str, message: str) -> None:
    assert [fault.message for fault in faults_of(text, 28)] == [message]


@pytest.mark.parametrize(("text", "major"), MENDED)
def test_a_slip_is_mended_by_sed_as_it_is_here(text: str, major: int, tmp_path: Path) -> None:
    edits = file_repair(text, major)
    assert edits is not None
    file = tmp_path / "daemon.json"
    file.write_text(text)
    subprocess.run(["sed", "-i", "-e", edits.sed, str(file)], check=True)
    assert file.read_text() != text
    assert faults_of(file.read_text(), major) == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"dns": ["nowhere"]}', id="an address that is none"),
        pytest.param('{"debug": true, "zzzzzz": 1}', id="a name like no other"),
        pytest.param('{"debug": "perhaps"}', id="a text that is not a bool"),
        pytest.param('{"debug": true', id="cut off"),
        pytest.param('{"dns": ["192.0.2.1", "debug": true}', id="a list without an end"),
        pytest.param('{"debug": true}\n{"mtu": 1400}', id="two objects"),
        pytest.param('{"log-level": "info}', id="a text without an end"),
        pytest.param('{"graph": "/a", "data-root": "/b"}', id="two data roots"),
        pytest.param('{"debug": true}', id="nothing to mend"),
    ],
)
def test_what_takes_a_decision_is_left_to_a_person(text: str) -> None:
    assert file_repair(text, 28) is None


@pytest.mark.parametrize(
    ("one", "fires"),
    [
        pytest.param(
            config(values={"hosts": ["tcp://h"]}, flags={"host": ["fd://"]}), True, id="the classic"
        ),
        pytest.param(
            config(values={"log-opts": {"a": "b"}}, flags={"log-opt": ["c=d"]}), True, id="a map"
        ),
        pytest.param(
            config(values={"proxies": {"http-proxy": "x"}}, flags={"http-proxy": ["y"]}),
            True,
            id="flattened",
        ),
        pytest.param(
            config(values={"runtimes": {"a": {}}}, flags={"add-runtime": ["b=c"]}),
            False,
            id="runtimes may",
        ),
        pytest.param(
            config(values={"debug": True}, flags={"host": ["fd://"]}),
            False,
            id="different settings",
        ),
    ],
)
def test_config_flag_conflict(one: DaemonConfig, fires: bool) -> None:
    assert (
        bool(judge("daemon.config-flag-conflict", daemon=daemon(silence=None), config=one).findings)
        is fires
    )


REFUSED = (
    "failed to start daemon: unable to configure the Docker daemon with file /etc/docker/daemon.json: "
    "the following directives are specified both as a flag and in the configuration file: "
    "hosts: (from flag: [fd://], from file: [tcp://0.0.0.0:2376])"
)


@pytest.mark.parametrize("values", [{"hosts": ["tcp://0.0.0.0:2376"]}, {"debug": True}])
def test_a_repair_is_offered_only_for_what_is_still_in_the_file(values: dict[str, Any]) -> None:
    """The command line is not seen, and the engine names the setting: `repair` refused the command
    that the report gave."""
    one, said = config(values=values), log(REFUSED)
    (finding,) = judge(
        "daemon.config-flag-conflict", daemon=daemon(), config=one, log=said
    ).findings
    file = Made({"file.read": {"text": json.dumps(values), "size": 40}})
    repair = settings_on_the_command_line_alone(file, one, said, daemon())
    assert ("dead" in finding.variables) == bool(repair) == ("hosts" in values)


EXCLUDED = "failed to start daemon: You specified -b & --bip, mutually exclusive options."


@pytest.mark.parametrize(
    ("bridge", "removed"),
    [
        pytest.param("br0", "bip", id="a bridge of this host"),
        pytest.param("br-office", "bridge", id="a bridge that is not there"),
        pytest.param("none", "bip", id="no bridge at all"),
    ],
)
def test_a_bridge_that_is_not_there_goes_and_the_address_stays(bridge: str, removed: str) -> None:
    values = {"bip": "10.99.0.1/24", "bridge": bridge}
    file = Made({"file.read": {"text": json.dumps(values), "size": 60}})
    interfaces = Interfaces((Interface(index=3, name="br0"),))
    (change,) = without_the_setting_that_its_log_names(
        file, config(values=values), log(EXCLUDED), daemon(), interfaces
    )
    assert isinstance(change, FileChange)
    assert values.keys() - json.loads(change.after).keys() == {removed}


HOSTILE_TEXTS = {
    "thousands of keys that look like others": json.dumps(
        {f"log-opt{number}": number for number in range(13_000)}
    ),
    "a text full of escaped quotes": '{"' + '\\"' * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_a_hostile_file_is_judged_in_no_time(name: str) -> None:
    text = HOSTILE_TEXTS[name]
    began = time.process_time()
    assert len(faults_of(text, 28)) <= 50
    file_repair(text, 28)
    innermost_open(text)
    assert time.process_time() - began < 3
