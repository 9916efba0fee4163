"""The provider: the network on the other end of the box's uplink, with a gateway, a resolver, a web
server, a registry.

It has namespaces of its own outside the box, so the box sees of it what a host sees of its
provider: packets. The addresses are of TEST-NET-1; every box and its provider are alone with them,
so boxes do not disturb each other.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .commands import poll, run_bounded

PROJECT = Path(__file__).resolve().parent.parent.parent

BOX_ADDRESS = "192.0.2.10"
GATEWAY = "192.0.2.1"
RESOLVER = "192.0.2.53"
WEB = "192.0.2.80"
SILENT = "192.0.2.253"
PREFIX = 24
ZONE = "lab.test"

_INIT = """
exec 3<&0 </dev/null
mount -t tmpfs run /run
# what the provider's programs are made of may lie under /tmp
n=0; for path in "$@"; do n=$((n + 1)); mkdir -p /run/kept/$n; mount --bind "$path" /run/kept/$n; done
mount -t tmpfs tmp /tmp
n=0; for path in "$@"; do n=$((n + 1)); mkdir -p "$path"; mount --bind /run/kept/$n "$path"; done
ip link set lo up && echo ready
exec >/dev/null 2>&1
cat <&3 &
wait $!
"""


def _kept() -> list[str]:
    """The project and its Python, where the provider's own /tmp would hide them."""
    return [str(path) for path in (PROJECT, Path(sys.prefix)) if path.is_relative_to("/tmp")]


class Provider:
    """A gateway 192.0.2.1, a resolver 192.0.2.53 for *.lab.test and a web server 192.0.2.80 (any
    name of the zone).

    Nobody answers at SILENT. Nothing is forwarded: no packet leaves the box and its provider.
    """

    def __init__(self, box_pid: int) -> None:
        self._unshare = subprocess.Popen(
            [
                "unshare",
                *[
                    "--mount",
                    "--net",
                    "--uts",
                    "--ipc",
                    "--pid",
                    "--fork",
                    "--kill-child",
                    "--mount-proc",
                ],
                "sh",
                "-ec",
                _INIT,
                "provider",
                *_kept(),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._unshare.stdout
        if self._unshare.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError("the provider did not start")
        pid = self._unshare.pid
        self.pid = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        addresses = "\n".join(f"addr add {a}/{PREFIX} dev uplink" for a in (GATEWAY, RESOLVER, WEB))
        batch = f"link add uplink type veth peer name eth0 netns {box_pid}\n{addresses}\nlink set uplink up\n"
        # only the network namespace: the box's pid must mean what it means on the machine
        subprocess.run(
            ["nsenter", "-t", str(self.pid), "-n", "ip", "-batch", "-"],
            input=batch,
            text=True,
            check=True,
            timeout=10,
        )
        self._dns: int | None = None
        self.dns_start()
        self.sh("mkdir -p /run/www && echo hello from the web >/run/www/index.html")
        self.spawn(["busybox", "httpd", "-f", "-p", f"{WEB}:80", "-h", "/run/www"])

    def run(
        self, argv: Sequence[str], *, check: bool = True, timeout: float = 10
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the provider's network and wait; check raises AssertionError with its
        output."""
        enter = ["nsenter", "-t", str(self.pid), *["-m", "-n", "-p", "-u", "-i", "-r", "-w", "--"]]
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
        return run_bounded([*enter, *argv], argv, env, timeout=timeout, check=check)

    def sh(self, script: str, timeout: float = 10) -> str:
        """Run a shell script in the provider, stopping at the first error; returns its stdout."""
        return self.run(["sh", "-ec", script], timeout=timeout).stdout

    def spawn(self, argv: Sequence[str]) -> int:
        """Start a process in the background; returns its pid as the provider sees it."""
        return int(
            self.run(["sh", "-c", '"$@" </dev/null >/dev/null 2>&1 & echo $!', "sh", *argv]).stdout
        )

    def curl(self, url: str, timeout: float = 3, check: bool = True) -> str:
        """Fetch a URL from outside the host, as a client of a published port would; "" on failure
        if not check."""
        argv = ["curl", "-sS", "--noproxy", "*", "--max-time", str(timeout), url]
        return self.run(argv, check=check, timeout=timeout + 5).stdout

    def dns_start(self, *options: str) -> None:
        """Start the resolver; options are dnsmasq's."""
        zone = f"--local=/{ZONE}/ --address=/{ZONE}/{WEB}"
        fixed = "--no-resolv --no-hosts --conf-file=/dev/null --user=root --pid-file= --keep-in-foreground"
        listen = f"--listen-address={RESOLVER} --bind-interfaces"
        self._dns = self.spawn(
            ["dnsmasq", *fixed.split(), *listen.split(), *zone.split(), *options]
        )

        def listens() -> bool:
            return f"{RESOLVER}:53" in self.run(["ss", "-lnu"]).stdout

        poll(listens, 20, "dnsmasq to listen")

    def dns_stop(self) -> None:
        """Stop the resolver: queries are refused (ICMP port unreachable)."""
        if self._dns:
            self.sh(f"kill -9 {self._dns}")
            self._dns = None

    def drop(self, rule: str) -> None:
        """Drop what arrives here silently: an iptables match, such as "-p udp --dport 53"."""
        self.sh(f"iptables -A INPUT {rule} -j DROP")

    def undrop(self) -> None:
        """Take back every `drop`."""
        self.sh("iptables -F INPUT")

    def registry_start(self, port: int = 5000) -> str:
        """Start an empty registry without TLS (package docker-registry); returns its host:port."""
        storage = "storage: {filesystem: {rootdirectory: /tmp/registry}}"
        config = f"version: 0.1\n{storage}\nhttp: {{addr: {WEB}:{port}}}\n"
        self.sh(f"cat >/run/registry.yml <<'END'\n{config}END\n")
        self.spawn(["docker-registry", "serve", "/run/registry.yml"])
        for _ in range(100):
            if self.run(["curl", "-s", f"http://{WEB}:{port}/v2/"], check=False).returncode == 0:
                return f"{WEB}:{port}"
        raise RuntimeError("the registry does not answer")

    def close(self) -> None:
        """End every process of the provider."""
        self._unshare.kill()
        self._unshare.wait()
        for pipe in (self._unshare.stdin, self._unshare.stdout):
            if pipe:
                pipe.close()
