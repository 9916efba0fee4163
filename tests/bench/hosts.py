"""Hosts of many containers in a lab box, grown in place: most were only created, some have ended,
the rest run."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.lab.box import Box
from tests.lab.commands import UnixConnection
from tests.lab.runner import BASE_CONFIG

NETWORK = "shop_default"
MOST_RUNNING = 60
OLDER_S = 0.2
"""Seconds by which the engine's configuration is older than its process: on most hosts it is days.
"""
ENDED_SHARE = 5
"""Of the containers that do not run one in so many has run and ended; the others were only created.
"""


def start(box: Box, *, debug: bool = False) -> None:
    """Start the engine with the settings of a healthy host, an image, and a network of the user's
    own.

    debug: it logs each request.
    """
    box.write("/etc/docker/daemon.json", {**BASE_CONFIG, **({"debug": True} if debug else {})})
    time.sleep(OLDER_S)
    box.start_engine()
    box.image("shop:1.4")
    box.api("/networks/create", method="POST", body={"Name": NETWORK})


def grow(box: Box, size: int, running: int) -> None:
    """Create containers until there are `size`, of which `running` run and a fifth of the others
    has ended."""
    have = box.api("/containers/json?all=1")
    count = {
        state: sum(row["State"] == state for row in have)
        for state in ("running", "exited", "created")
    }
    to_run = running - count["running"]
    to_end = (size - running) // ENDED_SHARE - count["exited"]
    to_create = size - len(have) - to_run - to_end
    plan = ["run"] * to_run + ["end"] * to_end + ["create"] * max(0, to_create)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda job: _make(box, *job), enumerate(plan, start=len(have))))
    box.wait_for(lambda: len(box.api("/containers/json")) == running, 60, "the short ones to end")


def running_of(size: int) -> int:
    """How many of so many containers run: two of five, but never more than a small machine
    carries."""
    return min(size * 2 // 5, MOST_RUNNING)


def network_host(box: Box, running: int) -> None:
    """`running` small containers that do nothing, on networks of 100 each, for the evidence about
    networks."""
    have = {row["Name"] for row in box.api("/networks")}
    for at in range(0, running, 100):
        if f"wide_{at}" not in have:
            box.api("/networks/create", method="POST", body={"Name": f"wide_{at}"})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda at: _sleeper(box, at), range(running)))


def _sleeper(box: Box, at: int) -> None:
    body = {
        "Image": "shop:1.4",
        "Cmd": ["sleep", "100000"],
        "HostConfig": {
            "NetworkMode": f"wide_{at - at % 100}",
            "Memory": 32 << 20,
            "PidsLimit": 16,
            "ReadonlyRootfs": True,
        },
    }
    made = _post(box, f"/containers/create?name=wide-{at:03d}", body)
    _post(box, f"/containers/{made['Id']}/start", {})


def _make(box: Box, at: int, then: str) -> None:
    made = _post(
        box,
        f"/containers/create?name=shop-{at:04d}",
        _body(at, ["true"] if then == "end" else None),
    )
    if then != "create":
        _post(box, f"/containers/{made['Id']}/start", {})


def _body(at: int, command: Sequence[str] | None) -> Mapping[str, Any]:
    """A container as compose makes them: labels, a dozen variables, limits, a volume, a health
    check where it runs."""
    service = f"svc{at % 40}"
    return {
        "Image": "shop:1.4",
        **({"Cmd": command} if command else {}),
        "Env": [
            f"SERVICE_NAME={service}",
            "LOG_LEVEL=info",
            "TZ=UTC",
            f"DATABASE_URL=postgres://shop:pw{at:04d}made-up@db:5432/shop",
            f"API_TOKEN=made-up-{at:04d}-3f9a1c77b2e4",
            "JAVA_OPTS=-Xmx64m -XX:+UseG1GC",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4317",
            "REDIS_HOST=cache",
            f"NODE={at}",
        ],
        "Labels": {
            "com.docker.compose.project": f"shop{at // 200}",
            "com.docker.compose.service": service,
            "com.docker.compose.container-number": "1",
            "com.docker.compose.config-hash": f"{at:064x}",
            "com.docker.compose.oneoff": "False",
            "com.docker.compose.project.working_dir": "/srv/shop",
            "com.docker.compose.version": "2.24.5",
        },
        "StopTimeout": 0,
        "HostConfig": {
            "NetworkMode": NETWORK,
            "Memory": 64 << 20,
            "MemorySwap": 64 << 20,
            "NanoCpus": 500_000_000,
            "PidsLimit": 64,
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "RestartPolicy": {"Name": "no" if command else "unless-stopped"},
            "Binds": [f"data{at % 20}:/data"],
        },
        "NetworkingConfig": {"EndpointsConfig": {NETWORK: {"Aliases": [service]}}},
    }


def _post(box: Box, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    connection = UnixConnection(str(box.path("/run/docker.sock")), 60)
    try:
        connection.request(
            "POST", path, body=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        said = response.read()
        assert response.status < 400, (
            f"POST {path}: {response.status} {said.decode(errors='replace').strip()}"
        )
        answer = json.loads(said) if said else {}
        assert isinstance(answer, dict)
        return answer
    finally:
        connection.close()
