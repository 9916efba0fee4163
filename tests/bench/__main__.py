"""`python -m tests.bench [-n ROUNDS] [--sizes 10,100,1000] [--network 200] [--engine 28.5]
[--readme]`: build the hosts, print the tables, write the README's section on cost."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from tests.lab.box import PROJECT, Box

from . import cost_section, figures, hosts, tables


def main() -> None:
    options = _options().parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with Box(options.engine) as box:
        hosts.start(box)
        machine = tables.machine(str(box.engine))
        print(machine)
        print(tables.start_up(figures.start_up(box, options.rounds)))
        measured: dict[int, Mapping[str, Sequence[figures.Cost]]] = {}
        for size in sizes:
            _say(f"building {size} containers, {hosts.running_of(size)} of them running")
            hosts.grow(box, size, hosts.running_of(size))
            _say(f"measuring {options.rounds} rounds")
            measured[size] = figures.compare(box, options.rounds)
        print(tables.costs(measured))
        print(tables.ratios(measured))
        if options.readme:
            readme = PROJECT / "README.md"
            text = cost_section.section(machine, measured)
            readme.write_text(cost_section.written(readme.read_text(), text))
        if options.network:
            _say(f"starting {options.network} containers for the evidence about networks")
            hosts.network_host(box, options.network)
            print(tables.network(figures.network(box)))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("-n", "--rounds", type=int, default=5, help="alternating runs of each (5)")
    parser.add_argument(
        "--sizes", default="10,100,1000", help="how many containers, growing (10,100,1000)"
    )
    parser.add_argument(
        "--network",
        type=int,
        default=0,
        help="also: so many running containers more, for the network",
    )
    parser.add_argument(
        "--readme", action="store_true", help="write the README's section on cost; needs all sizes"
    )
    parser.add_argument("--engine", default="distro", help="which of the lab's engines (distro)")
    return parser


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
