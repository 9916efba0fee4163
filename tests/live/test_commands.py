"""Commands, the kernel log, systemd and the journal."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from diagnose.live import Live, Refused
from diagnose.live.commands import run as commands
from diagnose.live.commands import systemd
from diagnose.live.kernel import kernel_log
from tests.live.proc_helpers import plain
from tests.questions import question

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
RECORDS = [
    (
        "killed",
        "6,3383,2801685452,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/x\n SUBSYSTEM=pci\n",
        (3383, 6, 3801.685452, "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/x"),
    ),
    ("facility", "30,7,5000000,-,caller=T1;systemd[1]: hi\n", (7, 6, 1005.0, "systemd[1]: hi")),
    ("nonsense", "no record", None),
]


@pytest.mark.parametrize(
    ("text", "expected"), [row[1:] for row in RECORDS], ids=[row[0] for row in RECORDS]
)
def test_a_kernel_record_is_parsed(text: str, expected: tuple[int, int, float, str] | None) -> None:
    record = kernel_log.parse_record(text, 1000.0)
    found = record and (record["seq"], record["level"], round(record["at"], 6), record["text"])
    assert found == expected


@root_only
def test_the_kernel_log_is_read_in_order_and_bounded() -> None:
    answer = plain(kernel_log.records(Live(), question("kernel.log", max=5)))
    numbers = [record["seq"] for record in answer["records"]]
    assert 0 < len(numbers) <= 5
    assert numbers == sorted(numbers)
    assert answer["dropped"] or len(numbers) < 5


SHOWN = """\
LoadState=loaded
ActiveState=failed
Result=start-limit-hit
ExecStart={ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// ; ignore_errors=no }
Listen=/run/docker.sock (Stream)
Listen=[::]:2375 (Stream)
"""


def test_unit_properties_are_parsed() -> None:
    parsed = systemd.parse_properties(SHOWN)
    assert parsed["Result"] == "start-limit-hit"
    assert parsed["ExecStart"].startswith("{ path=/usr/sbin/dockerd ; argv[]=")
    assert parsed["Listen"] == "/run/docker.sock (Stream)\n[::]:2375 (Stream)"


JOURNAL = [
    {
        "__CURSOR": "s=1;i=2",
        "__REALTIME_TIMESTAMP": "1795473695797894",
        "PRIORITY": "6",
        "_PID": "812",
        "SYSLOG_IDENTIFIER": "dockerd",
        "MESSAGE": "unable to configure the Docker daemon",
        "_SYSTEMD_INVOCATION_ID": "f00",
    },
    {"__CURSOR": "s=1;i=3", "__REALTIME_TIMESTAMP": "1795473695797895", "MESSAGE": [104, 105, 255]},
]


def test_journal_entries_are_parsed() -> None:
    first, second = systemd.parse_journal("\n".join(map(json.dumps, JOURNAL)) + "\nnot json\n")
    assert (first["cursor"], first["pid"], first["priority"]) == ("s=1;i=2", 812, 6)
    assert first["invocation"] == "f00"
    assert first["at"] == pytest.approx(1795473695.797894)
    assert (second["message"], second["pid"]) == ("hi�", None)


def test_without_systemd_units_are_missing() -> None:
    if Path("/run/systemd/system").is_dir():
        assert (
            systemd.unit(Live(), question("unit", name="no-such.service"))["LoadState"]
            == "not-found"
        )
        return
    with pytest.raises(Refused) as caught:
        systemd.unit(Live(), question("unit", name="docker.service"))
    assert caught.value.failed.reason == "missing"


def test_a_unit_name_is_no_option() -> None:
    with pytest.raises(Refused):
        systemd.journal(Live(), question("journal", unit="--vacuum-size=1"))


DOCKERD = [
    ("valid", 'echo "configuration OK" >&2', (True, "configuration OK")),
    ("invalid", "echo unknown-key >&2; exit 1", (False, "unknown-key")),
    ("its folder is in PATH", 'case $PATH in "${0%/*}:"*) ;; *) exit 1 ;; esac', (True, "")),
]


@root_only
@pytest.mark.parametrize(
    ("body", "expected"), [row[1:] for row in DOCKERD], ids=[row[0] for row in DOCKERD]
)
def test_the_engines_own_judgement(tmp_path: Path, body: str, expected: tuple[bool, str]) -> None:
    program = tmp_path / "dockerd"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    asked = question("validate", dockerd=str(program), config="/etc/docker/daemon.json")
    answer = systemd.validate(Live(), asked)
    assert (answer["ok"], answer["text"]) == expected


@root_only
@pytest.mark.parametrize(
    ("mode", "body"),
    [(0o755, 'echo "unknown flag: --validate" >&2; exit 125'), (0o777, "exit 0")],
    ids=["engine 20.10", "writable by others"],
)
def test_a_judgement_that_is_not_allowed(tmp_path: Path, mode: int, body: str) -> None:
    program = tmp_path / "dockerd"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(mode)
    with pytest.raises(Refused) as caught:
        systemd.validate(Live(), question("validate", dockerd=str(program), config="/x"))
    assert caught.value.failed.reason == "not allowed"


def test_a_command_that_does_not_end_is_left() -> None:
    began = time.monotonic()
    with pytest.raises(Refused) as caught:
        commands.run([commands.find("sleep"), "5"], 0.2)
    assert caught.value.failed.reason == "timed out"
    assert time.monotonic() - began < 2


def test_a_command_that_is_not_installed() -> None:
    with pytest.raises(Refused) as caught:
        commands.find("no-such-command")
    assert caught.value.failed.reason == "missing"
