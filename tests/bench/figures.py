"""What the tool, curl and the Go client cost on one host, in alternating runs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagnose.live.engine import api
from diagnose.questions import RecordedQuestion
from diagnose.questions.question import policies, typed
from tests.lab.box import PROJECT, Box

HERE = Path(__file__).parent
QUESTIONS, URLS = "/tmp/questions", "/tmp/urls"
TOOL = [sys.executable, "-m", "diagnose"]
BYTECODE = ["--unset=PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX=/tmp/bytecode"]
"""An installed package has bytecode; a checkout that is mounted read-only gets its bytecode
elsewhere."""
GO = "docker ps -aq | xargs docker inspect >/dev/null"
LOAD = """
import gc
gc.disable()
import diagnose.cli, diagnose.live, diagnose.session, diagnose.render.formats.json, diagnose.registry
diagnose.registry.load()
"""
"""What a run of `diagnose all` imports; a collector is imported when it is first needed."""


@dataclass(frozen=True)
class Cost:
    """One run: wall and processor time (with its children), what dockerd spent meanwhile (s), peak
    memory (bytes)."""

    wall: float
    cpu: float
    dockerd: float
    peak: float


@dataclass(frozen=True)
class Network:
    """One run of the network checks. seconds: from the first visit to a namespace to the last, as
    the report's timings sum up."""

    running: int
    visits: int
    visited_s: float
    wall: float
    cpu: float


def compare(box: Box, rounds: int) -> Mapping[str, Sequence[Cost]]:
    """The tool, the part of it that asks the API, curl over the same paths, the Go client, and
    Python's imports alone."""
    keys = [
        row["question"]
        for row in box.diagnose("all", "--format", "json", "--timings").report["timings"]
    ]
    asked = [key for key in keys if policies()[key.partition(" ")[0]].collector == "engine.api:get"]
    box.write(QUESTIONS, "".join(f"{key}\n" for key in asked))
    major, minor = (int(part) for part in box.api("/version")["ApiVersion"].split("."))
    paths = [f"/v{major}.{minor}{path}" for path in _paths(asked, (major, minor))]
    box.write(URLS, "".join(f'url = "http://d{path}"\noutput = /dev/null\n' for path in paths))
    commands = {
        "diagnose all": [*TOOL, "all", "--format", "json"],
        "its API questions": [sys.executable, "-m", "tests.bench.gather", QUESTIONS],
        "curl --parallel": [
            "curl",
            "-s",
            "--unix-socket",
            "/run/docker.sock",
            "-Z",
            "--parallel-max",
            "4",
            "-K",
            URLS,
        ],
        "docker inspect": ["sh", "-c", GO],
        "imports": [sys.executable, "-c", LOAD],
    }
    return _alternate(box, commands, rounds, own=["its API questions"])


def start_up(box: Box, rounds: int) -> Mapping[str, Sequence[Cost]]:
    """The commands that ask nothing, beside the bare interpreter."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "diagnose --version": [*TOOL, "--version"],
        "diagnose --help": [*TOOL, "--help"],
    }
    return _alternate(box, commands, rounds * 3)


def network(box: Box) -> Network:
    """One run of the checks that look into the containers' network namespaces."""
    cost = _alternate(box, {"network": [*TOOL, "check", "network", "dns", "firewall"]}, 1)[
        "network"
    ][0]
    report = box.diagnose(
        "check", "network", "dns", "firewall", "--format", "json", "--timings"
    ).report
    visits = [
        row["duration_s"] for row in report["timings"] if row["question"].startswith("netns ")
    ]
    return Network(len(box.api("/containers/json")), len(visits), sum(visits), cost.wall, cost.cpu)


def _alternate(
    box: Box, commands: Mapping[str, Sequence[str]], rounds: int, own: Sequence[str] = ()
) -> Mapping[str, Sequence[Cost]]:
    """Run each command in turn. The first round, in which Python writes bytecode as an installation
    does, does not count."""
    order = {"commands": commands, "rounds": rounds + 1, "dockerd": box.engine_pid, "own": own}
    script = [
        "env",
        *BYTECODE,
        sys.executable,
        "-I",
        "-S",
        str(HERE / "inside.py"),
        json.dumps(order),
    ]
    output = box.run(script, timeout=(rounds + 1) * len(commands) * 60, cwd=str(PROJECT)).stdout
    return {
        name: [Cost(**cost) for cost in costs[1:]] for name, costs in json.loads(output).items()
    }


def _paths(keys: Iterable[str], version: tuple[int, int]) -> Iterable[str]:
    """The request of each question, as the tool sends it; the last day's events are those of
    now."""
    for key in keys:
        kind, _, arguments = key.partition(" ")
        if kind == "api.events":
            now = time.time()
            yield f"/events?since={now - 86400:.0f}&until={now:.0f}"
        else:
            yield api.target_of(typed(RecordedQuestion(kind, arguments or "{}")), version, 0.0)
