"""Engines that run, and want attention."""

from __future__ import annotations

import datetime
import json

from tests.lab import Box, fault
from tests.lab.runner import healthy_container
from tests.lab.scenarios.daemon_told.helpers import DAEMON


@fault("daemon.live-restore-off", subject=DAEMON)
def no_live_restore(box: Box) -> None:
    """A container runs, and would not outlive the engine."""
    assert box.api("/info")["LiveRestoreEnabled"] is False


@fault("daemon.engine-outdated", subject=DAEMON)
def upgraded_and_not_restarted(box: Box) -> None:
    """The engine's program was replaced under it."""
    program = box.sh("readlink -f $(command -v dockerd)").strip()
    box.sh(f"cp {program} {program}.new; mv {program}.new {program}")
    assert box.sh(f"readlink /proc/{box.engine_pid}/exe").strip() == f"{program} (deleted)"


@fault(
    "daemon.clock-skewed",
    subject="host:host",
    also=["container.*"],
    exit_code=1,
    first_command=("heals", "it sets the clock; a box shares the machine's"),
)
def clock_was_ahead(box: Box) -> None:
    """A container was made while the clock was two hours ahead."""
    box.stop_engine()
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2)
    path = box.sh("ls /var/lib/docker/containers/*/config.v2.json").strip()
    own = json.loads(box.read(path))
    box.write(path, json.dumps({**own, "Created": later.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")}))
    box.start_engine()
    box.docker("start", "web")
    healthy_container(box, "other", 8090)


@fault("daemon.data-root-covered", subject=DAEMON, baseline=False)
def disk_mounted_over_the_data_root(box: Box) -> None:
    """The disk of the data root is mounted after the engine has begun without it."""
    options = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
    box.docker("run", "-d", "--name=early", *options, "bb:1.36", "sleep", "1000")
    box.docker("create", "--name=late", *options, "bb:1.36", "sleep", "1000")
    box.sh("truncate -s 40M /root/late; mkfs.ext4 -q /root/late")
    box.sh("mount -o loop /root/late /var/lib/docker")
    said = box.docker("start", "late", check=False).stderr
    assert "no such file or directory" in said, said
