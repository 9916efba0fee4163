"""What the host mounts on demand (checks/container/mounts/automount_unseen.py)."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.mounts.automounts import unseen_automounts
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Failed
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_795_000_000.0
ROOT = "20 1 8:1 / / rw - ext4 /dev/sda1 rw"
TRIGGER = "31 20 0:81 / /data rw - autofs /etc/auto.share rw,fd=4,pgrp=0,indirect"
DEEP = TRIGGER.replace("/data", "/data/share")
SEEN = "32 31 0:90 / /data/orders rw - nfs4 nas:/orders rw"
BINFMT = Mounted("/proc/sys/fs/binfmt_misc", "autofs", "systemd-1", dev="0:30")
SYSTEM = Mounted("/", "ext4", "/dev/sda1", dev="8:1")
AUTOFS = Mounted("/srv/share", "autofs", "/etc/auto.share", dev="0:81")
ORDERS = Mounted("/srv/share/orders", "nfs4", "nas:/orders", dev="0:90")
ELOOP = "cat: can't open '/data/orders/today': Too many levels of symbolic links"
ELOOP_BELOW = ELOOP.replace("/data", "/data/share")
NO_PATH = "cannot read today's orders: ELOOP"


def _reader(source: str = "/srv/share", propagation: str = "rprivate") -> Container:
    mount = {"Type": "bind", "Source": source, "Destination": "/data", "Propagation": propagation}
    return container("report", State={"Pid": 7}, Mounts=[mount])


CASES: dict[str, tuple[Container, str, tuple[Mounted, ...], str, list[tuple[str, str]]]] = {
    "the log says so": (_reader(), TRIGGER, (AUTOFS,), ELOOP, [("warning", "report")]),
    "mounted since, and the log says nothing": (
        _reader(),
        TRIGGER,
        (AUTOFS, ORDERS),
        "ready",
        [("advice", "report")],
    ),
    "in a folder of the mount": (
        _reader("/srv"),
        DEEP,
        (AUTOFS,),
        ELOOP_BELOW,
        [("warning", "report")],
    ),
    "links that loop beside it": (_reader("/srv"), DEEP, (AUTOFS,), ELOOP, []),
    "the log names no path": (_reader(), TRIGGER, (AUTOFS,), NO_PATH, [("warning", "report")]),
    "mounted before the start": (_reader(), f"{TRIGGER}\n{SEEN}", (AUTOFS, ORDERS), "ready", []),
    "nothing is mounted now": (_reader(), TRIGGER, (AUTOFS,), "ready", []),
    "it follows": (_reader("/srv/share", "rslave"), TRIGGER, (AUTOFS, ORDERS), ELOOP, []),
    "another link that loops": (_reader("/srv/shop"), ROOT, (AUTOFS, ORDERS), ELOOP, []),
    "a monitor has the whole host": (_reader("/"), TRIGGER, (AUTOFS, ORDERS), ELOOP, []),
    "only the kernel's own": (_reader(), TRIGGER, (BINFMT,), ELOOP, []),
    "autofs came after the start": (_reader(), ROOT, (AUTOFS, ORDERS), ELOOP, []),
}


@pytest.mark.parametrize(
    ("reader", "table", "mounted", "line", "expected"), CASES.values(), ids=CASES
)
def test_what_is_mounted_on_demand(
    reader: Container,
    table: str,
    mounted: tuple[Mounted, ...],
    line: str,
    expected: list[tuple[str, str]],
) -> None:
    host = Made({"file.read": {"text": f"{ROOT}\n{table}\n"}})
    logs = RecentLogs({reader.id: (RecentLine(NOW, line),)})
    found = unseen_automounts(host, of(reader), Mounts((SYSTEM, *mounted)), logs)
    assert rows(judge("container.automount-unseen", automounts=found)) == expected


def test_a_host_without_autofs_is_asked_nothing() -> None:
    made: Any = Made({})
    assert not unseen_automounts(made, of(_reader()), Mounts((SYSTEM, BINFMT)), None)
    assert not made.asked


def test_a_table_that_cannot_be_read_is_left_out() -> None:
    closed = Made({"file.read": Failed("forbidden", "")})
    found = unseen_automounts(closed, of(_reader()), Mounts((SYSTEM, AUTOFS)), None)
    assert judge("container.automount-unseen", automounts=found).verdict == "unknown"
