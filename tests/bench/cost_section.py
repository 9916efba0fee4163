"""The README's section on cost, as the last measurement has it."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Mapping, Sequence
from statistics import median

from diagnose import registry

from . import tables
from .figures import Cost

Measured = Mapping[int, Mapping[str, Sequence[Cost]]]
SECTION = re.compile(r"(?<=^## Cost\n\n).*?(?=^## )", re.DOTALL | re.MULTILINE)
WIDTH = 100
TOOL, IMPORTS = "diagnose all", "imports"


def section(machine: str, measured: Measured) -> str:
    """The text below the section's heading. machine: the line that says where it was measured."""
    shown = {
        size: {name: runs for name, runs in found.items() if name != IMPORTS}
        for size, found in measured.items()
    }
    rounds = min(len(found[TOOL]) for found in measured.values())
    imports = sorted(
        1000 * median(run.cpu for run in found[IMPORTS]) for found in measured.values()
    )
    taken = time.strftime("%Y-%m-%d", time.gmtime())
    head = (
        f"Medians of {rounds} alternating runs of {len(registry.load())} checks on {taken}: "
        f"{machine.strip()}"
    )
    how = "`python -m tests.bench --readme` measures and writes this in the lab."
    tail = (
        f"Of each run {imports[0]:.0f} to {imports[-1]:.0f} ms are Python's imports. A run every "
        f"minute costs {_shares(measured)}. A longer run waits for something: a silent DNS server "
        "gets 1.6 s."
    )
    first = f"{textwrap.fill(head, WIDTH)}\n{how}"
    return f"{first}\n\n{tables.costs(shown)}\n{textwrap.fill(tail, WIDTH)}\n\n"


def written(readme: str, text: str) -> str:
    """The README with this section on cost. ValueError where it has none."""
    new, number = SECTION.subn(lambda _: text, readme)
    if number != 1:
        raise ValueError("the README has no section on cost")
    return new


def _shares(measured: Measured) -> str:
    """Of one core, at each size."""
    shares = {
        size: median(run.cpu + run.dockerd for run in found[TOOL]) / 60
        for size, found in measured.items()
    }
    first, *others = [f"{share:.1%} at {size:,}" for size, share in shares.items()]
    first = first.replace("% at", "% of one core at") + " containers"
    return ", ".join([first, *others])
