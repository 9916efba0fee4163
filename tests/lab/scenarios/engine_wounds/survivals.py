"""Healthy hosts after a restart, with disks and settings that few have."""

from __future__ import annotations

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
