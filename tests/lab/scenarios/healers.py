"""Programs that restart what is unhealthy, and containers that need longer for their start."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load

CHECK = "container.restarted-unhealthy"
_SAFE = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
_SLOW = b"""#!/bin/sh
rm -f /ready
echo "INFO  running migrations (412 pending)"
sleep ${STARTS_FOR:-40}
echo "INFO  ready"
touch /ready
exec sleep 1000
"""
_PROBE = ("--health-cmd=test -e /ready", "--health-interval=1s", "--health-retries=2")
_HEALER = """
while :; do
    for name in $(docker ps --filter health=unhealthy --filter label=autoheal=true --format '{{.Names}}'); do
        echo "$(date '+%d-%m-%Y %H:%M:%S') Container /$name found to be unhealthy - Restarting container now with 1s timeout"
        docker restart --time 1 $name >/dev/null
    done
    sleep 1
done
"""


def _app(box: Box, name: str, *options: str) -> None:
    """A program that is slow to start, which has the label of the healer."""
    load(box, "shop/app:3", Recipe({"start.sh": (_SLOW, 0o755)}, ('ENTRYPOINT ["/start.sh"]',)))
    box.docker(
        "run",
        "-d",
        f"--name={name}",
        *_SAFE,
        "--label=autoheal=true",
        *_PROBE,
        *options,
        "shop/app:3",
    )


def _restarts(box: Box, name: str) -> int:
    command = f"timeout 5 docker events --since 5m --until 0s --filter container={name} --filter event=restart"
    return len(box.sh(f"{command} || true").splitlines())


@fault(
    CHECK,
    subject="container:app81",
    also=["container.unhealthy", "container.stopped", "container.errors-in-log"],
)
def restarted_before_its_start_is_done(box: Box) -> None:
    """A program on the host restarts what is unhealthy, and the container never becomes healthy."""
    _app(box, "app81")
    box.spawn(["sh", "-c", _HEALER], log="/var/log/healer.log")
    box.wait_for(lambda: _restarts(box, "app81") >= 4, 90, "its restarts")
    assert box.inspect("app81")["RestartCount"] == 0


@healthy()
def start_period_for_a_slow_start(box: Box) -> None:
    """The same with a start period, and a program that needed one restart."""
    _app(box, "app82", "--health-start-period=120s", "--env=STARTS_FOR=5")
    _app(box, "app83", "--env=STARTS_FOR=1")
    box.wait_health("app83", "healthy")
    box.docker("restart", "--time=0", "app83")
    box.spawn(["sh", "-c", _HEALER], log="/var/log/healer.log")
    for name in ("app82", "app83"):
        box.wait_health(name, "healthy")
