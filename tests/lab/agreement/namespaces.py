"""Network namespaces that a test makes and enters."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


_CLONE_NEWNET = 0x40000000


_LIBC = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace that lives as long as this object."""

    def __init__(self, name: str) -> None:
        self.name = name
        with _back_home():
            _check(_LIBC.unshare(_CLONE_NEWNET))
            self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            os.set_inheritable(self.fd, True)
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        with _back_home():
            _check(_LIBC.setns(self.fd, _CLONE_NEWNET))
            yield

    def sh(self, script: str, check: bool = True) -> str:
        """Run a shell script inside."""
        with self.entered():
            done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, timeout=60)
        if check and done.returncode:
            raise RuntimeError(f"{self.name}: {done.stderr.strip()}\n{script}")
        return done.stdout

    def join(self, link: str, peer: str, other: Namespace) -> None:
        """A pair of interfaces between this namespace and another."""
        self.sh(
            f"ip link add {link} type veth peer name {peer} netns {other.path}; ip link set {link} up"
        )
        other.sh(f"ip link set {peer} up")


@contextlib.contextmanager
def _back_home() -> Iterator[None]:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _check(_LIBC.setns(home, _CLONE_NEWNET))
        os.close(home)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
