"""Run commands in turn and print what each cost as JSON. A script by itself, started inside the box
without site-packages.

Arguments: a JSON object with `commands` {name: argv}, `rounds`, `dockerd` (its pid), `own` (names
whose last line of output says {"wall", "cpu"} of the part that counts). Output: {name: [{wall, cpu,
dockerd (s), peak (bytes)}]}.
"""

import ctypes
import json
import os
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
TICK = os.sysconf("SC_CLK_TCK")


def spent(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def cost(argv: list[str], dockerd: int, own: bool) -> dict[str, float]:
    """What one run costs, with all its children: those that outlive it are adopted and waited for
    too."""
    reader, writer = os.pipe()
    before, began = spent(dockerd), time.monotonic()
    child = os.fork()
    if not child:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(writer if own else null, 1)
        os.dup2(null, 2)
        os.execvp(argv[0], argv)
    os.close(writer)
    said = b""
    while part := os.read(reader, 65536):
        said += part
    os.close(reader)
    cpu = peak = wall = 0.0
    while True:
        try:
            pid, _, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        if pid == child:
            wall = time.monotonic() - began
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss * 1024)
    found = {"wall": wall, "cpu": cpu, "dockerd": spent(dockerd) - before, "peak": peak}
    return {**found, **json.loads(said.splitlines()[-1])} if own else found


def main() -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    asked = json.loads(sys.argv[1])
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in asked["commands"]}
    for _ in range(asked["rounds"]):
        for name, argv in asked["commands"].items():
            costs[name].append(cost(argv, asked["dockerd"], name in asked["own"]))
    print(json.dumps(costs))


main()
