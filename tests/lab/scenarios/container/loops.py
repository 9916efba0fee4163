"""Containers that fail, are restarted, and fail again; services of swarm that are replaced."""

from __future__ import annotations

import json
from urllib.parse import quote

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.container.helpers import GOOD, LAX, run


@fault("container.restart-loop", subject="container:loop", shareable=True)
def fails_over_and_over(box: Box) -> None:
    """A container that fails at once is restarted without end."""
    script = (
        "[ -e /etc/app/db.url ] && exec sleep 1000; echo 'config: no such key: db.url' >&2; exit 3"
    )
    run(
        box, "loop", "--restart=always", *GOOD, "-v=/srv/loop:/etc/app", "bb:1.36", "sh", "-c",
        script,
    )  # fmt: skip
    box.wait_for(lambda: box.inspect("loop")["RestartCount"] >= 4, what="four restarts")


@fault("container.restart-loop", subject="container:store83", also=["container.errors-in-log"])
def alias_of_a_container_that_keeps_failing(box: Box) -> None:
    """A program calls a neighbour that keeps failing, by an alias, which resolves for moments."""
    box.docker("network", "create", "shop83")
    beside = ["--network=shop83", *GOOD]
    ends = ["sh", "-c", "echo 'no such key: db.url' >&2; exit 3"]
    run(box, "store83", "--restart=always", "--network-alias=ledger", *beside, "bb:1.36", *ends)
    words = 'could not translate host name \\"ledger\\" to address: Name or service not known'
    calls = ["sh", "-c", f'while sleep 1; do echo "{words}"; done']
    run(box, "caller83", *beside, "bb:1.36", *calls)
    box.wait_for(lambda: box.inspect("store83")["RestartCount"] >= 4, what="restarts")

    def is_linked() -> bool:
        found = box.diagnose("all", "--format", "json").findings
        errors = [finding for finding in found if finding["id"] == "container.errors-in-log"]
        return bool(errors) and any(
            cause["subject"]["name"] == "store83"
            for error in errors
            for cause in error["caused_by"]
        )

    box.wait_for(is_linked, what="the caller's line to be explained")


@fault("container.restart-loop", subject="container:ticker", shareable=True)
def succeeds_over_and_over(box: Box) -> None:
    """A job that ends with exit code 0 under a policy that starts it again."""
    run(box, "ticker", "--restart=always", *GOOD, "bb:1.36", "true")
    box.wait_for(lambda: box.inspect("ticker")["RestartCount"] >= 4, what="four restarts")


@fault(
    "container.restart-loop",
    subject="container:api.1.*",
    also=["swarm.*", "image.registry-unreachable"],
    baseline=False,
)
def swarm_task_replaced_over_and_over(box: Box) -> None:
    """The task of a swarm service fails at once; swarm makes a new container each time, so no count
    rises."""
    box.image("bb:1.36")
    box.docker("swarm", "init", f"--advertise-addr={BOX_ADDRESS}")
    options = ["--detach", "--no-resolve-image", "--restart-delay=100ms", "--limit-memory=64m"]
    fails = ["sh", "-c", "echo 'no such table: orders' >&2; exit 3"]
    box.docker("service", "create", "--name=api", *options, "bb:1.36", *fails)
    box.wait_for(
        lambda: len(box.api("/containers/json?all=1")) >= 4, what="four containers of the task"
    )
    assert all(
        box.inspect(container["Id"])["RestartCount"] == 0
        for container in box.api("/containers/json?all=1")
    )
    found = box.diagnose("check", "container.restart-loop", "--format", "json").findings[0]
    (held,) = found["fix"]
    assert held["command"] == "docker service scale --detach api=0", (
        "an update of the task would change nothing"
    )
    box.sh(held["command"])
    box.wait_for(lambda: not box.api("/containers/json"), what="the service to be held")
    box.docker("service", "scale", "--detach", "api=1")
    box.wait_for(
        lambda: len(box.api("/containers/json?all=1")) >= 4,
        what="four containers of the task again",
    )


@healthy(baseline=False)
def swarm_service_updated_over_and_over(box: Box) -> None:
    """Three updates within a minute: swarm ends each task with SIGTERM, which the program answers
    with 143.

    It asks for the image each time, which no registry gives here; nothing keeps failing.
    """
    box.image("bb:1.36")
    box.docker("swarm", "init", f"--advertise-addr={BOX_ADDRESS}")
    serves = ["sh", "-c", "trap 'exit 143' TERM; sleep 100000 & wait"]
    box.docker(
        "service", "create", "--detach", "--name=web", "--no-resolve-image", "bb:1.36", *serves
    )
    for updates in range(1, 4):
        _serves_with(box, "web", ended=updates - 1)
        box.docker("service", "update", "--detach", "--force", "--no-resolve-image", "web")
    _serves_with(box, "web", ended=3)


def _serves_with(box: Box, service: str, *, ended: int) -> None:
    """Wait until one task of a service runs, after so many that were replaced."""
    filters = json.dumps({"label": [f"com.docker.swarm.service.name={service}"]})

    def settled() -> bool:
        states = [
            container["State"]
            for container in box.api(f"/containers/json?all=1&filters={quote(filters)}")
        ]
        return states.count("running") == 1 and states.count("exited") == ended

    box.wait_for(settled, what=f"{service} to run after {ended} updates")


@fault("container.restarts-exhausted", subject="container:given-up", shareable=True)
def given_up(box: Box) -> None:
    """A container has failed as often as its policy allows; now its cause is gone, and a start
    would do."""
    script = "echo x >>/tmp/n; [ $(wc -l </tmp/n) -ge 4 ] && exec sleep 1000; echo 'no licence file'; exit 4"
    run(box, "given-up", "--restart=on-failure:2", *LAX, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: box.inspect("given-up")["RestartCount"] == 2, what="two restarts")
    assert box.wait_state("given-up", "exited")["State"]["ExitCode"] == 4


@fault("container.exits-at-start", subject="container:early", shareable=True)
def exits_at_once(box: Box) -> None:
    """A program ends with an error as soon as it is started; the second start would succeed."""
    script = "[ -e /tmp/n ] && exec sleep 1000; touch /tmp/n; echo 'listen: bad address in config' >&2; exit 1"
    run(box, "early", *LAX, "bb:1.36", "sh", "-c", script)
    assert box.wait_state("early", "exited")["State"]["ExitCode"] == 1
