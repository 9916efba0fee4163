"""Healthy hosts after a restart, with disks and settings that few have."""

from __future__ import annotations

import json
import time

from tests.lab import Box, healthy

# -- healthy engines that look unusual ----------------------------------------


@healthy(config={"live-restore": True})
def live_restore_over_a_restart(box: Box) -> None:
    """The engine was killed and started again; its container lived on meanwhile."""
    pid = box.inspect("web")["State"]["Pid"]
    box.kill(box.engine_pid)
    box.wait_for(lambda: not box.pids_of("dockerd"), what="dockerd to end")
    box.start_engine()
    assert box.inspect("web")["State"]["Pid"] == pid


@healthy(config={"live-restore": True})
def live_restore_before_the_next_probe(box: Box) -> None:
    """A container of two days is probed each half hour, and its engine was restarted a moment ago:
    it has forgotten the probes, and begins again."""
    box.docker(
        "run", "-d", "--name=slowly", "--health-cmd=true", "--health-interval=30m", "shop:1.4"
    )
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2 * 86400))
    inspected = box.inspect("slowly")
    file = f"/var/lib/docker/containers/{inspected['Id']}/config.v2.json"
    box.kill(box.engine_pid)
    box.wait_for(lambda: not box.pids_of("dockerd"), what="dockerd to end")
    settings = json.loads(box.read(file))
    settings["State"]["StartedAt"] = started
    box.write(file, settings)
    box.start_engine()
    state = box.inspect("slowly")["State"]
    assert (state["Pid"], state["StartedAt"]) == (inspected["State"]["Pid"], started)
    assert state["Health"]["Status"] == "starting"
    assert not state["Health"]["Log"]
