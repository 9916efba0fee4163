"""What the kernel log says, against what is mounted and what time it is. Texts as Linux 6.18 and
moby#5618 have them."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.machine.limits.mount_room import MANY, MountRoom, mount_room
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.block_devices import BlockDevices, block_devices
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

ERROR = "EXT4-fs error (device loop2): trigger_test_error:127: comm sh: lab"
MOUNT = "EXT4-fs (loop2): mounted filesystem 209f232b-a916-40cc-b9aa-902f3b9edc72 r/w without journal. Quota mode: none."
OTHER = "EXT4-fs (loop5): mounted filesystem 3fa03697-9cd9-42e4-a9a6-c0a262921d95 r/w without journal. Quota mode: none."
DISK = "critical medium error, dev loop2, sector 2048 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2"
POOL = "device-mapper: thin: 252:10: switching pool to out-of-data-space (queue IO) mode"
LOGS = {
    "an error": ([ERROR], 1),
    "an error after the mount": ([MOUNT, ERROR], 1),
    "repaired and mounted again": ([MOUNT, ERROR, MOUNT], 0),
    "another disk was mounted since": ([ERROR, OTHER], 1),
    "a bad sector of the disk": ([DISK], 1),
    "the pool of a thin volume is full": ([POOL], 1),
    "the pool was given room": ([POOL, POOL.replace("out-of-data-space (queue IO)", "write")], 0),
    "a disk that knows no discard": ([DISK.replace("READ", "DISCARD")], 0),
    "a disk whose name begins alike": ([ERROR.replace("loop2", "loop")], 1),
    "a disk whose number begins alike": ([ERROR.replace("loop2", "dm-1")], 0),
    "a disk that is not mounted": ([ERROR.replace("loop2", "sdz")], 0),
}


NAMES: dict[str, Json] = {
    "file.stats": {
        "/sys/dev/block/252:1": {"link": "../../devices/virtual/block/dm-1"},
        "/sys/dev/block/8:1": {"link": "../../devices/pci0000:00/ata1/block/sda/sda1"},
    },
    "/sys/class/block/dm-1/slaves": {"entries": [{"name": "dm-0"}]},
    "/sys/class/block/dm-0/slaves": {"entries": [{"name": "sdb2"}]},
}
"""A root that was mounted as /dev/root, and an encrypted volume on a disk's second partition."""


def test_a_disk_is_known_by_each_of_its_names() -> None:
    def answer(question: AnyQuestion) -> Json:
        return NAMES.get(str(question.args.get("path", question.kind)), Failed("missing", ""))

    table = (
        Mounted("/", source="/dev/root", dev="8:1"),
        Mounted("/data", source="/dev/mapper/crypt", dev="252:1"),
    )
    devices = block_devices(Made(dict.fromkeys(("file.stats", "file.list"), answer)), Mounts(table))
    points = {name: mounted.point for name, mounted in devices.by_name.items()}
    assert points == {
        "root": "/",
        "sda1": "/",
        "crypt": "/data",
        "dm-1": "/data",
        "dm-0": "/data",
        "sdb2": "/data",
    }


@pytest.mark.parametrize(("lines", "count"), LOGS.values(), ids=LOGS)
def test_only_errors_of_this_mount_count(lines: list[str], count: int) -> None:
    log = KernelLog(tuple(Record(float(at), text) for at, text in enumerate(lines, 1)))
    disks = BlockDevices(
        {
            "sda1": Mounted("/"),
            "loop2": Mounted("/var/lib/docker"),
            "dm-10": Mounted("/var/lib/docker"),
        }
    )
    result = judge(
        "kernel.filesystem-errors",
        kernel_log=log,
        disks=disks,
        clock=Clock(100.0, 0.0),
        options=Options(),
    )
    assert rows(result) == [("critical", "/var/lib/docker")] * count


WAITING = "unregister_netdevice: waiting for {} to become free. Usage count = 1"
NOW = 1000.0
WAITS = {
    "every ten seconds until now": (
        [("lo", 990.0 - 10 * number) for number in range(6)],
        [("critical", "lo")],
    ),
    "for half a minute": ([("lo", 970.0), ("lo", 980.0), ("lo", 990.0)], []),
    "one line at a slow teardown": ([("lo", 990.0)], []),
    "over for minutes": ([("lo", 701.0), ("lo", 711.0), ("lo", 721.0)], []),
    "one line for each of three": ([("eth0", 980.0), ("veth1", 985.0), ("lo", 990.0)], []),
}


@pytest.mark.parametrize(("lines", "expected"), WAITS.values(), ids=WAITS)
def test_only_a_device_that_is_waited_for_until_now_is_stuck(
    lines: list[tuple[str, float]], expected: list[tuple[str, str]]
) -> None:
    log = KernelLog(tuple(Record(at, WAITING.format(device)) for device, at in lines))
    result = judge("kernel.netdevice-stuck", kernel_log=log, clock=Clock(NOW, 0.0))
    assert rows(result) == expected


VOLTAGE = "Under-voltage detected! (0x00050005)"
LOCKUP = "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [containerd:913]"
FAILS = [("warning", "host")]
HARDWARE: dict[str, tuple[list[str], float, list[tuple[str, str]]]] = {
    "the voltage drops again and again": ([VOLTAGE] * 3, 10.0, FAILS),
    "in the words of newer kernels": (["hwmon hwmon1: Undervoltage detected!"] * 3, 10.0, FAILS),
    "it dropped once": ([VOLTAGE, "Voltage normalised (0x00000000)"], 10.0, []),
    "it dropped this morning": ([VOLTAGE] * 3, 9000.0, []),
    "memory": (["EDAC MC0: 1 UE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0"], 10.0, FAILS),
    "memory that was corrected": (["EDAC MC0: 1 CE memory read error on DIMM_A1"], 10.0, []),
    "a processor": (
        ["mce: [Hardware Error]: Uncorrected, software restartable error."],
        10.0,
        FAILS,
    ),
    "an error that was corrected": (
        ["mce: [Hardware Error]: Corrected error, no action required."],
        10.0,
        [],
    ),
    "processors that stand still": ([LOCKUP] * 3, 10.0, FAILS),
    "and the kernel's own waiting": (
        ["rcu: INFO: rcu_sched self-detected stall on CPU"] * 3,
        10.0,
        FAILS,
    ),
    "a virtual machine that was suspended": ([LOCKUP], 10.0, []),
    "two faults": ([VOLTAGE, LOCKUP] * 3, 10.0, FAILS * 2),
}


@pytest.mark.parametrize(("lines", "age", "expected"), HARDWARE.values(), ids=HARDWARE)
def test_hardware_that_fails(lines: list[str], age: float, expected: list[tuple[str, str]]) -> None:
    last = len(lines) - 1
    records = (Record(10_000.0 - age - 20.0 * (last - at), line) for at, line in enumerate(lines))
    log = KernelLog(tuple(records))
    result = judge("kernel.hardware-errors", kernel_log=log, clock=Clock(10_000.0, 0.0))
    assert rows(result) == expected


def test_processors_that_a_pause_of_the_machine_stops_together_are_one_stall() -> None:
    lines = [LOCKUP.replace("CPU#1", f"CPU#{cpu}") for cpu in range(8)]
    log = KernelLog(tuple(Record(9990.0 + 0.1 * cpu, line) for cpu, line in enumerate(lines)))
    result = judge("kernel.hardware-errors", kernel_log=log, clock=Clock(10_000.0, 0.0))
    assert rows(result) == []


REFUSED = {
    "State": {
        "Status": "exited",
        "Pid": 0,
        "Error": "error creating overlay mount to /var/lib/docker/overlay2/9f/merged: no space left on device",
    }
}
ROOMS = {
    "a few": (MountRoom(312), container(), []),
    "many, with room": (MountRoom(40_000, 100_000), container(), []),
    "four of five": (MountRoom(81_000, 100_000), container(), [("warning", "host")]),
    "all": (MountRoom(99_990, 100_000), container(**REFUSED), [("critical", "host")]),
    "a kernel without a limit": (MountRoom(99_990, None), container(), []),
    "a start failed, and it is over": (MountRoom(312), container(**REFUSED), []),
}


@pytest.mark.parametrize(("room", "one", "expected"), ROOMS.values(), ids=ROOMS)
def test_mounts_exhausted(room: MountRoom, one: Any, expected: list[tuple[str, str]]) -> None:
    assert rows(judge("kernel.mounts-exhausted", room=room, containers=of(one))) == expected


@pytest.mark.parametrize(("count", "starts"), [(97_500, True), (99_995, False)])
def test_the_last_mounts_are_still_given_out(count: int, starts: bool) -> None:
    room = MountRoom(count, 100_000)
    (finding,) = judge("kernel.mounts-exhausted", room=room, containers=of(container())).findings
    assert ("no container can start" not in finding.summary) == starts


def _mounted(*points: str) -> Mounts:
    return Mounts(tuple(Mounted(point, "tmpfs", "made-up") for point in points))


MANY_MOUNTS = [f"/var/lib/kubelet/pods/{number}/etc" for number in range(MANY)]
FOLDERS = {
    "one folder": (MANY_MOUNTS, MountRoom(MANY + 2, 100_000, "/var/lib/kubelet/pods", MANY)),
    "at one point": (["/mnt/a"] * MANY, MountRoom(MANY + 2, 100_000, "/mnt/a", MANY)),
    "two folders": (
        [f"/{name}{number}/x" for name in "ab" for number in range(MANY // 2)],
        MountRoom(MANY + 2, 100_000),
    ),
}


@pytest.mark.parametrize(("points", "expected"), FOLDERS.values(), ids=FOLDERS)
def test_where_the_mounts_are(points: list[str], expected: MountRoom) -> None:
    host = Made({"sysctl": {"fs.mount-max": "100000"}})
    assert mount_room(host, _mounted("/", "/boot", *points)) == expected


def test_the_limit_is_not_asked_for_where_there_are_few_mounts() -> None:
    assert mount_room(Made({}), _mounted("/", "/boot")) == MountRoom(2)
