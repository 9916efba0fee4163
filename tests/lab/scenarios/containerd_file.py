"""The configuration file of a containerd that the system starts."""

from __future__ import annotations

import signal

from tests.lab import Box, fault, healthy
from tests.lab.runner import PATIENT
from tests.lab.scenarios.daemon import with_system_containerd

DAEMON = "daemon:docker"
FILE = "/etc/containerd/config.toml"
LOG = "/var/log/containerd.log"
UNQUOTED = """version = 2
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = /etc/containerd/certs.d
"""
OF_DOCKER = 'disabled_plugins = ["cri"]\n'
"""All that the file of Docker's own package says."""


def _restart_containerd(box: Box, pid: int) -> int:
    """As `systemctl restart containerd` does it; the new pid."""
    box.kill(pid, signal.SIGTERM)
    box.wait_for(lambda: not box.alive(pid), what="containerd to end")
    return box.spawn(["containerd"], log=LOG)


@fault(
    "daemon.containerd-config-invalid",
    subject=DAEMON,
    expect=[("daemon.containerd-down", DAEMON)],
    also=["container.*"],
    engine_started=False,
    args=PATIENT,
    baseline=False,
    exit_code=2,
)
def containerd_restarted_with_a_file_that_is_no_toml(box: Box) -> None:
    """A mirror was added to containerd's file without quotes, and containerd was restarted."""
    pid = with_system_containerd(box)
    box.write(FILE, UNQUOTED)
    again = _restart_containerd(box, pid)
    box.wait_for(lambda: not box.alive(again), what="containerd to give up")
    assert "TOML" in box.read(LOG).splitlines()[-1]
    (finding,) = box.diagnose(
        "check", "daemon.containerd-config-invalid", "--format", "json"
    ).findings
    assert f"{FILE}: line 3" in finding["summary"], finding


@fault(
    "daemon.containerd-config-invalid",
    subject=DAEMON,
    engine_started=False,
    args=PATIENT,
    baseline=False,
    exit_code=1,
)
def containerd_whose_next_start_will_fail(box: Box) -> None:
    """The same file, and containerd has not been restarted since."""
    with_system_containerd(box)
    box.write(FILE, UNQUOTED)
    refused = box.run(["containerd", "config", "dump"], check=False)
    assert "TOML" in refused.stderr, refused


@healthy(engine_started=False, args=PATIENT, baseline=False)
def containerd_with_the_file_of_dockers_package(box: Box) -> None:
    """containerd was restarted with the file that comes with Docker."""
    pid = with_system_containerd(box)
    box.write(FILE, OF_DOCKER)
    _restart_containerd(box, pid)
    box.wait_for(
        lambda: "successfully booted" in box.read(LOG).rpartition("starting")[2], what="it"
    )
    box.docker("run", "--rm", "bb:1.36", "true", timeout=30)
