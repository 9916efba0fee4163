"""`--on` with real ssh servers: the hosts that an engineer meets, in one run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.lab import sshd
from tests.lab.box import Box, Run
from tests.lab.conftest import unfit
from tests.lab.runner import BASE_CONFIG
from tests.reach import built

pytestmark = [
    pytest.mark.skipif(bool(unfit()), reason=str(unfit())),
    pytest.mark.skipif(
        not shutil.which("sshd", path="/usr/sbin:/usr/bin"),
        reason="openssh-server is not installed",
    ),
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("on-real"),
]
nightly = pytest.mark.skipif(
    not os.environ.get("DIAGNOSE_LAB_LONG"),
    reason="DIAGNOSE_LAB_LONG is not set: left to the nightly run",
)
SMALL = "mount -t tmpfs -o size=1m,mode=1777 shm /dev/shm"
SLOW = f"""
{SMALL}
mkdir /mnt/run && mount --rbind /run /mnt/run && mount -t tmpfs -o size=1m,mode=755 run /run
mkdir /run/sshd && touch /run/docker.sock && mount --bind /mnt/run/docker.sock /run/docker.sock
truncate -s 200M /srv/slow.img && mkfs.ext4 -q -m 0 /srv/slow.img && mount -o loop,sync /srv/slow.img /tmp && chmod 1777 /tmp
"""
"""Memory is short there, and the disk that is left writes each block before it takes the next."""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A desk with ssh, and four servers on its loopback."""
    with Box("distro", provider=False) as box:
        box.start_engine(config=BASE_CONFIG)
        box.docker("run", "-d", "--name=fails", "shop:1.4", "/none", check=False)
        sshd.keys(box)
        sshd.serve(box, "plain", 2201, None)
        sshd.serve(box, "slow", 2202, SLOW)
        sshd.serve(box, "mortal", 2203, sshd.engine_that_never_answers("dies"))
        sshd.serve(box, "small", 2204, SMALL, user=sshd.USER)
        yield box


def on(box: Box, *args: str, timeout: float = 300) -> Run:
    return box.diagnose(*args, "--folder", str(built.archive()), timeout=timeout)


def names(report: dict[str, object]) -> set[str]:
    findings = report["findings"]
    assert isinstance(findings, list)
    return {
        finding["subject"]["name"]
        for finding in findings
        if finding["id"] == "container.entrypoint-missing"
    }


def left(box: Box) -> str:
    """Folders and processes of ours, in any mount namespace of the box."""
    script = """
    for pid in $(ls /proc | grep '^[0-9]*$'); do
        for base in dev/shm run tmp var/tmp home/oncall root; do
            for path in /proc/$pid/root/$base/diagnose.[0-9]*; do [ ! -e "$path" ] || echo "$path"; done
        done
        tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep 'diagnose[.][0-9].*/lib/ld[.]so' || :
    done"""
    return box.sh(script, timeout=60)


def test_four_hosts_in_one_run(box: Box, say: Callable[[str], None]) -> None:
    """One ordinary, one slow, one that dies in the middle, one without room in memory where sudo
    wants a password."""
    box.write("/root/password", f"{sshd.PASSWORD}\n", 0o600)
    began = time.monotonic()
    hosts = [word for name in ("plain", "slow", "mortal", "small") for word in ("--on", name)]
    run = on(
        box, "all", *hosts, "--sudo", "--sudo-password", "/root/password", "--format", "json",
        "--budget", "60", "-o", "/root/{host}.json",
    )  # fmt: skip
    assert run.code == 2, run.err
    for name in ("plain", "slow", "small"):
        assert names(json.loads(box.read(f"/root/{name}.json"))) == {"fails"}, run.err
    assert not box.path("/root/mortal.json").exists()
    assert "mortal: no report: " in run.err
    box.wait_for(lambda: not left(box), what="nothing to be left")
    kinds = "ordinary, slow disk, dying, no room in memory and sudo with a password"
    say(
        f"--on to four hosts ({kinds}): 3 reports, exit 2, nothing left, {time.monotonic() - began:.1f} s"
    )


def test_same_verdicts_as_on_the_host_itself(box: Box) -> None:
    report = on(box, "all", "--on", "plain", "--format", "json", "--budget", "60").report
    here = box.diagnose("all", "--format", "json", "--budget", "60").report
    keys = [
        sorted((f["key"], f["severity"]) for f in report_of["findings"])
        for report_of in (report, here)
    ]
    assert keys[0] == keys[1]


def test_every_command_that_takes_it(box: Box) -> None:
    assert "fails" in on(box, "timeline", "--on", "plain").out
    assert on(box, "check", "container.entrypoint-missing", "--on", "plain").code == 2
    bundle = on(box, "bundle", "--on", "plain", "-o", "/root/b.tar.gz")
    assert bundle.code == 0, bundle.err
    assert "fails" in box.diagnose("all", "--from", "/root/b.tar.gz").out


def test_a_repair_is_applied_over_ssh(box: Box) -> None:
    """The script is made from what the host says, and runs on the host, as its own words say."""
    box.docker("run", "-d", "--name=cut", "shop:1.4", "sleep", "1000")
    box.sh("sysctl -qw net.ipv4.ip_forward=0")
    try:
        script = on(box, "repair", "firewall.forwarding-off", "--on", "plain")
        assert script.code == 0, script.err
        applied = over_ssh(box, "sh -e", script.out)
        state = box.sh("sysctl -n net.ipv4.ip_forward").strip()
        assert (applied.returncode, state) == (0, "1"), f"{script.out}{applied.stderr}"
    finally:
        box.sh("sysctl -qw net.ipv4.ip_forward=1")
        box.docker("rm", "-f", "cut")
    assert left(box) == ""


@nightly
def test_a_container_is_created_again_over_ssh(box: Box) -> None:
    box.docker("run", "-d", "--name=typo", "-e", "KEPT=yes", "shop:1.4", "/typo", check=False)
    words = ["recreate", "typo", "--on", "plain", "--command", "sleep 1000"]
    script = on(box, *words)
    assert script.code == 0, script.err
    applied = over_ssh(box, "sh", script.out)
    assert applied.returncode == 0, f"{script.out}{applied.stderr}"
    made = box.inspect("typo")
    assert made["State"]["Running"]
    assert "KEPT=yes" in made["Config"]["Env"]
    assert left(box) == ""


@nightly
def test_a_host_without_the_fault_gives_no_script(box: Box) -> None:
    run = on(box, "repair", "firewall.forwarding-off", "--on", "plain")
    assert run.code == 3
    assert run.out == ""
    assert run.err.strip()


def over_ssh(box: Box, shell: str, script: str) -> subprocess.CompletedProcess[str]:
    """What a reader types behind the pipe: `| ssh plain sh -e`."""
    box.write("/root/script.sh", script)
    return box.run(["sh", "-c", f"ssh plain {shell} </root/script.sh"], check=False, timeout=60)


def test_a_user_without_sudo_is_not_root_there(box: Box) -> None:
    run = on(box, "all", "--on", f"ssh://{sshd.USER}@plain")
    assert "forbidden" in run.out


def test_wrong_password_is_sent_once(box: Box) -> None:
    box.write("/root/wrong", "not-it\n", 0o600)
    run = on(box, "all", "--on", f"{sshd.USER}@plain", "--sudo", "--sudo-password", "/root/wrong")
    assert (run.code, run.err.splitlines()[-1:]) == (
        3,
        [f"{sshd.USER}@plain: no report: sudo does not take the password"],
    )


def test_jump_host_of_the_configuration(box: Box) -> None:
    sshd.serve(box, "behind", 2205, None, jump="plain")
    run = on(box, "check", "container.entrypoint-missing", "--on", "behind")
    assert run.code == 2, run.err


def test_end_of_this_side(box: Box) -> None:
    """The tool here is killed while the folder there waits for an engine."""
    server = sshd.serve(box, "waits", 2206, sshd.engine_that_never_answers("waits"))
    folder = f"--folder {built.archive()} --budget 60"
    command = f"exec {' '.join(tool(box))} all --on waits {folder} >/dev/null 2>&1"
    pid = box.spawn(["sh", "-c", command])
    asked = box.path(f"/proc/{server}/root{sshd.ASKED}")
    box.wait_for(asked.exists, 120, "the folder to ask the engine there")
    assert "ld.so" in left(box)
    box.kill(pid, signal.SIGKILL)
    box.wait_for(lambda: not left(box), what="nothing to be left")


def test_host_with_the_tool_is_not_shipped_to(box: Box) -> None:
    box.sh(
        f"mkdir -p /opt/diagnose && tar xzf {built.archive()} -C /opt --strip-components=0",
        timeout=120,
    )
    run = box.diagnose(
        "check", "container.entrypoint-missing", "--on", "plain", "--folder",
        "/none/diagnose-0.1.0-linux-x86_64.tar.gz",
    )  # fmt: skip
    box.sh("rm -rf /opt/diagnose")
    assert run.code == 2, run.err


def tool(box: Box) -> list[str]:
    import sys

    from tests.lab.box import PROJECT

    return ["env", "-C", str(PROJECT), sys.executable, "-m", "diagnose"]
