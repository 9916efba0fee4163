"""The box: a whole Docker host in namespaces of its own, gone without a trace when it is closed."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import images
from .bare_host import HERE, LEAST_WAIT_S, PROJECT, BareHost, wrapped_runc
from .commands import UnixConnection, poll

__all__ = ["PROJECT", "Box", "Run", "wrapped_runc"]

LOG = "/var/log/docker.log"


@dataclass(frozen=True)
class Run:
    """One run of the tool inside the box: wall in seconds, peak_rss in bytes (the tool and the
    children it waited for)."""

    args: tuple[str, ...]
    code: int
    out: str
    err: str
    wall: float
    peak_rss: int

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report; fails with stderr when stdout is not JSON."""
        try:
            report = json.loads(self.out)
        except ValueError:
            raise AssertionError(
                f"diagnose {shlex.join(self.args)}: exit {self.code}, no JSON\n{self.err}"
            ) from None
        assert isinstance(report, dict)
        return report

    @property
    def joined(self) -> str:
        """The report as text, with each command in one row, as a shell reads it."""
        return re.sub(r" \\\n +", " ", self.out)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The report's findings."""
        return list(self.report["findings"])


class Box(BareHost):
    """A Docker host: namespaces, a throw-away root over the machine's, a data root, an uplink, one
    engine.

    engine: "28.5", "sid", "distro" or an Engine. disk: size of the data root's ext4 ("64M"; default
    3G, sparse, in memory); inodes: how many it has; disk="dir" binds a plain directory of the
    machine instead. provider=False leaves the host without an uplink. The box ends with the process
    that made it.
    """

    def start_engine(
        self,
        *flags: str,
        config: Mapping[str, Any] | str | None = None,
        env: Mapping[str, str] | None = None,
        wait: bool = True,
        timeout: float = 40,
    ) -> None:
        """Start dockerd as a child of the box's init, logging to /var/log/docker.log.

        config, if given, is written to /etc/docker/daemon.json first (text as it is, a mapping as
        JSON). wait=False returns at once, for engines that are meant to fail; otherwise one that
        does not answer in time is an error.
        """
        if config is not None:
            self.write("/etc/docker/daemon.json", config)
        pid = self.spawn(["dockerd", *flags], log=LOG, env=env)
        if not wait:
            return

        def up() -> bool:
            if not self.alive(pid):
                raise RuntimeError(f"dockerd ended at start:\n{self.log_tail()}")
            return self.ping()

        poll(up, timeout, f"engine {self.engine} to answer", every=0.03)

    def stop_engine(self, timeout: float = 30) -> None:
        """Stop dockerd as an init system would (SIGTERM), removing containers' processes first to
        make it quick."""
        pid = self.engine_pid
        self.kill_containers()
        self.kill(pid, signal.SIGTERM)
        poll(lambda: not self.alive(pid), timeout, "dockerd to stop")

    def kill_containers(self) -> None:
        """Kill all running containers through the engine: a stop would wait for each."""
        for container in self.api("/containers/json"):
            self.api(f"/containers/{container['Id']}/kill", method="POST", check=False)

    @property
    def engine_pid(self) -> int:
        """dockerd's pid as seen in the box; LookupError when none runs."""
        return self.pid_of("dockerd")

    @property
    def containerd_pid(self) -> int:
        """The pid of dockerd's containerd as seen in the box; LookupError when none runs."""
        return self.pid_of("containerd")

    def pids_of(self, comm: str) -> list[int]:
        """All processes of that name (comm, first 15 characters), as seen in the box, zombies left
        out."""
        found = []
        for stat in self.path("/proc").glob("[0-9]*/stat"):
            try:
                head, tail = stat.read_text().rsplit(")", 1)
            except OSError:
                continue
            if head.split("(", 1)[1] == comm[:15] and tail.split()[0] != "Z":
                found.append(int(stat.parent.name))
        return sorted(found)

    def pid_of(self, comm: str) -> int:
        """The first process of that name, as seen in the box; LookupError when there is none."""
        pids = self.pids_of(comm)
        if not pids:
            raise LookupError(f"no process {comm} in the box")
        return pids[0]

    def alive(self, pid: int) -> bool:
        """Whether that process (pid as seen in the box) runs; a zombie does not."""
        try:
            return self.path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    def host_pid(self, pid: int) -> int:
        """The machine's pid of a process of the box."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
            except OSError:
                continue
            match = re.search(r"^NSpid:\t(\d+)\t(\d+)", text, re.MULTILINE)
            if match and int(match[2]) == pid and _same_pid_namespace(int(match[1]), self.pid):
                return int(match[1])
        raise LookupError(f"no process {pid} in the box")

    def ping(self) -> bool:
        """Whether the engine answers /_ping."""
        try:
            return bool(self.api("/_ping") == "OK")
        except (OSError, http.client.HTTPException, AssertionError):
            return False

    def log_tail(self, lines: int = 20) -> str:
        """The end of dockerd's log."""
        try:
            return "\n".join(self.read(LOG).splitlines()[-lines:])
        except OSError:
            return ""

    def api(
        self,
        path: str,
        *,
        method: str = "GET",
        body: Mapping[str, Any] | bytes | None = None,
        check: bool = True,
        timeout: float = 20,
        sock: str = "/run/docker.sock",
    ) -> Any:
        """Ask the engine directly (no library of the tool in between); JSON is decoded, other
        answers are text.

        check raises AssertionError on a status of 400 or more.
        """
        connection = UnixConnection(str(self.path(sock)), timeout)
        try:
            kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
            data = json.dumps(body).encode() if isinstance(body, Mapping) else body
            connection.request(
                method, path, body=data, headers={"Content-Type": kind} if data else {}
            )
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
            assert not check or response.status < 400, (
                f"{method} {path}: {response.status} {text.strip()}"
            )
            is_json = "json" in (response.getheader("Content-Type") or "")
            try:
                return json.loads(text) if is_json and text else text
            except ValueError:
                return text
        finally:
            connection.close()

    def docker(
        self, *args: str, check: bool = True, timeout: float = 30, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run the engine's own docker CLI in the box.

        A run or create gets `--stop-timeout 0` unless it says otherwise, and the images of
        `images.py` named in the arguments are imported first.
        """
        words = list(args)
        if words and words[0] in ("run", "create"):
            for name in words[1:]:
                if name in images.RECIPES:
                    self.image(name)
                    break
            if not any(w.startswith("--stop-timeout") for w in words):
                words.insert(1, "--stop-timeout=0")
        # the CLI swallows SIGTERM, so KILL
        argv = ["timeout", "-s", "KILL", str(timeout), "docker", *words]
        return self.run(argv, check=check, timeout=timeout + 5, **options)

    def in_netns(self, name: str, *argv: str) -> list[str]:
        """A command in the network namespace of a container, with the programs of the box."""
        return ["nsenter", "-t", str(self.inspect(name)["State"]["Pid"]), "-n", *argv]

    def inspect(self, name: str) -> dict[str, Any]:
        """The engine's inspect answer for a container."""
        answer = self.api(f"/containers/{name}/json")
        assert isinstance(answer, dict)
        return answer

    def image(self, name: str) -> str:
        """Make sure that the image of that name (see images.RECIPES) exists; returns the name."""
        listed = self.api(f"/images/{name}/json", check=False)
        if not (isinstance(listed, dict) and "Id" in listed):
            images.load(self, name)
        return name

    def wait_state(self, name: str, status: str, timeout: float = LEAST_WAIT_S) -> dict[str, Any]:
        """Poll until a container's State.Status is that; returns its inspect answer."""
        self.wait_for(
            lambda: self.inspect(name)["State"]["Status"] == status,
            timeout,
            f"{name} to be {status}",
        )
        return self.inspect(name)

    def wait_health(self, name: str, status: str, timeout: float = LEAST_WAIT_S) -> None:
        """Poll until a container's health check says that."""

        def says() -> bool:
            return bool(self.inspect(name)["State"]["Health"]["Status"] == status)

        self.wait_for(says, timeout, f"{name} to be {status}")

    def diagnose(
        self,
        *args: str,
        user: str | None = None,
        groups: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout: float = 90,
    ) -> Run:
        """Run the tool in the box as a user of this host would."""
        usage = f"/tmp/usage-{secrets.token_hex(4)}"
        wrapper = [sys.executable, "-I", "-S", str(HERE / "measure.py"), usage]
        can_wait = args[:1] in (("all",), ("check",), ("path",))
        is_patient = can_wait and "--budget" not in args
        patience = self.patience if is_patient else ()
        command = [*wrapper, sys.executable, "-m", "diagnose", *args, *patience]
        done = self.run(
            command,
            check=False,
            timeout=timeout,
            user=user,
            groups=groups,
            env=env,
            cwd=str(PROJECT),
        )
        wall, rss = json.loads(self.read(usage))
        self.path(usage).unlink()
        return Run(args, done.returncode, done.stdout, done.stderr, wall, rss)


def _same_pid_namespace(pid: int, other: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink(f"/proc/{other}/ns/pid")
    except OSError:
        return False
