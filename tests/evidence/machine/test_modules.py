"""The modules of the kernel, on a host that has a kernel of its own and in a container."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.modules import Modules, modules
from diagnose.model import Failed
from diagnose.questions import Question
from tests.hosts import Made
from tests.judging import judge, rows

ERROR = "error initializing graphdriver: driver not supported: overlay2: no such device"


def seen(
    *,
    folder: bool = False,
    container: str = "",
    loaded: bool = True,
    others: tuple[str, ...] = ("6.8.12-9-pve",),
) -> Modules:
    files = {
        "/proc/modules": "overlay 1 0 - Live\nveth 1 0 - Live\n" if loaded else "",
        "/run/systemd/container": container,
    }

    def reads(question: Question[Any]) -> Any:
        text = files.get(question.args["path"], "")
        return {"text": text, "size": len(text)} if text else Failed("missing", "")

    def stats(question: Question[Any]) -> Any:
        there, absent = {"type": "folder"}, {"failed": "missing"}
        return dict.fromkeys(question.args["paths"], there if folder else absent)

    uname = {"nodename": "host", "release": "6.8.12-4-pve"}
    listing = {"entries": [{"name": name} for name in (*others, "firmware.ko")]}
    answers = {"uname": uname, "file.read": reads, "file.stats": stats, "file.list": listing}
    found = modules(Made(answers))
    assert isinstance(found, Modules)
    return found


@pytest.mark.parametrize(
    ("here", "verdict"),
    [
        (seen(), [("warning", "host")]),
        (seen(folder=True), []),
        (seen(loaded=False), []),
        (seen(container="lxc\n"), []),
        (seen(container="wsl\n"), []),
        (seen(others=()), []),
    ],
    ids=["gone", "there", "built in one piece", "a guest of LXC", "WSL", "a NAS"],
)
def test_modules_that_are_gone(here: Modules, verdict: list[tuple[str, str]]) -> None:
    """A guest sees what the host around it has loaded, and no reboot gives it a folder."""
    assert rows(judge("kernel.modules-gone", modules=here)) == verdict
    assert here.explain(ERROR) is bool(verdict)
