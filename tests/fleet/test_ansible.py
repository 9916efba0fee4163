"""The Ansible collection over real SSH: thirteen targets on loopback, each with an sshd of its own
and no Python.

What the targets run prints a made-up report: the tool's own runs are tested elsewhere, here it is
how reports come together. One target cannot be reached, the sshd of one is frozen, and the tool of
one hangs.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from diagnose.setup.parts import MARK, collection
from tests.fleet.made_fleet import Seed, documents
from tests.ports import free_port

COLLECTION = Path(__file__).parent.parent.parent / "diagnose/fleet/ansible"
SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")
PLAYBOOK = shutil.which("ansible-playbook")
BUSYBOX = shutil.which("busybox")
LONG = bool(os.environ.get("DIAGNOSE_LAB_LONG"))
needs_ansible = pytest.mark.skipif(
    not (LONG and SSHD and PLAYBOOK and BUSYBOX and os.geteuid() == 0),
    reason="two minutes, left to the nightly run: needs DIAGNOSE_LAB_LONG, root, and Debian's openssh-server, busybox, ansible-core",
)
APPLETS = (
    "sh",
    "tar",
    "gzip",
    "tail",
    "mktemp",
    "rm",
    "mkdir",
    "chmod",
    "echo",
    "cat",
    "sleep",
    "test",
    "ls",
)
HOSTS = 13
SHARED = Seed(
    "firewall.forwarding-off",
    ("file /etc/sysctl.d/99-hardening.conf", "213 bytes"),
    holders=0.0,
    with_fact=0.0,
    without=0.0,
)


def test_every_file_of_the_collection_is_yaml_that_can_be_read():
    paths = sorted(COLLECTION.rglob("*.yml"))
    assert len(paths) >= 6
    for path in paths:
        assert yaml.safe_load(path.read_text()), path


def test_the_launcher_knows_its_own_length():
    """The archive begins behind its last line."""
    text = (COLLECTION / "roles/collect/files/launcher.sh").read_text()
    assert f"tail -n +{text.count(chr(10)) + 1} " in text


def test_tasks_on_targets_need_no_python_and_report_no_change():
    tasks = yaml.safe_load((COLLECTION / "roles/collect/tasks/main.yml").read_text())
    flat = [
        step for task in tasks for step in (*task.get("block", [task]), *task.get("always", ()))
    ]
    modules = {
        next(key for key in task if key.startswith("ansible.builtin."))
        for task in flat
        if "delegate_to" not in task
    }
    assert modules <= {
        f"ansible.builtin.{name}" for name in ("raw", "script", "meta", "import_tasks")
    }
    assert all(task["changed_when"] is False for task in flat if "register" in task)


def test_what_setup_puts_in_is_the_collection(tmp_path: Path):
    files = collection(tmp_path)
    place = tmp_path / "diagnose/docker_host"
    listed = {
        path.relative_to(COLLECTION)
        for path in COLLECTION.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {path.relative_to(place) for path in files} == listed
    assert all(MARK in text for text in files.values())
    launcher = files[place / "roles/collect/files/launcher.sh"]
    assert launcher == (COLLECTION / "roles/collect/files/launcher.sh").read_text()


def reports() -> list[dict[str, Any]]:
    """Five with a shared cause and file, one with a cause of its own, one with another engine."""
    rng = random.Random(1)
    rows = list(documents(rng, HOSTS, [], noise=0.0))
    from tests.fleet.made_fleet import roots

    for number, row in enumerate(rows):
        # Hosts of one lab are equal but for their addresses.
        row["host"]["facts"] = {
            "folder /etc/sysctl.d": "3 files",
            "engine": "Docker 28.5.2",
            "kernel": "6.1.0",
        }
        row["host"]["facts"]["gateway"] = f"10.0.{number}.1"
        row["host"] |= {"labels": {}, "changed": {}}
        row["host"]["name"] = "localhost"
        if number < 5:
            row["findings"] = [*row["findings"], roots()[SHARED.id]]
            row["host"]["facts"][SHARED.fact[0]] = SHARED.fact[1]
        elif number == 5:
            row["findings"] = [*row["findings"], roots()["storage.disk-full"]]
        elif number == 6:
            row["host"]["facts"]["engine"] = "Docker 20.10.24"
    return rows


class Fleet:
    """Thirteen sshd on loopback; the last three targets fail: one hangs, one is frozen, one is not
    there."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.servers: list[subprocess.Popen[bytes]] = []
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True
            )
        lines = []
        for number, report in enumerate(reports()):
            port = free_port()
            lines.append(f"web{number:02} ansible_port={port}")
            if number < HOSTS - 1:
                self._serve(number, port, report)
        self.inventory = place / "inventory"
        options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=4 -o ServerAliveInterval=2"
        variables = {
            "user": "root",
            "host": "127.0.0.1",
            "ssh_private_key_file": place / "user",
            "ssh_common_args": options,
        }
        head = [
            "[all:vars]",
            *(f"ansible_{name}={value}" for name, value in variables.items()),
            "[docker]",
        ]
        self.inventory.write_text("\n".join([*head, *lines]) + "\n")
        (place / "reports").mkdir()
        below = place / "ansible_collections/diagnose"
        below.mkdir(parents=True)
        (below / "docker_host").symlink_to(COLLECTION)

    def _serve(self, number: int, port: int, report: dict[str, Any]) -> None:
        programs = self.place / f"bin{number}"
        programs.mkdir()
        for applet in APPLETS:
            (programs / applet).symlink_to(str(BUSYBOX))
        (programs / "report.json").write_text(json.dumps(report, indent=1))
        wait = "sleep 30\n" if number == HOSTS - 3 else ""
        program = f"#!/bin/sh\necho looking >&2\n{wait}cat {programs}/report.json\nexit 2\n"
        (programs / "diagnose").write_text(program)
        (programs / "diagnose").chmod(0o755)
        settings = {
            "ListenAddress": f"127.0.0.1:{port}",
            "HostKey": self.place / "host",
            "AuthorizedKeysFile": self.place / "user.pub",
            "StrictModes": "no",
            "PermitRootLogin": "yes",
            "UsePAM": "no",
            "PidFile": "none",
            "Subsystem": "sftp internal-sftp",
            "SetEnv": f"PATH={programs} REPORT={programs}/report.json",
        }
        file = self.place / f"sshd{number}"
        file.write_text("\n".join(f"{name} {value}" for name, value in settings.items()) + "\n")
        Path("/run/sshd").mkdir(exist_ok=True)
        assert SSHD
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", file], stderr=subprocess.DEVNULL)
        self.servers.append(server)
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        if number == HOSTS - 2:
            server.send_signal(signal.SIGSTOP)

    def run(
        self, *words: str, callback: str = "default", timeout_s: int = 8
    ) -> subprocess.CompletedProcess[str]:
        tool = self.place / "tool"
        tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m diagnose "$@"\n')
        tool.chmod(0o755)
        assert PLAYBOOK
        argv = [
            PLAYBOOK,
            "-i",
            str(self.inventory),
            "diagnose.docker_host.fleet",
            "-f",
            "13",
            *words,
        ]
        values = {
            "reports": self.place / "reports",
            "local": tool,
            "become": "false",
            "timeout": timeout_s,
        }
        argv += [
            word for name, value in values.items() for word in ("-e", f"diagnose_{name}={value}")
        ]
        env = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self.place),
            "ANSIBLE_STDOUT_CALLBACK": callback,
        }
        env |= {
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "HOME": str(self.place),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=no",
        }
        env |= {"PYTHONPATH": str(COLLECTION.parent.parent.parent), "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            argv, capture_output=True, text=True, timeout=200, check=False, env=env
        )

    def end(self) -> None:
        for server in self.servers:
            server.send_signal(signal.SIGCONT)
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    made = Fleet(tmp_path_factory.mktemp("ansible"))
    try:
        yield made
    finally:
        made.end()


@needs_ansible
@pytest.mark.lab
def test_thirteen_hosts_give_one_answer(fleet: Fleet):
    done = fleet.run()
    answer = done.stdout
    assert (
        "10 hosts: 2 causes explain what is wrong on 6 of them, nothing above advice on 4, 3 did not report"
        in answer
    ), answer + done.stderr
    assert (
        "all 5 and none of the 5 others have this: file /etc/sysctl.d/99-hardening.conf" in answer
    )
    assert "storage.disk-full on 1 host" in answer
    assert "web06: engine is Docker 20.10.24 (others: Docker 28.5.2)" in answer
    for silent in ("web10", "web11", "web12"):
        assert f"{silent}: no report at all" in answer
    assert sorted(path.stem for path in (fleet.place / "reports").glob("*.json")) == [
        f"web{n:02}" for n in range(10)
    ]


@needs_ansible
@pytest.mark.lab
@pytest.mark.timeout(240)
def test_the_folder_is_sent_to_memory_and_leaves_nothing(fleet: Fleet):
    before = set(os.listdir("/dev/shm"))
    here = set(Path(tempfile.gettempdir()).glob("*.diagnose"))
    for path in (fleet.place / "reports").iterdir():
        path.unlink()
    program = fleet.place / "packed"
    program.write_text('#!/bin/sh\ncat "$REPORT"\nexit 2\n')
    program.chmod(0o755)
    with tarfile.open(fleet.place / "folder.tar.gz", "w:gz") as archive:
        archive.add(program, "diagnose/diagnose")
    done = fleet.run(
        "-e",
        f"diagnose_folder={fleet.place}/folder.tar.gz",
        callback="diagnose.docker_host.roots",
        timeout_s=30,
    )
    assert "web00: CRITICAL firewall.forwarding-off: IP forwarding is off" in done.stdout, (
        done.stdout + done.stderr
    )
    assert "web07: well" in done.stdout
    assert "TASK" not in done.stdout
    assert "11 hosts: 2 causes" in done.stdout
    assert "web12: cannot be reached" in done.stderr
    assert set(os.listdir("/dev/shm")) == before
    assert set(Path(tempfile.gettempdir()).glob("*.diagnose")) == here


@needs_ansible
@pytest.mark.lab
def test_check_mode_runs_nothing(fleet: Fleet):
    for path in (fleet.place / "reports").iterdir():
        path.unlink()
    done = fleet.run("--check")
    assert "changed=0" in done.stdout
    assert list((fleet.place / "reports").iterdir()) == []
