"""A Docker host in a box: real engines on a real kernel, broken for real, without a trace on the
machine.

    with Box("28.5") as box:
        box.start_engine()
        box.docker("run", "-d", "--name", "web", "-p", "8080:8080", "shop:1.4")
        box.provider.curl("http://192.0.2.10:8080/")

Needs root and the packages of `.ci/lab-install`; the newer engines are downloaded once and cached
(`engines.py`). The box is a set of namespaces over a throw-away copy of the machine's root
(`init.sh`), with a data root of its own, its own cgroups and an uplink to a provider with a
resolver and a web server (`provider.py`). Shared with the machine: the kernel log, the clock, the
sysctls outside net.*, the devices. The box ends with the process that made it, however that ends;
`python -m tests.lab` removes the empty cgroups that a killed run leaves.

`test_lab.py` runs each scenario. The rooms: `cures/` follows the pages, `agreement/` holds the walk
of packets against real ones, `subcommands/` has what each command does, `places/` where and as whom
the tool runs, `machine/` a whole machine with systemd.

Adding a fault: one function in a module of `scenarios/`, see `faults.py`. Run: `pytest tests/lab -n
2`, one engine by `--engine 28.5`, some faults by `-k oom`. With $DIAGNOSE_RECORD=DIR the recorded
hosts are kept as fixtures.
"""

from .box import Box, Run
from .engines import Engine
from .faults import ALL, Engines, fault, healthy

__all__ = ["ALL", "Box", "Engine", "Engines", "Run", "fault", "healthy"]
