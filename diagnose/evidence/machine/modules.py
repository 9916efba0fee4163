"""Whether the running kernel can still load its modules."""

from __future__ import annotations

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

FOLDERS = ("/lib/modules", "/usr/lib/modules")


class Modules(msgspec.Struct, frozen=True):
    """release: the running kernel's. loaded: how many modules it holds; 0 for a kernel built in one piece. folder: where those of
    this release lie, empty if nowhere.
    """

    release: str
    loaded: int
    folder: str


@evidence
def modules(host: Host) -> Modules | Unavailable:
    """/proc/modules and the release's folder."""
    uname = host.ask(question("uname"))
    if isinstance(uname, Failed):
        return Unavailable.of(uname)
    release = str(uname.get("release", ""))
    listed = host.ask(question("file.read", path="/proc/modules", max_bytes=262144))
    if isinstance(listed, Failed) and listed.reason != "missing":
        return Unavailable.of(listed)
    loaded = 0 if isinstance(listed, Failed) else len(str(listed.get("text", "")).splitlines())
    paths = [f"{folder}/{release}" for folder in FOLDERS]
    found = host.ask(question("file.stats", paths=paths))
    if isinstance(found, Failed):
        return Unavailable.of(found)
    folder = next((path for path in paths if found.get(path, {}).get("type")), "")
    return Modules(release, loaded, folder)
