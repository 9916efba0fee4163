"""A host in a box whose root is another one: with musl as its C library, or of an old Debian.

It has a process namespace and mounts of its own, its root is the other one, and its engine runs in
there. The engine's programs are this machine's: they are taken along with their libraries, and look
for them in one folder, so that nothing of this machine's C library is where the root's own
programs would find it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.lab.box import Box, wrapped_runc
from tests.lab.places.hard_places import Place

ENGINE = "/eng"
"""As long as /lib and /etc: names of these folders can be replaced within a program."""
_LOADER = "/lib64/ld-linux-x86-64.so.2"
_LIBRARIES = "/lib/x86_64-linux-gnu/"
_MOVED_LOADER = f"{ENGINE}/ld.so"
_MOVED_LIBRARIES = _LIBRARIES.replace("/lib", ENGINE)
_PROGRAMS = ("dockerd", "containerd", "containerd-shim-runc-v2", "docker", "docker-proxy", "runc")
_PATH = f"{ENGINE}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CONFIG = {"iptables": False, "ip6tables": False, "bridge": "none"}
"""A root of busybox has no iptables."""
_MORE_APPLETS = "umount mount chroot find sort sed grep"


class Inner(NamedTuple):
    """The host with the other root. first: its first process, as the box sees it."""

    box: Box
    first: int

    def run(self, *argv: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command in the other root, in the host's namespaces."""
        enter = ["nsenter", "-t", str(self.first), "-m", "-p", "-r", "-w", "--"]
        return self.box.run([*enter, *argv], env={"PATH": _PATH}, check=False, timeout=timeout)

    def docker(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return self.run("docker", *argv)


@contextmanager
def host_with_root(box: Box, place: Place, *shown: str) -> Iterator[Inner]:
    """The host, with its engine running. shown: folders of the box that the root shows as well."""
    _take_programs(box)
    box.write(f"{ENGINE}/daemon.json", _CONFIG)
    box.write(f"{ENGINE}/make.sh", _script(place, (ENGINE, *shown)))
    unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh"]
    outer = box.spawn([*unshare, f"{ENGINE}/make.sh"], log="/var/log/root.log")
    try:
        first = box.wait_for(lambda: _child(box, outer), what="the first process of the root")
        inner = Inner(box, first)
        box.wait_for(lambda: inner.docker("version").returncode == 0, what="the engine in the root")
        yield inner
    finally:
        box.sh(f"kill -9 {outer}")


def _child(box: Box, outer: int) -> int:
    """The first process once the root is its root; 0 until then."""
    for child in box.sh(f"pgrep -P {outer} || true").split():
        if box.path(f"/proc/{child}/root{ENGINE}/bin").exists():
            return int(child)
    return 0


def _script(place: Place, shown: tuple[str, ...]) -> str:
    """What makes the root, and then becomes its first process."""
    binds = "\n".join(f"mkdir -p .{folder} && mount --bind {folder} .{folder}" for folder in shown)
    return f"""set -e
{place.make.replace("size=8m", "size=64m")}
mount --rbind {place.root} {place.root}
cd {place.root}
[ ! -e bin/busybox ] || for applet in {_MORE_APPLETS}; do ln -sf busybox bin/$applet; done
{binds}
mkdir -p mnt/old etc/docker && cp {ENGINE}/daemon.json etc/docker/
cp /etc/resolv.conf /etc/hosts etc/
umount --lazy proc && mount -t proc proc proc
pivot_root . mnt/old
exec /bin/sh -c 'umount -l /mnt/old
PATH={_PATH} dockerd >/run/dockerd.log 2>&1 &
while :; do sleep 1; done'
"""


def _take_programs(box: Box) -> None:
    """The engine's programs, with their libraries and their loader, in one folder of the box."""
    libraries: set[str] = set()
    for name in _PROGRAMS:
        program = shutil.which(name, path=box.engine.path)
        assert program, f"{name} is missing"
        listed = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
        libraries |= set(re.findall(r"=> (/\S+)", listed))
        content = _moved(Path(program).read_bytes())
        box.write(f"{ENGINE}/bin/{name}{'.real' if name == 'runc' else ''}", content, 0o755)
    box.write(f"{ENGINE}/bin/runc", wrapped_runc(f"{ENGINE}/bin/runc.real"), 0o755)
    for library in libraries:
        box.write(_MOVED_LIBRARIES + Path(library).name, _moved(Path(library).read_bytes()), 0o755)
    box.write(_MOVED_LOADER, _moved(Path(_LOADER).read_bytes()), 0o755)


def _moved(content: bytes) -> bytes:
    """A program that looks for its loader and its libraries in the folder."""
    loader = _MOVED_LOADER.encode().ljust(len(_LOADER), b"\0")
    content = content.replace(_LOADER.encode(), loader)
    content = content.replace(b"/etc/ld.so.cache", f"{ENGINE}/ld.so.cache".encode())
    return content.replace(_LIBRARIES.encode(), _MOVED_LIBRARIES.encode())
