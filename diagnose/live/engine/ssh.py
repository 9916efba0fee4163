"""ssh:// addresses: HTTP with an engine behind the system's ssh, as docker-py's adapter.

docker-py 7.2 speaks ssh only where paramiko is; then it prompts, prints on our stderr and never
gives up. This one runs `ssh` in batch mode, with ~/.ssh/config and its port.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from docker.transport.basehttpadapter import BaseHTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

if TYPE_CHECKING:
    import requests

AT_ONCE = 4
"""Requests under way at once: over ssh each connection is a login on the other side."""

COMPLAINT_BYTES = 300


def ssh_address(address: str) -> str:
    """An address as `ssh_command` reads it.

    Raises ValueError for one that names no host, or an option of ssh in its place.
    """
    parts = urlsplit(address)
    if not parts.hostname:
        raise ValueError("no host")
    if parts.hostname.startswith("-") or (parts.username or "").startswith("-"):
        raise ValueError("an option of ssh stands in place of a host")  # ssh would run it
    if parts.port is not None and not parts.port:
        raise ValueError("port 0")
    return address.rstrip("/")


class _SshConnection(HTTPConnection):
    """A connection to the engine behind ssh, as the docker CLI makes it, by `docker system
    dial-stdio` on the other side.

    Its socket is one end of a pair whose other end is ssh's: deadlines hold, and ssh ends when it
    is closed.
    """

    def __init__(self, adapter: SshAdapter) -> None:
        super().__init__("localhost")
        self._adapter = adapter

    def connect(self) -> None:
        """Start ssh. Raises OSError."""
        ours, theirs = socket.socketpair()
        ours.settimeout(self.timeout)  # of the request
        with theirs:
            try:
                subprocess.Popen(
                    self._adapter.command,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=self._adapter.complaints,
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                raise
        self.sock = ours


class _SshPool(HTTPConnectionPool):
    def __init__(self, adapter: SshAdapter) -> None:
        super().__init__("localhost", maxsize=AT_ONCE)
        self._adapter = adapter

    def _new_conn(self) -> _SshConnection:
        return _SshConnection(self._adapter)


class SshAdapter(BaseHTTPAdapter):
    """docker-py's adapter, on connections through the system's ssh."""

    def __init__(self, url: str) -> None:
        self.command = ssh_command(url)
        self.complaints = os.memfd_create("ssh-stderr")
        self._pool = _SshPool(self)
        super().__init__()

    def get_connection(self, url: str | bytes, proxies: object = None) -> _SshPool:  # noqa: ARG002 - the parameters of requests
        """The pool of this adapter's connections."""
        return self._pool

    def request_url(self, request: requests.PreparedRequest, proxies: object) -> str:  # noqa: ARG002
        """The request's path: the host of its URL is a name that docker-py made up."""
        return str(request.path_url)

    def complaint(self) -> str:
        """The end of ssh's stderr, on one line."""
        size = os.fstat(self.complaints).st_size
        text = os.pread(self.complaints, COMPLAINT_BYTES, max(0, size - COMPLAINT_BYTES))
        return " ".join(text.decode("utf-8", errors="replace").split())


def ssh_command(url: str) -> list[str]:
    """The command that speaks HTTP with an engine behind ssh:// on its standard streams."""
    parts = urlsplit(url)
    argv = [
        "ssh",
        "-T",
        "-o",
        "BatchMode=yes",
        "-o",
        "ConnectTimeout=5",
    ]  # BatchMode: nobody is there to type a password
    if parts.username:
        argv += ["-l", parts.username]
    if parts.port:
        argv += ["-p", str(parts.port)]
    argv += ["--", parts.hostname or "", "docker"]
    if parts.path:
        argv += ["--host", shlex.quote(f"unix://{parts.path}")]
    return [*argv, "system", "dial-stdio"]
