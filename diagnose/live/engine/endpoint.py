"""Which engine is meant, and the way to it.

The order is the docker CLI's own (cli/command, 20.10 to 28): `-H`, `--context`, DOCKER_HOST, DOCKER_CONTEXT,
the current context of its configuration, the local socket. The context store is read here, in a few lines,
and compared with docker-py's reading in a test: docker-py 7.2 costs 220 ms to import, and reads `./contexts`
of the working directory where there is no config.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import msgspec

from diagnose.live import Live, Refused, Settings
from diagnose.live.engine import daemon_process
from diagnose.live.engine.daemon_process import DEFAULT_SOCKET
from diagnose.model import Json
from diagnose.recording.questions import Question

SUN_PATH = 107
"""Bytes of a path that a sockaddr_un holds (unix(7): 108 with its final NUL)."""

VM_FOLDERS = (
    "/.colima/",
    "/.lima/",
    "/.docker/desktop/",
    "/.docker/run/",
    "/.rd/",
    "/.orbstack/",
    "/podman-machine",
)
"""Parts of the paths at which engines inside virtual machines put their sockets."""


class Tls(msgspec.Struct, frozen=True):
    """PEM files of a TLS endpoint; verify False accepts any certificate, as `docker --tls` alone does."""

    ca: str | None
    cert: str | None
    key: str | None
    verify: bool = True


class Endpoint(msgspec.Struct, frozen=True):
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
    """Answer the kind `endpoint`: url, scheme (unix, tcp, ssh), source, named, tls, context, rootless.

    rootless: of a user's own engine {uid, config, data, runtime, traces}, null for the system's. config: its
    daemon.json; data: its data root unless it is told otherwise; both null where the home is not known. runtime:
    where its socket and its pid file lie. traces: whether anything of an engine lies at these places, null where
    nobody could look.
    """
    found = of(live)
    return {
        "url": found.url,
        "scheme": found.scheme,
        "source": found.source,
        "named": found.named,
        "tls": found.tls is not None,
        "context": found.context,
        "rootless": rootless(found.address, os.environ) if found.scheme == "unix" else None,
    }


def rootless(path: str, environ: Mapping[str, str]) -> Json:
    """Whose engine serves the socket at this path, and where it keeps its things; None: the system's."""
    if "podman" in path or any(part in path for part in VM_FOLDERS):
        return None
    folder = os.path.dirname(path)  # noqa: PTH120
    usual = re.match(r"(?:/var)?/run/user/(\d+)(?=/)", path)
    session = environ.get("XDG_RUNTIME_DIR")
    is_own = bool(session) and folder == session
    uid = int(usual[1]) if usual else os.geteuid() if is_own else _owner(folder)
    if not uid:
        return None
    home = _home(uid)
    base = environ if uid == os.geteuid() else {}
    config = _below(home, ".config", base.get("XDG_CONFIG_HOME"), "docker/daemon.json")
    data = _below(home, ".local/share", base.get("XDG_DATA_HOME"), "docker")
    runtime = usual[0] if usual else folder
    traces = _any_lies(config, data, f"{runtime}/docker")
    if traces is False and not usual and not is_own:
        return None  # a socket of the system's engine that lies in a user's folder
    return {"uid": uid, "config": config, "data": data, "runtime": runtime, "traces": traces}


def _owner(folder: str) -> int:
    try:
        return os.stat(folder).st_uid  # noqa: PTH116
    except OSError:
        return 0


def _home(uid: int) -> str | None:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return None


def _below(home: str | None, usual: str, said: str | None, name: str) -> str | None:
    """A place in a user's home; None where this session's variable names another: the engine's may not."""
    if home is None or (said and os.path.realpath(said) != os.path.realpath(f"{home}/{usual}")):
        return None
    return f"{home}/{usual}/{name}"


def _any_lies(*paths: str | None) -> bool | None:
    """Whether something lies at one of these paths; None where one of them could not be looked at."""
    looked = True
    for path in paths:
        try:
            if path is not None:
                os.lstat(path)
                return True
            looked = False
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            looked = False
    return False if looked else None


def of(live: Live) -> Endpoint:
    """The endpoint of this run, resolved once. Raises `Refused` (missing, malformed) with one sentence."""
    found: Endpoint = live.keep("endpoint", lambda: resolve(live.settings, os.environ))
    return found


def may_connect(live: Live) -> Endpoint:
    """The endpoint, if connecting to it wakes nothing; else Refused("not allowed")."""
    found = of(live)
    if found.scheme == "unix" and live.keep("sleeping", lambda: daemon_process.sleeping(found.address)):
        raise Refused(
            "not allowed",
            "docker.socket is listening and docker.service is inactive: connecting would start it",
        )
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
    text = url.strip() or f"unix://{DEFAULT_SOCKET}"
    if not text.isprintable():
        raise Refused("malformed", f"{source} holds characters that no address has: {text!a}")
    scheme, marker, rest = text.partition("://")
    if not marker:
        if text.startswith(("/", "unix:")):  # the docker CLI takes this for the name of a machine
            raise Refused("malformed", f"{source} is no address: {text}; is unix://{text.removeprefix('unix:')} meant?")
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
        found = json.loads((store / "meta" / digest / "meta.json").read_text(encoding="utf-8"))["Endpoints"]["docker"]
        url = found["Host"]
        insecure = bool(found.get("SkipTLSVerify"))
    except OSError as error:
        way_out = "" if source == "--context" else "; --context default asks the engine of this host"
        raise Refused("missing", f"there is no docker context {name!r} ({source}) in {store}{way_out}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("malformed", f"docker context {name!r} ({source}) in {store} names no engine") from error
    if not isinstance(url, str):
        raise Refused("malformed", f"docker context {name!r} ({source}) in {store} names no engine")
    pem = _pem(store / "tls" / digest / "docker", not insecure)
    used = pem if pem.ca or pem.cert or insecure else None
    return parse(url, source, used, name)
