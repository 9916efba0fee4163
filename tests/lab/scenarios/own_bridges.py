"""Bridges that another program than the engine has made, and that the engine was given."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import WEB

CHECK = "network.bridge-keeps-waiting"
_CALLS_AT_ONCE = f"nc -w 2 {WEB} 80 </dev/null && exec sleep 1000; echo 'web: timed out'; exit 1"


def _start_on(box: Box, *settings: str) -> None:
    """The engine with containers on a bridge of the administrator's."""
    box.sh(
        f"ip link add br0 type bridge {' '.join(settings)}; ip addr add 10.44.0.1/24 dev br0; "
        "ip link set br0 up"
    )
    box.start_engine(config={"bridge": "br0"})


def _job(box: Box, name: str) -> None:
    """A program that needs another machine at its start, and ends without it."""
    box.docker(
        "run", "-d", f"--name={name}", "--restart=always", "bb:1.36", "sh", "-c", _CALLS_AT_ONCE
    )


@fault(
    CHECK,
    subject="network:bridge",
    also=["container.restart-loop", "dns.*", "network.*"],
    engine_started=False,
)
def bridge_with_spanning_tree(box: Box) -> None:
    """The bridge looks for loops: each start of a container makes a port that waits for 30 s."""
    _start_on(box, "stp_state 1")
    _job(box, "job81")
    box.wait_for(lambda: box.inspect("job81")["RestartCount"] >= 3, 60, "a loop of restarts")


@healthy(engine_started=False)
def bridge_without_spanning_tree(box: Box) -> None:
    """The same bridge without the protocol: the program finds its server at once."""
    _start_on(box, "stp_state 0")
    _job(box, "job82")
    box.sh("sleep 3")
    assert box.inspect("job82")["RestartCount"] == 0


@healthy(engine_started=False)
def bridge_with_a_short_delay(box: Box) -> None:
    """The protocol with the least delay that it allows; the program started long before."""
    _start_on(box, "stp_state 1 forward_delay 200")
    box.docker("run", "-d", "--name=job83", "bb:1.36", "sleep", "1000")
    box.wait_for(lambda: "state forwarding" in box.sh("bridge link"), what="the port")
