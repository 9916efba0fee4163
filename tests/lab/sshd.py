"""Real ssh servers inside a box, each a host of its own kind, on the box's loopback only."""

from __future__ import annotations

import sys

from .box import Box

SSHD = "/usr/sbin/sshd"
USER = "oncall"
PASSWORD = "made-up-and-long"
KEYS = f"""
mkdir -p -m 755 /run/sshd && mkdir -p -m 700 /root/.ssh /etc/ssh
[ -e /root/.ssh/id_made_up ] || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_made_up
[ -e /etc/ssh/made_up_host_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/made_up_host_key
useradd -m -s /bin/sh {USER} 2>/dev/null || :
echo {USER}:{PASSWORD} | chpasswd
touch /root/.ssh/known_hosts
cp /root/.ssh/id_made_up.pub /etc/ssh/made_up_authorized_keys
"""
CONFIG = """
HostKey /etc/ssh/made_up_host_key
AuthorizedKeysFile /etc/ssh/made_up_authorized_keys
ListenAddress 127.0.0.1
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
StrictModes no
PidFile none
"""
LOST_AT_ENGINE = "/root/lost_at_engine.py"
ASKED = "/run/engine-asked"
LOST_AT_ENGINE_PROGRAM = f"""
import os, pathlib, signal, socket, sys
dies = sys.argv[1] == "dies"
server = os.getppid()
here = os.readlink("/proc/self/ns/mnt")
listener = socket.socket(socket.AF_UNIX)
listener.bind("/run/lost.sock")
listener.listen(50)
print("listens", flush=True)
held = []
while True:
    held.append(listener.accept()[0])
    pathlib.Path("{ASKED}").touch()
    for process in pathlib.Path("/proc").glob("[0-9]*") if dies else ():
        pid = int(process.name)
        try:
            session = (process / "comm").read_text().startswith("sshd") and pid != server
            if session and os.readlink(process / "ns/mnt") == here:
                os.kill(pid, signal.SIGKILL)
        except OSError:
            continue
"""
"""An engine that never answers. With `dies`, the ssh sessions of its mount namespace end as soon as
a client connects to it."""


def engine_that_never_answers(kind: str) -> str:
    """Shell lines for `make` of serve().

    kind: `dies` or `waits`.
    """
    return f"""
mount -t tmpfs -o mode=755 run /run && mkdir /run/sshd
{sys.executable} {LOST_AT_ENGINE} {kind} >/run/lost.log 2>&1 &
until grep -q listens /run/lost.log; do sleep 0.1; done
ln -s lost.sock /run/docker.sock
"""


def keys(box: Box) -> None:
    """A key for the box's root, which every server below takes, and a user whose sudo wants a
    password."""
    box.sh(KEYS)
    box.write(LOST_AT_ENGINE, LOST_AT_ENGINE_PROGRAM)
    box.write("/root/.ssh/config", "")
    box.write(f"/etc/sudoers.d/{USER}", f"{USER} ALL=(ALL:ALL) ALL\n", 0o440)


def serve(
    box: Box,
    name: str,
    port: int,
    make: str | None = ":",
    *,
    options: str = "",
    user: str = "root",
    jump: str = "none",
) -> int:
    """Start a server, which ssh knows by this name. Its pid in the box.

    make: prepares a mount namespace of its own; None for none, so that the tool sees the engine's.
    """
    box.write(f"/etc/ssh/made_up_{port}", f"Port {port}\n{CONFIG}{options}\n")
    own = f"mount -t tmpfs -o mode=1777 shm /dev/shm\n{make}\ncd /\nexec {SSHD} -D -e -f /etc/ssh/made_up_{port}"
    if make is not None:
        script = ["unshare", "--mount", "sh", "-ec", own]
    else:
        script = [SSHD, "-D", "-e", "-f", f"/etc/ssh/made_up_{port}"]
    pid = box.spawn(script, log=f"/var/log/sshd-{port}.log")
    entry = f"Host {name}\n HostName 127.0.0.1\n Port {port}\n User {user}\n ProxyJump {jump}\n IdentityFile /root/.ssh/id_made_up\n"
    box.write(
        "/root/.ssh/config",
        box.read("/root/.ssh/config")
        + entry
        + " StrictHostKeyChecking accept-new\n LogLevel ERROR\n",
    )
    box.wait_for(
        lambda: f"port {port}" in box.read(f"/var/log/sshd-{port}.log"), what=f"sshd at port {port}"
    )
    return pid
