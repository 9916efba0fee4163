"""Programs that a folder above the last one keeps from their files; and one that passes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import MACHINE, logs

CLOSED = "container.parent-folder-closed"
_OWN = ("--memory=96m", "--pids-limit=64", "--restart=always", *MACHINE)
_PROGRAM = """
import os, sys, time

path, uid = sys.argv[1], int(sys.argv[2])
if uid:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
while True:
    try:
        open(path, "w").close()
        print("stored", path, flush=True)
    except OSError as error:
        print(f'ERROR open() "{path}" failed ({error.errno}: {error.strerror})', flush=True)
    time.sleep(1)
"""


def _writes(box: Box, name: str, path: str, uid: int, *options: str, before: str = "true") -> None:
    """A program that writes a file each second; uid: its user, 0 for that of its image."""
    box.write(f"/srv/{name}/program.py", _PROGRAM, 0o755)
    mount = ["-v", f"/srv/{name}/program.py:/program.py:ro"]
    start = f"{before}; exec /usr/bin/python3 -u /program.py {path} {uid}"
    box.docker("run", "-d", f"--name={name}", *_OWN, *mount, *options, "bb:1.36", "sh", "-c", start)
    box.wait_for(lambda: len(logs(box, name).splitlines()) > 3, what="the program to write")


@fault(CLOSED, subject="container:body71", also=["container.errors-in-log"], shareable=True)
def closed_folder_above_in_the_layer(box: Box) -> None:
    """The worker's folder is its own, and the one above is root's; the command opens that one."""
    makes = "mkdir -p /var/lib/shop/body; chown 33:33 /var/lib/shop/body; chmod 700 /var/lib/shop"
    _writes(box, "body71", "/var/lib/shop/body/0001", 33, before=makes)
    command = first_command(box, CLOSED, "body71")
    assert command == "docker exec --user 0 body71 chmod o+x /var/lib/shop", command
    typed(box, command)
    box.wait_for(lambda: "stored" in logs(box, "body71"), what="the file")
    box.docker("exec", "--user", "0", "body71", "chmod", "700", "/var/lib/shop")
    box.sh("sleep 3")


def _exports(box: Box, name: str, mode: str) -> None:
    folder = f"/srv/{name}/data/private"
    box.sh(f"mkdir -p {folder}/exports; chown 1000:1000 {folder}/exports; chmod {mode} {folder}")
    volume = ("-v", f"/srv/{name}/data:/data", "--user=1000:1000")
    _writes(box, name, "/data/private/exports/a.txt", 0, *volume)


@fault(CLOSED, subject="container:exports72", also=["container.errors-in-log"], shareable=True)
def closed_folder_above_below_a_mount(box: Box) -> None:
    """A folder between the mount and the program's own one is root's; the command opens it."""
    _exports(box, "exports72", "700")
    command = first_command(box, CLOSED, "exports72")
    assert command == "chmod o+x /srv/exports72/data/private", command
    typed(box, command)
    box.wait_for(lambda: "stored" in logs(box, "exports72"), what="the file")
    box.sh("chmod 700 /srv/exports72/data/private; sleep 3")


@healthy(shareable=True)
def open_folder_above(box: Box) -> None:
    """The same, and everybody may pass."""
    _exports(box, "exports73", "711")
    assert "stored" in logs(box, "exports73")
