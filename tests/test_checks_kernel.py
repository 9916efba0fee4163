"""What the kernel log says, against what is mounted and what time it is. Texts as Linux 6.18 and moby#5618 have them."""

from __future__ import annotations

import pytest

from checks.kernel import filesystem_errors, netdevice_stuck
from diagnose.evidence.clock import Clock
from diagnose.evidence.kernel_log import KernelLog, Record
from diagnose.evidence.mounts import Mounted, Mounts
from diagnose.evidence.options import Options
from diagnose.model import Finding

ERROR = "EXT4-fs error (device loop2): trigger_test_error:127: comm sh: lab"
MOUNT = (
    "EXT4-fs (loop2): mounted filesystem 209f232b-a916-40cc-b9aa-902f3b9edc72 r/w without journal. Quota mode: none."
)
OTHER = (
    "EXT4-fs (loop5): mounted filesystem 3fa03697-9cd9-42e4-a9a6-c0a262921d95 r/w without journal. Quota mode: none."
)
LOGS = {
    "an error": ([ERROR], 1),
    "an error after the mount": ([MOUNT, ERROR], 1),
    "repaired and mounted again": ([MOUNT, ERROR, MOUNT], 0),
    "another disk was mounted since": ([ERROR, OTHER], 1),
    "a disk that is not mounted": ([ERROR.replace("loop2", "sdz")], 0),
}


@pytest.mark.parametrize(("lines", "count"), LOGS.values(), ids=LOGS)
def test_only_errors_of_this_mount_count(lines: list[str], count: int) -> None:
    log = KernelLog(tuple(Record(float(at), text) for at, text in enumerate(lines, 1)))
    mounts = Mounts((Mounted("/", source="/dev/sda1"), Mounted("/var/lib/docker", source="/dev/loop2")))
    found = list(filesystem_errors(log, mounts, Clock(100.0, 0.0), Options()))
    subjects = [str(each.subject) for each in found if isinstance(each, Finding)]
    assert subjects == ["filesystem:/var/lib/docker"] * count


WAITING = "unregister_netdevice: waiting for {} to become free. Usage count = 1"
NOW = 1000.0
WAITS = {
    "every ten seconds until now": ([("lo", 970.0), ("lo", 980.0), ("lo", 990.0)], ["interface:lo"]),
    "one line at a slow teardown": ([("lo", 990.0)], []),
    "over for minutes": ([("lo", 701.0), ("lo", 711.0), ("lo", 721.0)], []),
    "one line for each of three": ([("eth0", 980.0), ("veth1", 985.0), ("lo", 990.0)], []),
}


@pytest.mark.parametrize(("seen", "subjects"), WAITS.values(), ids=WAITS)
def test_only_a_device_that_is_waited_for_until_now_is_stuck(
    seen: list[tuple[str, float]], subjects: list[str]
) -> None:
    log = KernelLog(tuple(Record(at, WAITING.format(device)) for device, at in seen))
    found = list(netdevice_stuck(log, Clock(NOW, 0.0)))
    assert [str(each.subject) for each in found if isinstance(each, Finding)] == subjects
