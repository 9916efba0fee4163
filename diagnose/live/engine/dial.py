"""A connection to the endpoint: unix socket, TCP, TLS, ssh."""

from __future__ import annotations

import os
import shlex
import socket
from typing import TYPE_CHECKING

from diagnose.live import Refused
from diagnose.live.engine.endpoint import Endpoint, Tls
from diagnose.live.engine.http import Connection

if TYPE_CHECKING:
    import ssl


def dial(found: Endpoint, seconds: float) -> Connection:
    """A connection to the endpoint within `seconds`; libc's look-up of a host name may take longer.

    Raises OSError or `Refused`. Ask `endpoint.may_connect` first.
    """
    if found.scheme == "unix":
        return Connection(_dial_unix(found.address, seconds), found.host_header)
    if found.scheme == "ssh":
        return _dial_ssh(found)
    stream = _dial_tcp(found, seconds)
    if found.tls is None:
        return Connection(stream, found.host_header)
    import ssl  # it is there already

    return Connection(stream, found.host_header, not_yet=ssl.SSLWantReadError)


def _dial_unix(path: str, seconds: float) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.settimeout(seconds)
    try:
        stream.connect(path)
    except BlockingIOError as error:
        stream.close()
        raise Refused("timed out", f"{path}: the queue of connections that nobody accepts is full") from error
    except OSError as error:
        stream.close()
        error.filename = path
        raise
    return stream


def _dial_tcp(found: Endpoint, seconds: float) -> socket.socket:
    context = tls_context(found.tls) if found.tls else None
    try:
        plain = socket.create_connection((found.address, found.port or 2375), timeout=seconds)
    except OSError as error:
        error.filename = f"{found.address}:{found.port}"
        raise
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=found.address)
    except OSError as error:
        plain.close()
        if isinstance(error, TimeoutError | ConnectionError):
            raise
        raise Refused("refused", f"TLS with {found.address}:{found.port} failed: {error}") from error


def _dial_ssh(found: Endpoint) -> Connection:
    """The engine behind ssh, by `docker system dial-stdio` on the other side, as the docker CLI does it.

    BatchMode: nobody is there to type a password. ssh ends when our end of the pair is closed.
    """
    import subprocess  # 4 ms that only ssh endpoints pay

    argv = ["ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
    if found.user:
        argv += ["-l", found.user]
    if found.port:
        argv += ["-p", str(found.port)]
    argv += ["--", found.address, "docker"]
    if found.path:
        argv += ["--host", shlex.quote(f"unix://{found.path}")]
    argv += ["system", "dial-stdio"]
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            ssh = subprocess.Popen(
                argv,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise

    def complaint() -> str:
        """What ssh said in the end, without waiting for more."""
        if ssh.stderr is None:
            return ""
        os.set_blocking(ssh.stderr.fileno(), False)
        said = (ssh.stderr.read() or b"")[-300:].decode("utf-8", errors="replace")
        return f"ssh {found.address} docker system dial-stdio: {' '.join(said.split())}"

    return Connection(ours, found.host_header, complaint)


def tls_context(tls: Tls) -> ssl.SSLContext:
    """The client's TLS settings out of PEM files. Raises Refused (missing, malformed) for unusable files."""
    import ssl  # 30 ms that only TLS endpoints pay

    if tls.verify:
        try:
            context = ssl.create_default_context(cafile=tls.ca)
        except (OSError, ssl.SSLError) as error:
            raise Refused("malformed", f"{tls.ca} is no readable certificate: {error}") from error
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if (tls.cert is None) != (tls.key is None):
        raise Refused("missing", f"only one of the client's cert.pem and key.pem is there: {tls.cert or tls.key}")
    if tls.cert and tls.key:
        try:
            context.load_cert_chain(tls.cert, tls.key)
        except (OSError, ssl.SSLError) as error:
            raise Refused("malformed", f"{tls.cert} and {tls.key} are no readable pair: {error}") from error
    return context
