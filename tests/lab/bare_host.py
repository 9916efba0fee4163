"""A host in namespaces of its own, before any engine: its root, cgroups and uplink, and commands
and files in it."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.lab.commands import poll, run_bounded
from tests.lab.engines import Engine, find
from tests.lab.provider import BOX_ADDRESS, GATEWAY, PREFIX, RESOLVER, Provider
from tests.lab.sweep import CGROUP_PREFIX, RUN_DIR, remove_cgroups, remove_state, start_time, thaw

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
_SYS_RESOURCE = 1 << 24
_RUNC = """#!/bin/sh
# this machine's root lacks CAP_SYS_RESOURCE: a privileged container that asks for it could not start;
# engine 29 asks for a time namespace, which runc 1.1 does not know
without='s/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g; s/,{"type":"time"}//g'
[ -f config.json ] && sed -i "$without" config.json
for arg; do
    [ -z "$bundle" ] || { [ ! -f "$arg/config.json" ] || sed -i "$without" "$arg/config.json"; }
    bundle=; [ "$arg" != --bundle ] || bundle=1
done
exec @RUNC@ "$@"
"""
LEAST_WAIT_S = 60.0
"""Seconds for which a state is waited at least: CI is loaded. What comes early ends the wait."""
DEFAULT_DISK = "3G"


def wrapped_runc(program: str) -> str:
    """A script in runc's place, which runs the program at this path without what cannot be had
    here."""
    return _RUNC.replace("@RUNC@", program)


T = TypeVar("T")


def _leave_real_time() -> None:
    """Makes this thread, and what it starts from now on, an ordinary process of the scheduler.

    Under cgroup v1 the kernel moves no real-time process into a group of the cpu controller that
    has no real-time share (cpu.rt_runtime_us is 0 in every new group): neither this box's group
    nor those of its containers. A machine whose first process is real-time hands that on.
    """
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class BareHost:
    """Namespaces, a throw-away root over the machine's, a data root and an uplink.

    The engine's programs are in its PATH, and none of them runs.
    """

    def __init__(
        self,
        engine: str | Engine = "distro",
        *,
        disk: str | None = None,
        inodes: int | None = None,
        provider: bool = True,
        hostname: str = "dockerhost",
    ) -> None:
        self.engine = find(engine) if isinstance(engine, str) else engine
        self.id = secrets.token_hex(4)
        self.hostname = hostname
        self._disk, self._inodes = disk or DEFAULT_DISK, inodes
        self._with_provider = provider
        self._provider: Provider | None = None
        self._unshare: subprocess.Popen[str] | None = None
        self._cgroups: list[Path] = []
        self.pid = 0
        self.patience: tuple[str, ...] = ()
        """Options of each run and check that asks what is found, not how fast."""

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        _leave_real_time()
        RUN_DIR.mkdir(parents=True, exist_ok=True)
        # appears with its marker or not at all, since another process may sweep at this moment
        unnamed = RUN_DIR / f".{self.id}"
        unnamed.mkdir(mode=0o700)
        (unnamed / "owner").write_text(f"{os.getpid()} {start_time(os.getpid())}")
        self.state = unnamed.rename(RUN_DIR / self.id)
        mounts = self._make_cgroups()
        data_dir = self.state / "data"
        if self._disk == "dir":
            data_dir = Path(f"/var/tmp/diagnose-lab-{self.id}")
            (self.state / "data-dir").write_text(str(data_dir))
            data_dir.mkdir()
        env = {
            "LAB_HOSTNAME": self.hostname,
            "LAB_DISK": "" if self._disk == "dir" else self._disk,
            "LAB_INODES": str(self._inodes or ""),
            "LAB_DATA_DIR": str(data_dir),
            "LAB_CGROUPS": mounts,
            "LAB_BIND": "\n".join(_to_bind(self.engine)),
            "LAB_OPEN": "\n".join(_to_open()),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        }
        unshare = "exec unshare --mount --net --uts --ipc --pid --cgroup --fork --kill-child --mount-proc sh "
        script = self._join() + unshare + shlex.quote(str(HERE / "init.sh"))
        errors = self.state / "init.err"
        with errors.open("w") as err:
            self._unshare = subprocess.Popen(
                ["sh", "-c", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
                env=env,
                text=True,
            )
        assert self._unshare.stdout
        said = self._unshare.stdout.readline()
        if said != "ready\n":
            self._unshare.wait(5)
            raise RuntimeError(
                f"the box did not start: {errors.read_text().strip() or 'no reason given'}"
            )
        pid = self._unshare.pid
        self.pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        if not _has_sys_resource() and (runc := shutil.which("runc", path=self.engine.path)):
            # in its place, not before it in PATH: engine 20.10 calls it by its full path
            self.sh(f"mkdir -p /opt/lab && mv {runc} /opt/lab/runc")
            self.write(runc, wrapped_runc("/opt/lab/runc"), 0o755)
        if self._with_provider:
            self._provider = Provider(self.pid)
            self.sh(f"ip addr add {BOX_ADDRESS}/{PREFIX} dev eth0; ip link set eth0 up")
            self.sh(f"ip route add default via {GATEWAY}")
        self.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")

    def close(self) -> None:
        """End every process of the box and remove what it left on the machine."""
        if self._provider:
            self._provider.close()
            self._provider = None
        if self._unshare:
            thaw(self.id)
            self._unshare.kill()
            self._unshare.wait()
            for pipe in (self._unshare.stdin, self._unshare.stdout):
                if pipe:
                    pipe.close()
            if self.pid:
                poll(lambda: not Path(f"/proc/{self.pid}").exists(), 10, "the box's init to end")
            self._unshare = None
            self.pid = 0
        remove_cgroups(self.id)
        if hasattr(self, "state"):
            remove_state(self.state)

    def _make_cgroups(self) -> str:
        """Make the box's cgroup in every hierarchy; returns lines "kind mount-point options" for
        init.sh."""
        mounts = []
        name = CGROUP_PREFIX + self.id
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            left, right = line.split(" - ")
            where, (kind, _, options) = left.split()[4], right.split()[:3]
            if not kind.startswith("cgroup") or not where.startswith("/sys/fs/cgroup"):
                continue
            path = Path(where) / name
            path.mkdir()
            if kind == "cgroup":
                names = [
                    o
                    for o in options.split(",")
                    if o not in ("rw", "ro", "xattr", "clone_children")
                ]
                mounts.append(f"{kind} {where} {','.join(names)}")
                for knob in ("cpuset.cpus", "cpuset.mems"):
                    if (path / knob).exists():
                        (path / knob).write_text((path.parent / knob).read_text())
            else:
                mounts.append(f"{kind} {where} rw")
                if where == "/sys/fs/cgroup":
                    path = path / "init"
                    path.mkdir()
            self._cgroups.append(path)
        return "\n".join(mounts)

    def _join(self) -> str:
        """A shell line that moves the shell into the box's cgroups."""
        # in cgroup v2 namespaces are rooted at the parent of init/, so unshare must happen there
        paths = (c if self.pid or c.name != "init" else c.parent for c in self._cgroups)
        return "".join(f"echo $$ >{shlex.quote(str(p))}/cgroup.procs || exit; " for p in paths)

    @property
    def cgroups(self) -> tuple[Path, ...]:
        """The box's cgroup in every hierarchy, as the machine sees them."""
        return tuple(self._cgroups)

    @property
    def provider(self) -> Provider:
        """The box's uplink; fails for a box made with provider=False."""
        assert self._provider, "this box has no provider"
        return self._provider

    def _argv(
        self, argv: Sequence[str], user: str | None, groups: Sequence[str], cwd: str | None
    ) -> list[str]:
        enter = [
            "nsenter",
            "-t",
            str(self.pid),
            *["-m", "-n", "-p", "-u", "-i", "-C", "-r", "-w", "--"],
        ]
        if cwd:
            enter += ["env", "-C", cwd]
        if user:
            enter += [
                "setpriv",
                f"--reuid={user}",
                f"--regid={'nogroup' if user == 'nobody' else user}",
            ]
            enter += [f"--groups={','.join(groups)}" if groups else "--clear-groups"]
        return ["sh", "-c", self._join() + 'exec "$@"', "sh", *enter, *argv]

    def _env(self, env: Mapping[str, str] | None, user: str | None) -> dict[str, str]:
        home = "/root" if user in (None, "root") else "/nonexistent"
        base = {
            "PATH": self.engine.path,
            "HOME": home,
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "USER": user or "root",
        }
        return {**base, **(env or {})}

    def run(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        timeout: float = 20,
        user: str | None = None,
        groups: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        cwd: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the box and wait; on timeout (seconds) it is killed with its children.

        check raises AssertionError with the command's output. user and groups by name; root is the
        default.
        """
        command = self._argv(argv, user, groups, cwd)
        return run_bounded(
            command, argv, self._env(env, user), timeout=timeout, check=check, stdin=stdin
        )

    def command(
        self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str] | None = None
    ) -> tuple[list[str], dict[str, str]]:
        """The command and the environment with which the machine runs that command in the box, as
        root."""
        return self._argv(argv, None, (), cwd), dict(self._env(env, None))

    def sh(self, script: str, **options: Any) -> str:
        """Run a shell script in the box as `run` does, stopping at the first error; returns its
        stdout."""
        return self.run(["sh", "-ec", script], **options).stdout

    def spawn(
        self, argv: Sequence[str], *, log: str = "/dev/null", env: Mapping[str, str] | None = None
    ) -> int:
        """Start a process in the background, a child of the box's init; returns its pid as seen in
        the box.

        log: file in the box for its output. It ends with the box.
        """
        detach = f'setsid "$@" </dev/null >>{shlex.quote(log)} 2>&1 & echo $!'
        return int(self.run(["sh", "-c", detach, "sh", *argv], env=env).stdout)

    def kill(self, pid: int, sig: int = signal.SIGKILL) -> None:
        """Send a signal to a process of the box (pid as seen in the box)."""
        self.run(["sh", "-c", f"kill -{int(sig)} {pid}"])

    def path(self, inside: str | Path) -> Path:
        """A path of the box as seen from outside; symbolic links in it are followed on the machine:
        mind them."""
        return Path(f"/proc/{self.pid}/root") / str(inside).lstrip("/")

    def write(
        self, inside: str, content: str | bytes | Mapping[str, Any], mode: int = 0o644
    ) -> None:
        """Write a file in the box, its folders included; a mapping is written as JSON."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Mapping):
            content = json.dumps(content, indent=2) + "\n"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)

    def read(self, inside: str) -> str:
        """The text of a file in the box."""
        return self.path(inside).read_text(errors="replace")

    def usage(self, inside: str) -> os.statvfs_result:
        """The figures of the file system that holds that path of the box."""
        return os.statvfs(self.path(inside))

    def fill(self, inside: str, share: float) -> None:
        """Allocate one file (path in the box) so that its file system is full to that share, as df
        counts."""
        room = self.usage(str(Path(inside).parent))
        total = room.f_blocks - room.f_bfree + room.f_bavail
        blocks = int(total * share) - (room.f_blocks - room.f_bfree)
        assert blocks > 0, f"already fuller than {share:.0%}"
        self.run(["fallocate", "-l", str(blocks * room.f_frsize), inside])
        room = self.usage(inside)
        used = room.f_blocks - room.f_bfree
        assert abs(used / (used + room.f_bavail) - share) < 0.005

    def wait_for(
        self, condition: Callable[[], T], timeout: float = LEAST_WAIT_S, what: str = ""
    ) -> T:
        """Poll until condition() is true, and return its value; AssertionError after timeout
        seconds, of which there are LEAST_WAIT_S at least."""
        patience = max(timeout, LEAST_WAIT_S)
        return poll(condition, patience, what or getattr(condition, "__name__", "the condition"))


def _has_sys_resource() -> bool:
    match = re.search(r"^CapEff:\t([0-9a-f]+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return bool(match and int(match[1], 16) & _SYS_RESOURCE)


def _to_bind(engine: Engine) -> list[str]:
    """What the box must see although it lies under /tmp, /run or on a file system of its own."""
    wanted = [
        PROJECT,
        Path(sys.prefix),
        Path(sys.base_prefix),
        *([engine.bin.parent] if engine.bin else []),
    ]
    root = os.stat("/").st_dev
    paths = [p for p in wanted if os.stat(p).st_dev != root or p.parts[1] in ("tmp", "run", "dev")]
    return [str(p) for p in paths if not any(p != q and p.is_relative_to(q) for q in paths)]


def _to_open() -> list[str]:
    """Folders above the interpreter and the project that nobody else may enter, such as /root."""
    closed = set()
    for path in (Path(sys.prefix), Path(sys.base_prefix), PROJECT):
        closed |= {
            p for p in path.parents if not p.stat().st_mode & 0o001 and p.parts[1:2] != ("tmp",)
        }
    return sorted(str(p) for p in closed)
