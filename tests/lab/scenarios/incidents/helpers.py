"""What several of these scenarios use."""

from __future__ import annotations

from functools import partial

from tests.lab import Box
from tests.lab.provider import SILENT

ROOT = "/var/lib/docker"
DISK = f"filesystem:{ROOT}"
LIMITS = ("--memory=64m", "--pids-limit=64")
LOOP = "container.restart-loop"
EXITS = "container.exits-at-start"
SICK = "container.unhealthy"
DNS = "dns.upstream-unreachable"
ASK = "nslookup -type=a -timeout=1 -retry=1 www.lab.test"
STORE = 'said=$(fallocate -l 50M /data/batch 2>&1); code=$?; rm -f /data/batch; echo "$said" >&2; exit $code'
"""Takes 50 MB for a moment. What it took is given back before it speaks."""


def service(box: Box, name: str, script: str, *options: str) -> None:
    """A program under a policy that starts it again. It keeps running once its script
    succeeds."""
    lasting = f"({script}) && exec sleep 1000"
    box.docker(
        "run", "-d", f"--name={name}", "--restart=always", *LIMITS, *options, "bb:1.36", "sh",
        "-c", lasting,
    )  # fmt: skip


def job(box: Box, name: str, script: str, *options: str) -> None:
    """A program that is started once, in the background."""
    box.docker("run", "-d", f"--name={name}", *LIMITS, *options, "bb:1.36", "sh", "-c", script)


def probed(
    box: Box, name: str, probe: str, *options: str, script: str = "while :; do sleep 1; done"
) -> None:
    """A program with a health check that one failure is enough for."""
    health = (f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=1")
    box.docker(
        "run", "-d", f"--name={name}", *LIMITS, *health, *options, "bb:1.36", "sh", "-c", script
    )


def wait_loops(box: Box, *names: str, times: int = 4) -> None:
    for name in names:
        box.wait_for(partial(_has_looped, box, name, times), what=f"{name} to loop")


def _has_looped(box: Box, name: str, times: int) -> bool:
    return bool(box.inspect(name)["RestartCount"] >= times)


def wait_exits(box: Box, *names: str) -> None:
    for name in names:
        assert box.wait_state(name, "exited")["State"]["ExitCode"] != 0


def wait_sick(box: Box, *names: str) -> None:
    for name in names:
        box.wait_health(name, "unhealthy")


def keep_for_root(box: Box) -> None:
    """Give root the five percent of the disk that mkfs.ext4 gives it by itself: the engine starts
    and restarts containers at the moment when another one has taken all that a user can have.
    """
    box.run(["tune2fs", "-m", "5", box.run(["findmnt", "-no", "SOURCE", ROOT]).stdout.strip()])


def store(box: Box, name: str) -> tuple[str, ...]:
    """A volume that a user may write to, as the options of a container that runs as one (`nocopy`,
    or Docker gives it the mode of the image's folder)."""
    box.docker("volume", "create", name)
    box.run(["chmod", "1777", f"{ROOT}/volumes/{name}/_data"])
    return "--user=1000:1000", "-v", f"{name}:/data:nocopy"


def all_of(kind: str, *names: str) -> list[tuple[str, str]]:
    """These containers, each with the same check."""
    return [(kind, f"container:{name}") for name in names]


# -- bystanders: on the same disk, the same network, with words of their own
# ----------------------------------------


MISLED = (LOOP, "container:misled")
STRANGER = ("container.entrypoint-missing", "container:stranger")
GRUMPY = (SICK, "container:grumpy")
FORGETFUL = (EXITS, "container:forgetful")
FROZEN = ("container.paused", "container:frozen")
DEAF = (DNS, "container:deaf")


def misled(box: Box, *options: str) -> None:
    """A service whose configuration lacks a key."""
    service(box, "misled", "echo 'config: no such key: db.url' >&2; exit 3", *options)
    wait_loops(box, "misled")


def stranger(box: Box, *options: str) -> None:
    """A container of an image without its program."""
    box.docker("run", "-d", "--name=stranger", *LIMITS, *options, "noentry:1", check=False)


def grumpy(box: Box, *options: str) -> None:
    """A worker that says itself that it is behind."""
    probed(box, "grumpy", "echo 'queue is 900 s behind'; exit 1", *options)
    wait_sick(box, "grumpy")


def forgetful(box: Box, *options: str) -> None:
    """A server without its licence."""
    job(box, "forgetful", "echo 'no licence for this month' >&2; exit 5", *options)
    wait_exits(box, "forgetful")


def frozen(box: Box, *options: str) -> None:
    """A container that somebody paused."""
    job(box, "frozen", "exec sleep 1000", *options)
    box.docker("pause", "frozen")


def deaf(box: Box, *options: str) -> None:
    """A container with a DNS server of its own, which is silent."""
    job(box, "deaf", "exec sleep 1000", f"--dns={SILENT}", *options)


# -- the way out ----------------------------------------


def shop(box: Box, name: str = "shop") -> tuple[str, str]:
    """A network of its own; gives its bridge and subnet."""
    box.docker("network", "create", name)
    network = box.api(f"/networks/{name}")
    return f"br-{network['Id'][:12]}", network["IPAM"]["Config"][0]["Subnet"]


def needs(box: Box, name: str, other: str, *options: str) -> None:
    """A service that ends when another one does not answer."""
    service(
        box,
        name,
        f"nc -w 2 {other} 5432 </dev/null || exit 1; exec sleep 1000",
        "--net=shop",
        *options,
    )
