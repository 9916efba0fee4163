"""Whether what the tool calls a cause is one: two faults on one host, one of them cured, and a
second look.

    python -m tests.lab.cures.truth record DIR [--seed N] [--pairs 150] [--minutes M]
    python -m tests.lab.cures.truth judge DIR

`record` takes the incidents, then pairs of faults of two families; it builds each host on a real
engine and keeps what the tool recorded before and after the cure. `judge` needs no engine: it
judges the recordings again.

The truth is what was broken: the finding that a scenario is declared by is a root, unless `EFFECTS`
says of which fault it is an effect. What vanishes with the cured fault was its effect; what stays
was not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tests.lab.cures.cured_hosts import PAIRS_ON, pairs, record_incident, record_pair
from tests.lab.cures.judged_hosts import Figures, judge
from tests.lab.engines import discover as discover_engines
from tests.lab.engines import find
from tests.lab.faults import discover as discover_scenarios
from tests.lab.incident import discover as discover_incidents

SEED = 20261126


LONGEST_S = 300


def _record(into: Path, seed: int, number: int, minutes: float) -> None:
    """Each host in a process of its own: what hangs is ended, and counted as not built."""
    engine = find(PAIRS_ON)
    print(f"seed {seed}, engine {engine.version}", flush=True)
    jobs = [f"{cured.name}+{other.name}" for cured, other in pairs(seed, number, engine)]
    jobs = [*discover_incidents(), *jobs]
    end = time.monotonic() + minutes * 60
    for number, job in enumerate(jobs, 1):
        if time.monotonic() > end:
            print(f"the {minutes:g} minutes are over after {number - 1} of {len(jobs)} hosts")
            break
        if (into / job).exists():
            continue
        began = time.monotonic()
        command = [sys.executable, "-m", "tests.lab.cures.truth", "one", str(into), job]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LONGEST_S, check=False
            )
            if done.returncode == 0:
                said = "recorded"
            else:
                said = f"not recorded: {done.stderr.strip()[-300:]}"
        except subprocess.TimeoutExpired:
            said = f"not recorded: more than {LONGEST_S} s"
        print(f"{number}/{len(jobs)} {job}: {said}, {time.monotonic() - began:.0f} s", flush=True)


def _one(into: Path, job: str) -> None:
    scenarios = discover_scenarios()
    first, _, second = job.partition("+")
    if second:
        record_pair(scenarios[first], scenarios[second], find(PAIRS_ON), into / job)
    else:
        record_incident(discover_incidents()[job], discover_engines()[0][0], into / job)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=("record", "judge", "one"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("job", nargs="?", default="")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--pairs", type=int, default=150)
    parser.add_argument("--minutes", type=float, default=180)
    given = parser.parse_args()
    if given.command == "one":
        _one(given.folder, given.job)
    elif given.command == "record":
        _record(given.folder.resolve(), given.seed, given.pairs, given.minutes)
    else:
        figures = Figures()
        for folder in sorted(given.folder.iterdir()):
            if (folder / "truth.json").is_file():
                judge(folder, figures)
        print("\n".join(figures.lines()))


if __name__ == "__main__":
    main()
