"""Which engine is meant, and the way to it.

The order is the docker CLI's own (cli/command, 20.10 to 28): `-H`, `--context`, DOCKER_HOST, DOCKER_CONTEXT, the
current context of its configuration, the local socket. The context store is read here, in a few lines, and compared
with docker-py's reading in a test: docker-py 7.2 costs 220 ms to import, and reads `./contexts` of the working
directory where there is no config.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import socket
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from diagnose.host import Question
from diagnose.live import Live, Refused, Settings
from diagnose.model import Json

if TYPE_CHECKING:
    import ssl

DEFAULT_SOCKET = "/var/run/docker.sock"
SUN_PATH = 107
"""Bytes of a path that a sockaddr_un holds (unix(7): 108 with its final NUL)."""

DAEMON_NAMES = frozenset({"dockerd", "dockerd-ce", "balenad", "balena-engine-d"})
"""What the engine's process calls itself in /proc/PID/comm."""


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files of a TLS endpoint; verify False accepts any certificate, as `docker --tls` alone does."""

    ca: str | None
    cert: str | None
    key: str | None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the engine answers.

    address: path of the socket, or host name; source: what decided it; named: the user chose it; path: of the
    socket on the other side of ssh.
    """

    url: str
    scheme: str
    address: str
    port: int | None
    source: str
    named: bool
    user: str | None = None
    path: str = ""
    context: str | None = None
    tls: Tls | None = None

    @property
    def host_header(self) -> str:
        """What stands in the Host header; Go's server wants one, whatever it is, on a unix socket."""
        return f"{self.address}:{self.port}" if self.scheme == "tcp" else "docker"


def endpoint(live: Live, question: Question) -> Json:  # noqa: ARG001 - the signature of every hand
    """Answer the kind `endpoint`: url, scheme (unix, tcp, ssh), source, named, tls, context."""
    found = of(live)
    return {
        "url": found.url,
        "scheme": found.scheme,
        "source": found.source,
        "named": found.named,
        "tls": found.tls is not None,
        "context": found.context,
    }


def of(live: Live) -> Endpoint:
    """The endpoint of this run, resolved once. Raises `Refused` (missing, malformed) with one sentence."""
    found: Endpoint = live.keep("endpoint", lambda: resolve(live.settings, os.environ))
    return found


def resolve(settings: Settings, environ: Mapping[str, str]) -> Endpoint:
    """The endpoint that these settings and this environment name, as the docker CLI would choose it."""
    if settings.host and settings.context:
        raise Refused("malformed", "-H and --context name two endpoints: give one")
    if settings.host:
        return parse(settings.host, "-H", _environment_tls(environ))
    if settings.context:
        return _context(settings.context, "--context", environ)
    if environ.get("DOCKER_HOST"):
        return parse(environ["DOCKER_HOST"], "DOCKER_HOST", _environment_tls(environ))
    if environ.get("DOCKER_CONTEXT"):
        return _context(environ["DOCKER_CONTEXT"], "DOCKER_CONTEXT", environ)
    current = _current_context(environ)
    if current:
        return _context(current, "currentContext", environ)
    return _local(environ)


def _local(environ: Mapping[str, str], context: str | None = None) -> Endpoint:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    places = [(DEFAULT_SOCKET, "default socket")]
    if runtime:
        places.append((f"{runtime}/docker.sock", "rootless socket"))
        places.append((f"{runtime}/podman/podman.sock", "podman socket"))
    places.append(("/run/podman/podman.sock", "podman socket"))
    path, source = next((place for place in places if _is_socket(place[0])), places[0])
    return Endpoint(f"unix://{path}", "unix", path, None, source, False, context=context)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)  # noqa: PTH116 - Path.stat costs as much again
    except OSError:
        return False


def parse(url: str, source: str, tls: Tls | None = None, context: str | None = None) -> Endpoint:
    """The endpoint of a URL as the docker CLI takes it.

    unix://PATH, tcp://HOST:PORT, ssh://[USER@]HOST[:PORT][/PATH], HOST:PORT. Raises Refused("malformed").
    """
    text = url.strip()
    scheme, marker, rest = text.partition("://")
    if not marker:
        scheme, rest = "tcp", text
    if scheme == "unix":
        path = rest or DEFAULT_SOCKET
        if len(os.fsencode(path)) > SUN_PATH:
            raise Refused("malformed", f"the path of the socket is longer than {SUN_PATH} bytes: {path}")
        return Endpoint(text, "unix", path, None, source, True, context=context)
    if scheme in ("http", "https"):
        scheme = "tcp"
    if scheme not in ("tcp", "ssh"):
        raise Refused("malformed", f"{source} has a scheme that is none of unix, tcp and ssh: {text}")
    parts, port = _split(f"{scheme}://{rest}", source)
    host = parts.hostname or ("localhost" if scheme == "tcp" else "")
    if not host or host.startswith("-") or (parts.username or "").startswith("-"):
        raise Refused("malformed", f"{source} names no host: {text}")
    if scheme == "tcp":
        if text.startswith("https://") and tls is None:
            tls = Tls(None, None, None)
        port = port or (2376 if tls else 2375)
        return Endpoint(text, "tcp", host, port, source, True, context=context, tls=tls)
    return Endpoint(
        text,
        "ssh",
        host,
        port,
        source,
        True,
        user=parts.username,
        path=parts.path.rstrip("/"),
        context=context,
    )


def _split(url: str, source: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:
        raise Refused("malformed", f"{source} is no address: {url} ({error})") from error


def _environment_tls(environ: Mapping[str, str]) -> Tls | None:
    """TLS as DOCKER_TLS, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH ask for it; any value is yes, "0" too."""
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    folder = environ.get("DOCKER_CERT_PATH") or str(_configuration(environ))
    return _pem(Path(folder), verify)


def _pem(folder: Path, verify: bool) -> Tls:
    ca, cert, key = (
        str(path) if path.exists() else None for path in (folder / f"{n}.pem" for n in ("ca", "cert", "key"))
    )
    return Tls(ca, cert, key, verify)


def _configuration(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or "/nonexistent") / ".docker")


def _current_context(environ: Mapping[str, str]) -> str | None:
    try:
        text = (_configuration(environ) / "config.json").read_text(encoding="utf-8")
        name = json.loads(text).get("currentContext")
    except (OSError, ValueError, AttributeError):
        return None
    return name if isinstance(name, str) and name not in ("", "default") else None


def _context(name: str, source: str, environ: Mapping[str, str]) -> Endpoint:
    if name == "default":
        if environ.get("DOCKER_HOST"):
            return parse(environ["DOCKER_HOST"], "DOCKER_HOST", _environment_tls(environ), "default")
        return _local(environ, "default")
    store = _configuration(environ) / "contexts"
    digest = hashlib.sha256(name.encode()).hexdigest()
    try:
        found = json.loads((store / "meta" / digest / "meta.json").read_text(encoding="utf-8"))["Endpoints"][
            "docker"
        ]
        url = found["Host"]
        insecure = bool(found.get("SkipTLSVerify"))
    except OSError as error:
        raise Refused("missing", f"there is no docker context {name!r} ({source}) in {store}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(
            "malformed", f"docker context {name!r} ({source}) in {store} names no engine"
        ) from error
    if not isinstance(url, str):
        raise Refused("malformed", f"docker context {name!r} ({source}) in {store} names no engine")
    pem = _pem(store / "tls" / digest / "docker", not insecure)
    used = pem if pem.ca or pem.cert or url.startswith("https://") else None
    return parse(url, source, used, name)


def dial(found: Endpoint, seconds: float) -> socket.socket:
    """A connected stream to the endpoint within `seconds`; libc's look-up of a host name may take longer.

    Raises OSError or `Refused`. Ask `may_connect` first.
    """
    if found.scheme == "unix":
        return _dial_unix(found.address, seconds)
    if found.scheme == "ssh":
        return _dial_ssh(found)
    plain = socket.create_connection((found.address, found.port or 2375), timeout=seconds)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if found.tls is None:
        return plain
    context = tls_context(found.tls)
    try:
        return context.wrap_socket(plain, server_hostname=found.address)
    except BaseException:
        plain.close()
        raise


def _dial_unix(path: str, seconds: float) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.settimeout(seconds)
    try:
        stream.connect(path)
    except BlockingIOError as error:
        stream.close()
        raise Refused("timed out", f"{path} is listened on, but its queue of connections is full") from error
    except OSError:
        stream.close()
        raise
    return stream


def _dial_ssh(found: Endpoint) -> socket.socket:
    """The engine behind ssh, by `docker system dial-stdio` on the other side, as the docker CLI does it.

    BatchMode: nobody is there to type a password.
    """
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
            subprocess.Popen(  # ssh ends when our end of the pair is closed
                argv,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
    return ours


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
        raise Refused(
            "missing", f"only one of the client's cert.pem and key.pem is there: {tls.cert or tls.key}"
        )
    if tls.cert and tls.key:
        try:
            context.load_cert_chain(tls.cert, tls.key)
        except (OSError, ssl.SSLError) as error:
            raise Refused("malformed", f"{tls.cert} and {tls.key} are no readable pair: {error}") from error
    return context


def may_connect(live: Live) -> Endpoint:
    """The endpoint, if connecting to it wakes nothing; else Refused("not allowed")."""
    found = of(live)
    if found.scheme == "unix" and live.keep("sleeping", lambda: sleeping(found.address)):
        raise Refused(
            "not allowed",
            "docker.socket is listening and docker.service is inactive: connecting would start it",
        )
    return found


def sleeping(path: str) -> bool:
    """Whether systemd listens on this socket for a Docker that does not run: connecting would start it.

    Podman's may be woken. Read from /proc alone: the listening socket, the name of pid 1, and the process list.
    """
    real = os.path.realpath(path)
    if "podman" in real or comm(1) != "systemd" or pid_file():
        return False
    inode = listening_inode(real)
    if inode is None or daemon_pids():
        return False
    owned = owns_socket(1, inode)
    return owned if owned is not None else real == os.path.realpath(DEFAULT_SOCKET)


def listening_inode(path: str) -> int | None:
    """The inode of the unix socket listening under this path in our network namespace (/proc/net/unix)."""
    wanted = {path, path.replace("/run/", "/var/run/", 1) if path.startswith("/run/") else path}
    try:
        lines = Path("/proc/net/unix").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines[1:]:
        fields = line.split(None, 7)
        if len(fields) == 8 and fields[7] in wanted and int(fields[3], 16) & 0x10000:
            return int(fields[6])
    return None


def owns_socket(pid: int, inode: int) -> bool | None:
    """Whether a process holds the socket of this inode open; None when its descriptors may not be read."""
    try:
        names = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208 - names are enough
    except PermissionError:
        return None
    except OSError:
        return False
    for name in names:
        try:
            if os.readlink(f"/proc/{pid}/fd/{name}") == f"socket:[{inode}]":  # noqa: PTH115
                return True
        except OSError:
            continue
    return False


def pid_file(path: str = "/run/docker.pid") -> int | None:
    """The daemon that a pid file names, if it is alive and one: the file outlives a killed daemon."""
    try:
        pid = int(Path(path).read_text(encoding="ascii").strip() or 0)
    except (OSError, ValueError):
        return None
    return pid if comm(pid) in DAEMON_NAMES and _here_and_alive(pid) else None


def daemon_pids() -> list[int]:
    """The living Docker daemons of our own PID namespace, ascending; those inside containers are left out."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    return sorted(pid for pid in pids if comm(pid) in DAEMON_NAMES and _here_and_alive(pid))


def comm(pid: int) -> str:
    """What a process calls itself, up to 15 bytes; empty when it is gone, or hidden from us."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - of every process
            return file.read().rstrip("\n")
    except OSError:
        return ""


def _here_and_alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    nested = re.search(r"^NSpid:\s+\d+[ \t]+\d", text, re.MULTILINE)
    return not nested and not re.search(r"^State:\s+[ZX]", text, re.MULTILINE)
