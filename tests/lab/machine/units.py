"""Units of systemd that keep the engine of the emulated machine down. They run inside the guest."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.lab.machine.scenarios import SCENARIOS, SOUND, scenario, start_docker, tools

__all__ = ["SCENARIOS"]
"""Those of `scenarios.py`, and behind them those of this module."""

DROP_INS = Path("/etc/systemd/system/docker.service.d")
DOCKER = "daemon:docker"
CONTAINERD_FILE = Path("/etc/containerd/config.toml")
UNQUOTED = (
    'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = /etc/certs.d\n'
)


def _drop_in(text: str) -> Callable[[], None]:
    """Give the unit a drop-in and start it in vain; what takes it back."""
    sh, *_ = tools()
    DROP_INS.mkdir(parents=True, exist_ok=True)
    file = DROP_INS / "override.conf"
    file.write_text(text)
    sh("systemctl stop docker.socket docker.service; systemctl daemon-reload", timeout=240)
    assert subprocess.run(["systemctl", "start", "docker"], timeout=240).returncode

    def mend() -> None:
        for left in DROP_INS.iterdir():
            left.unlink()
        sh("systemctl daemon-reload")
        start_docker()

    return mend


@scenario(
    "a drop-in gives the engine a second command",
    ("daemon.unit-invalid", DOCKER),
    ("daemon.not-running", DOCKER),
    users=("root", "nobody"),
    cured=True,
)
def _second_command() -> Callable[[], None]:
    return _drop_in("[Service]\nExecStart=/usr/sbin/dockerd -H fd:// --debug\n")


@scenario(
    "only the line that removes the command is left of a drop-in",
    ("daemon.unit-invalid", DOCKER),
    ("daemon.not-running", DOCKER),
    cured=True,
)
def _no_command() -> Callable[[], None]:
    return _drop_in("[Service]\nExecStart=\n")


@scenario(
    "a mount that the engine's unit requires cannot be made",
    ("daemon.not-running", DOCKER),
    also=("storage.*",),
)
def _failed_mount() -> Callable[[], None]:
    sh, *_ = tools()
    mount = Path("/etc/systemd/system/srv-data.mount")
    mount.write_text("[Mount]\nWhat=/root/no-such.img\nWhere=/srv/data\nType=ext4\nOptions=loop\n")
    mend = _drop_in("[Unit]\nRequiresMountsFor=/srv/data\n")
    assert "dependency" in sh("journalctl -u docker -n 5 --no-pager")

    def both() -> None:
        mount.unlink()
        mend()

    return both


@scenario("the network is not up yet, and the engine waits for it", ("daemon.not-running", DOCKER))
def _waits_for_the_network() -> Callable[[], None]:
    sh, _, wait_for, _ = tools()
    unit = "systemd-networkd-wait-online.service"
    folder = Path(f"/etc/systemd/system/{unit}.d")
    folder.mkdir(parents=True)
    (folder / "lab.conf").write_text("[Service]\nExecStart=\nExecStart=/usr/bin/sleep 600\n")
    waiting = f"network-online.target {unit}"
    sh(f"systemctl stop docker.socket docker.service {waiting}; systemctl enable {unit}",
       timeout=240)  # fmt: skip
    sh("systemctl daemon-reload; systemctl start --no-block docker.service")
    wait_for(lambda: sh(f"systemctl is-active {unit}", check=False).strip() == "activating", 60)

    def mend() -> None:
        sh(
            f"systemctl disable {unit}; rm -r {folder}; systemctl daemon-reload; systemctl stop {unit}"
        )
        start_docker()

    return mend


@scenario(
    "containerd was restarted with a file that is not TOML",
    ("daemon.containerd-config-invalid", DOCKER),
    ("daemon.containerd-down", DOCKER),
    also=("container.*",),
    cured=True,
)
def _no_toml() -> Callable[[], None]:
    sh, docker, wait_for, _ = tools()
    docker("run", "-d", "--name", "web", *SOUND, "bb:1", "sleep", "10000")
    CONTAINERD_FILE.parent.mkdir(exist_ok=True)
    CONTAINERD_FILE.write_text(UNQUOTED)
    sh("systemctl restart containerd", check=False)
    wait_for(lambda: "TOML" in sh("journalctl -u containerd -n 20 --no-pager"), 60, "the refusal")
    assert sh("pgrep -c containerd-shim").strip() == "1"

    def mend() -> None:
        sh(f"rm -f {CONTAINERD_FILE} {CONTAINERD_FILE}.refused; systemctl reset-failed containerd",
           check=False)  # fmt: skip
        start_docker()

    return mend


@scenario(
    "shells have a proxy with a password, and the engine has none",
    ("image.registry-unreachable", DOCKER),
    also=("dns.*", "network.*"),
)
def _proxy_of_shells() -> Callable[[], None]:
    sh, docker, *_ = tools()
    from tests.lab.machine import guest

    Path("/etc/environment").write_text('HTTPS_PROXY="http://ann:made-up@192.0.2.2:3128"\n')
    docker("pull", "shop/nothing:1", check=False)

    def mend() -> None:
        sh(guest.first_fix(guest.diagnose()["report"], "image.registry-unreachable"), timeout=240)
        assert "192.0.2.2:3128" in docker("info", "--format", "{{.HTTPSProxy}}")
        assert "made-up" not in sh("ls -l /etc/docker/proxy.env; systemctl cat docker")
        sh(f"rm -f /etc/docker/proxy.env {DROP_INS}/proxy.conf; systemctl daemon-reload")
        Path("/etc/environment").write_text("")
        start_docker()

    return mend
