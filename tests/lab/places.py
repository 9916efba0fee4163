"""Places in which a tool is hard to start. Each is made by a script in a private mount namespace of
a box."""

from __future__ import annotations

from dataclasses import dataclass

EMPTY = "/srv/empty"
"""The root with nothing but a static busybox, and what the kernel and the engine give."""

EMPTY_ROOT = f"""
mkdir -p {EMPTY} && mount -t tmpfs -o size=8m empty {EMPTY} && cd {EMPTY}
mkdir -p bin proc sys dev run tmp etc opt srv var/lib/docker && ln -s /run var/run
cp /bin/busybox bin/busybox
for applet in sh tar gzip rm cat head mkdir chmod sleep; do ln -s busybox bin/$applet; done
for folder in proc sys dev run var/lib/docker; do mount --rbind /$folder $folder; done
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
        """What stands before the command."""
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
    "empty root": Place(EMPTY_ROOT, root=EMPTY),
}
