"""The figures as Markdown tables, which read well in a terminal and are in the README as they
are."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from .figures import Cost, Network

Costs = Mapping[str, Sequence[Cost]]
MIB = 1 << 20


def machine(engine: str) -> str:
    """A line that says where the figures were taken."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if "model name" in line
        ),
        "",
    )
    memory = next(
        int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")
    )
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores of {model or platform.machine()}, {memory / 1024 / 1024:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, engine {engine}; load average {load:.1f} when it began.\n"
    )


def start_up(found: Costs) -> str:
    """Commands that ask nothing, with their ratio to the bare interpreter."""
    bare = found["python -c pass"]
    rows = [
        [
            name,
            _ms(costs, "wall"),
            _ms(costs, "cpu"),
            _ratio(costs, bare, "wall"),
            _ratio(costs, bare, "cpu"),
        ]
        for name, costs in found.items()
    ]
    return _table(["", "wall", "CPU", "wall, of bare python", "CPU, of bare python"], rows)


def costs(measured: Mapping[int, Costs]) -> str:
    """Medians of each command at each size."""
    rows = [
        [
            str(size),
            name,
            _ms(runs, "wall"),
            _ms(runs, "cpu"),
            _ms(runs, "dockerd"),
            f"{max(run.peak for run in runs) / MIB:.0f} MiB" if name != "its API questions" else "",
        ]
        for size, found in measured.items()
        for name, runs in found.items()
    ]
    return _table(["containers", "", "wall", "CPU", "CPU of dockerd", "peak memory"], rows)


def ratios(measured: Mapping[int, Costs]) -> str:
    """What the runs cost beside each other: the median of the pairs, and the least and the most."""
    rows = []
    for size, found in measured.items():
        tool, api, curl, client = (
            found[name]
            for name in ("diagnose all", "its API questions", "curl --parallel", "docker inspect")
        )
        rest = [
            run.wall - asked.wall - imported.wall
            for run, asked, imported in zip(tool, api, found["imports"], strict=True)
        ]
        rows.append(
            [
                str(size),
                _ratio(api, curl, "wall"),
                _ratio(tool, client, "wall"),
                _ratio(tool, client, "cpu"),
                _ratio(api, curl, "dockerd"),
                f"{median(rest) * 1000:.0f} ms",
                f"{median(run.cpu + run.dockerd for run in tool) / 60:.1%}",
            ]
        )
    head = [
        "containers",
        "API questions : curl",
        "whole run : docker inspect",
        "the same in CPU",
        "dockerd for us : for curl",
        "run - questions - imports",
        "of one core, a run a minute",
    ]
    return _table(head, rows)


def network(found: Network) -> str:
    """What the evidence about networks took."""
    return (
        f"{found.running} running containers: {found.visits} network namespaces visited, {found.visited_s:.2f} s in all, "
        f"in a run of {found.wall:.2f} s ({found.cpu:.2f} s of CPU).\n"
    )


def _ms(runs: Sequence[Cost], name: str) -> str:
    return f"{median(getattr(run, name) for run in runs) * 1000:.0f} ms"


def _ratio(runs: Sequence[Cost], others: Sequence[Cost], name: str) -> str:
    """Pair by pair, since the machine's load changes from one minute to the next."""
    read: Callable[[Cost], float] = lambda run: float(getattr(run, name))  # noqa: E731
    pairs = sorted(
        read(one) / read(other) for one, other in zip(runs, others, strict=True) if read(other)
    )
    return f"{median(pairs):.2f} ({pairs[0]:.2f} to {pairs[-1]:.2f})" if pairs else "-"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (head, ["-" * width for width in widths], *rows)
    ]
    return "\n".join(lines) + "\n"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
