"""Places in which a tool is hard to start. Each is made by a script in a private mount namespace of
a box."""

from __future__ import annotations

from dataclasses import dataclass

EMPTY = "/srv/empty"
"""The root with nothing but a static busybox, and what the kernel and the engine give."""
MUSL = "/srv/musl"
"""The same, with musl as its C library, as Alpine has."""
DEBIAN = "/srv/debian-11"
"""Debian 11 with its own programs: the oldest root that the package registry gives."""

_SHOWN = "proc sys dev run tmp var/lib/docker"
"""Of the host: what the kernel and the engine give."""

_APPLETS = (
    "sh tar gzip rm cat head mkdir chmod sleep ls df awk uname mktemp id tail kill tr sed date"
)


def small_root(path: str, more: str = "") -> str:
    """A script that makes a root with a static busybox. more: what is added to it, in the root."""
    return f"""
mkdir -p {path} && mount -t tmpfs -o size=8m,mode=755 empty {path} && cd {path}
mkdir -p bin proc sys dev run tmp etc opt srv root var/lib/docker && ln -s /run var/run
cp /bin/busybox bin/busybox
for applet in {_APPLETS}; do ln -s busybox bin/$applet; done
printf '#!/bin/sh\\nexec /bin/sh "$@"\\n' >bin/bash && chmod +x bin/bash
for folder in {_SHOWN}; do mount --rbind /$folder $folder; done
{more}
"""


MUSL_MORE = """
mkdir -p lib && cp -L /lib/ld-musl-x86_64.so.1 lib/
echo 'ID=alpine' >etc/os-release && echo 3.20 >etc/alpine-release
printf '%s\n' '#include <stdio.h>' 'int main(void) { puts("by musl"); }' >tmp/says.c
musl-gcc -o bin/says tmp/says.c && rm tmp/says.c
[ "$(chroot . /bin/says)" = "by musl" ] && [ ! -e lib64 ]
"""
"""The loader, and a program that is linked to it: it runs there, and one of glibc would not."""


def debian_root(archive: str) -> str:
    """A script that unpacks a root once, and shows the host in it."""
    return f"""
[ -e {DEBIAN}/etc/debian_version ] || {{ mkdir -p {DEBIAN} && tar xf {archive} -C {DEBIAN} --exclude=./dev; }}
cd {DEBIAN} && mkdir -p dev opt/there var/lib/docker
for folder in {_SHOWN} etc/docker; do mkdir -p $folder && mount --rbind /$folder $folder; done
case $(cat etc/debian_version) in 11*) ;; *) exit 1 ;; esac
"""


@dataclass(frozen=True)
class Place:
    """make: the script. root: the root that the command is given, "" for the box's own. user: who
    runs the command."""

    make: str = ":"
    root: str = ""
    user: str = ""

    @property
    def enter(self) -> str:
        """What comes before the command."""
        words = f"chroot {self.root} " if self.root else ""
        return words + (
            f"setpriv --reuid={self.user} --regid=nogroup --clear-groups " if self.user else ""
        )

    @property
    def takes_the_installed_tool(self) -> bool:
        """Whether a Python can be reached here, so that the installed tool's verdicts can be
        compared."""
        return not self.root


PLACES = {
    "an ordinary host": Place(),
    "full disk": Place(
        """
        mount -t tmpfs -o size=1m full /srv
        dd if=/dev/zero of=/srv/file bs=4k 2>/dev/null || :
        export TMPDIR=/srv HOME=/srv XDG_RUNTIME_DIR=/srv XDG_CACHE_HOME=/srv
        """
    ),
    "read-only root": Place("mount -o remount,bind,ro /; ! touch /opt/file 2>/dev/null"),
    "noexec /tmp": Place("mount -o remount,noexec /tmp; cd /tmp"),
    "no /proc": Place("umount -l /proc"),
    "/proc with hidepid, not root": Place("mount -t proc -o hidepid=2 proc /proc", user="nobody"),
    "not root": Place(user="nobody"),
    "hung dockerd": Place(),
    "empty root": Place(small_root(EMPTY), root=EMPTY),
    "musl root": Place(small_root(MUSL, MUSL_MORE), root=MUSL),
    "Debian 11 root": Place(debian_root("@ARCHIVE@"), root=DEBIAN),
}

WAYS = ("folder", "--on", "deb", "image")
"""How the tool gets there."""
WHY_NOT = {
    ("no /proc", "--on"): "no sshd starts there",
    ("empty root", "deb"): "no dpkg there",
    ("musl root", "deb"): "no dpkg there",
    ("hung dockerd", "image"): "no container starts",
    ("/proc with hidepid, not root", "image"): "a container is root",
    ("not root", "image"): "a container is root",
    ("empty root", "image"): "an engine's host has more",
    ("no /proc", "image"): "runc needs /proc",
}
"""Cells that hold no run, and why."""
ELSEWHERE = {"aarch64": "once, under qemu-user"}
"""Rows of machines that the lab does not have; .github/decisions/folder.md says what was tried."""
