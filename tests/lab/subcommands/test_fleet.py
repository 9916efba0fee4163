"""Twelve hosts with engines and ssh servers, Ansible over ssh, one answer: which cause they share,
which fact splits them, who is alone with a cause, who differs, who is silent."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.lab.box import PROJECT
from tests.lab.conftest import unfit
from tests.lab.engines import find
from tests.lab.subcommands.fleet import Fleet
from tests.reach import built

COLLECTION = PROJECT / "diagnose/fleet/ansible"
LONG = bool(os.environ.get("DIAGNOSE_LAB_LONG"))
PROGRAMS = ("sshd", "ansible-playbook")
pytestmark = [
    pytest.mark.skipif(bool(unfit()), reason=str(unfit())),
    pytest.mark.skipif(
        not (
            LONG
            and all(shutil.which(name, path=f"/usr/sbin:{os.environ['PATH']}") for name in PROGRAMS)
        ),
        reason=f"left to the nightly run: needs DIAGNOSE_LAB_LONG and {', '.join(PROGRAMS)}",
    ),
    pytest.mark.timeout(900),
]
HARDENING = "# made up\nnet.ipv4.ip_forward = 0\n"
SHARED = "/etc/sysctl.d/99-hardening.conf"
SICK = [f"web{number:02}" for number in range(5)]
"""They share a cause and a changed file."""
ALONE, NEWER, WELL = "web05", "web06", ["web07", "web08", "web09"]
UNREACHABLE, HUNG = "web10", "web11"
MOST_S = 400
"""For the whole play on a busy machine; without an end of its own a hung host would hold it for
ever."""


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet() as fleet:
        for name in [*SICK, ALONE, NEWER, *WELL, UNREACHABLE, HUNG]:
            box = fleet.add(name, newest() if name == NEWER else "distro").box
            box.docker("run", "-d", "--name=shop", "--restart=always", "shop:1.4", "sleep", "1000")
        for name in SICK:
            box = fleet.hosts[name].box
            box.write(SHARED, HARDENING)
            box.sh(f"sysctl -q -p {SHARED}")
        alone = fleet.hosts[ALONE].box
        alone.docker("run", "-d", "--name=report", "shop:1.4", "/none", check=False)
        fleet.hosts[UNREACHABLE].box.sh("ip link set mgmt0 down")
        hung = fleet.hosts[HUNG]
        hung.box.kill(hung.sshd_pid, signal.SIGSTOP)
        yield fleet


def newest() -> str:
    """An engine that is not the distribution's, if one can be had."""
    for wanted in ("sid", "trixie"):
        try:
            return find(wanted).suite
        except LookupError:
            continue
    pytest.skip("no second engine can be had")


def play(fleet: Fleet) -> str:
    """What the playbook ends with, run at the desk."""
    desk = fleet.desk
    lines = [f"{host.name} ansible_host={host.address}" for host in fleet.hosts.values()]
    options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10"
    desk.write(
        "/srv/inventory",
        "\n".join(
            [
                "[all:vars]",
                "ansible_user=root",
                "ansible_ssh_private_key_file=/root/.ssh/id_made_up",
                f"ansible_ssh_common_args={options}",
                "[docker]",
                *lines,
            ]
        )
        + "\n",
    )
    tool = f'#!/bin/sh\ncd {PROJECT}\nexec {sys.executable} -m diagnose "$@"\n'
    desk.write("/srv/tool", tool, 0o755)
    desk.sh(
        "mkdir -p /srv/reports /srv/ansible_collections/diagnose\n"
        f"ln -sfn {COLLECTION} /srv/ansible_collections/diagnose/docker_host"
    )
    values = {
        "reports": "/srv/reports",
        "local": "/srv/tool",
        "become": "false",
        "timeout": 120,
        "folder": built.archive(),
        # Ten tools at once on a machine of two processors: each gets its answers late.
        "options": "'--budget 60'",
    }
    words = [word for name, value in values.items() for word in ("-e", f"diagnose_{name}={value}")]
    env = {
        "ANSIBLE_COLLECTIONS_PATH": "/srv",
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=no",
        "LC_ALL": "C.UTF-8",
    }
    command = ["ansible-playbook", "-i", "/srv/inventory", "diagnose.docker_host.fleet"]
    done = desk.run([*command, "-f", "6", *words], env=env, check=False, timeout=MOST_S, cwd="/srv")
    return done.stdout + done.stderr


def test_twelve_hosts_give_one_answer(fleet: Fleet, say: Callable[[str], None]) -> None:
    before = {name: host.box.sh("ls -A /dev/shm /tmp") for name, host in fleet.hosts.items()}
    began = time.monotonic()
    answer = play(fleet)
    took = time.monotonic() - began
    reports = sorted(path.stem for path in fleet.desk.path("/srv/reports").glob("*.json"))
    assert reports == [*SICK, ALONE, NEWER, *WELL], answer
    tool = ["/srv/tool", "fleet", "/srv/reports", "--name-by", "file"]
    expect = ["--expect", "/srv/reports/expected.txt", "--format", "json"]
    report = json.loads(fleet.desk.run([*tool, *expect], check=False, timeout=60).stdout)
    causes = {cause["id"]: cause for cause in report["causes"]}

    shared = causes["firewall.forwarding-off"]
    assert shared["hosts"] == SICK
    assert shared["split"]["facts"] == [f"file {SHARED} changed within a day"]
    assert (
        "all 5 and none of the 5 others have this: file /etc/sysctl.d/99-hardening.conf" in answer
    )
    assert causes["container.entrypoint-missing"]["hosts"] == [ALONE]
    assert set(causes) == {"firewall.forwarding-off", "container.entrypoint-missing"}
    assert f"{NEWER}: engine is " in answer
    assert (
        "10 hosts: 2 causes explain what is wrong on 6 of them, nothing above advice on 4, 2 did not report"
        in answer
    )
    for silent in (UNREACHABLE, HUNG):
        assert f"{silent}: no report at all" in answer
    assert {
        name: host.box.sh("ls -A /dev/shm /tmp") for name, host in fleet.hosts.items()
    } == before
    say(f"fleet: twelve hosts, one answer in {took:.0f} s; contrast: file {SHARED}; nothing left")
