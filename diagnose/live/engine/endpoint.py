"""The choice of the engine, and the connection to it.

The order is the docker CLI's own (cli/command, 20.10 to 28): `-H`, `--context`, DOCKER_HOST,
DOCKER_CONTEXT, the current context of its configuration, the local socket. Whatever is more than
the default socket is read by docker-py, which is imported then: `docker_py`.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from diagnose.live import Live, Refused
from diagnose.live.disk.opening import read_text
from diagnose.live.engine import daemon_process
from diagnose.live.engine.daemon_process import DEFAULT_SOCKET
from diagnose.model import Json
from diagnose.questions.endpoint import FindEndpoint
from diagnose.questions.run import Options

if TYPE_CHECKING:
    from diagnose.live.engine.docker_py import Tls

SUN_PATH = 107
"""Bytes of a path that a sockaddr_un holds (unix(7): 108 with its final NUL)."""

MOST_BYTES = 1 << 20
"""Of the docker command's configuration: a user may have put anything there."""

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


class EngineEndpoint(msgspec.Struct, frozen=True):
    """The address of an engine."""

    url: str
    base_url: str
    """The address as docker-py's client takes it."""
    scheme: str
    address: str
    """Path of the socket, or host name."""
    port: int | None
    source: str
    """What decided it."""
    named: bool
    """Whether the user chose it."""
    context: str | None = None
    tls: Tls | None = None


def endpoint(live: Live, question: FindEndpoint) -> Json:  # noqa: ARG001 - the signature of every collector
    """The engine that is meant, how it is reached, and what decided it."""
    address = of(live)
    return {
        "url": address.url,
        "scheme": address.scheme,
        "source": address.source,
        "named": address.named,
        "tls": address.tls is not None,
        "context": address.context,
        "rootless": rootless(address.address, os.environ) if address.scheme == "unix" else None,
    }


def rootless(path: str, environ: Mapping[str, str]) -> Json:
    """The user whose engine serves the socket at this path, and the places of that engine, as
    `Rootless`.

    None for the system's engine.
    """
    if "podman" in path or any(part in path for part in VM_FOLDERS):
        return None
    folder = os.path.dirname(path)  # noqa: PTH120
    usual = re.match(r"(?:/var)?/run/user/(\d+)(?=/)", path)
    session = environ.get("XDG_RUNTIME_DIR")
    is_own = bool(session) and folder == session
    if usual:
        uid = int(usual[1])
    else:
        uid = os.geteuid() if is_own else _owner(folder)
    if not uid:
        return None
    home = _home_folder(uid)
    base = environ if uid == os.geteuid() else {}
    config = _place_in_home(home, ".config", base.get("XDG_CONFIG_HOME"), "docker/daemon.json")
    data = _place_in_home(home, ".local/share", base.get("XDG_DATA_HOME"), "docker")
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


def _home_folder(uid: int) -> str | None:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return None


def _place_in_home(home: str | None, usual: str, chosen: str | None, name: str) -> str | None:
    """A place in a user's home.

    None where this session's variable names another: the engine's may not.
    """
    if home is None or (chosen and os.path.realpath(chosen) != os.path.realpath(f"{home}/{usual}")):
        return None
    return f"{home}/{usual}/{name}"


def _any_lies(*paths: str | None) -> bool | None:
    """Whether something lies at one of these paths.

    None where one of them could not be looked at.
    """
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


def of(live: Live) -> EngineEndpoint:
    """The endpoint of this run, resolved once.

    Raises `Refused` (missing, malformed) with one sentence.
    """
    address: EngineEndpoint = live.keep("endpoint", lambda: resolve(live.options, os.environ))
    return address


def may_connect(live: Live) -> EngineEndpoint:
    """The endpoint, if connecting to it wakes nothing; else Refused("not allowed")."""
    address = of(live)
    if address.scheme == "unix" and live.keep(
        "sleeping", lambda: daemon_process.sleeping(address.address)
    ):
        raise Refused(
            "not allowed",
            "docker.socket is listening and docker.service is inactive: connecting would start it",
        )
    return address


def resolve(options: Options, environ: Mapping[str, str]) -> EngineEndpoint:
    """The endpoint that these options and this environment name.

    As the docker CLI would choose it.
    """
    if options.host and options.context:
        raise Refused("malformed", "-H and --context name two endpoints: give one")
    if options.host:
        return parse(options.host, "-H", _environment_tls(environ))
    if options.context:
        return _context(options.context, "--context", environ)
    if environ.get("DOCKER_HOST"):
        return parse(environ["DOCKER_HOST"], "DOCKER_HOST", _environment_tls(environ))
    if environ.get("DOCKER_CONTEXT"):
        return _context(environ["DOCKER_CONTEXT"], "DOCKER_CONTEXT", environ)
    current = current_context(environ)
    if current:
        return _context(current, "currentContext", environ)
    return _local_endpoint(environ)


def _local_endpoint(environ: Mapping[str, str], context: str | None = None) -> EngineEndpoint:
    """The default socket, or the first of its stand-ins that is a socket."""
    default = EngineEndpoint(
        f"unix://{DEFAULT_SOCKET}",
        base_url=f"http+unix://{DEFAULT_SOCKET}",
        scheme="unix",
        address=DEFAULT_SOCKET,
        port=None,
        source="default socket",
        named=False,
        context=context,
    )
    if _is_socket(DEFAULT_SOCKET):
        return default
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    stand_ins = [("/run/podman/podman.sock", "podman socket")]
    if runtime:
        stand_ins = [
            (f"{runtime}/docker.sock", "rootless socket"),
            (f"{runtime}/podman/podman.sock", "podman socket"),
            *stand_ins,
        ]
    for path, source in stand_ins:
        if _is_socket(path):
            return msgspec.structs.replace(
                parse(f"unix://{path}", source, context=context), named=False
            )
    return default


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)  # noqa: PTH116 - Path.stat costs as much again
    except OSError:
        return False


def _socket_path(base_url: str) -> str:
    """The path of a local socket; Refused("malformed") for one that the kernel does not take."""
    path = os.path.normpath(f"/{base_url.removeprefix('http+unix://')}").replace("//", "/", 1)
    if len(os.fsencode(path)) > SUN_PATH:
        raise Refused(
            "malformed", f"the path of the socket is longer than {SUN_PATH} bytes: {path}"
        )
    return path


def parse(
    url: str, source: str, tls: Tls | None = None, context: str | None = None
) -> EngineEndpoint:
    """The endpoint of a URL.

    unix://PATH, tcp://HOST:PORT, ssh://[USER@]HOST[:PORT][/PATH], HOST:PORT. Raises
    Refused("malformed").
    """
    from diagnose.live.engine import docker_py

    text = url.strip() or f"unix://{DEFAULT_SOCKET}"
    _refuse_no_address(text, source)
    try:
        base_url = docker_py.base_url(text, tls=tls is not None)
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError as error:
        raise Refused("malformed", f"{source} is not an address: {text} ({error})") from error
    scheme = "tcp"
    address = parts.hostname or ""
    if parts.scheme == "http+unix":
        scheme = "unix"
        address = _socket_path(base_url)
        tls = None
        base_url = f"http+unix://{address}"
    elif parts.scheme == "ssh":
        scheme = "ssh"
    elif parts.scheme == "https" and tls is None:
        tls = docker_py.Tls(None, None, None)
    return EngineEndpoint(
        text,
        base_url=base_url,
        scheme=scheme,
        address=address,
        port=None if scheme == "unix" else port,
        source=source,
        named=True,
        context=context,
        tls=tls,
    )


def _refuse_no_address(text: str, source: str) -> None:
    """Raises Refused("malformed") for what the docker CLI would take for something else."""
    if not text.isprintable():
        raise Refused("malformed", f"{source} holds characters that no address has: {text!a}")
    is_path = text.startswith(("/", "unix:")) and not text.startswith("unix://")
    if is_path:  # the docker CLI takes it for a machine's name
        raise Refused(
            "malformed",
            f"{source} is not an address: {text}; is unix://{text.removeprefix('unix:')} meant?",
        )
    scheme, marker, _ = text.partition("://")
    if marker and scheme not in ("unix", "tcp", "http", "https", "ssh"):
        raise Refused(
            "malformed", f"{source} has a scheme that is none of unix, tcp and ssh: {text}"
        )


def _environment_tls(environ: Mapping[str, str]) -> Tls | None:
    """TLS as DOCKER_TLS, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH ask for it.

    Any value is yes, "0" too.
    """
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    from diagnose.live.engine.docker_py import pem_files

    return pem_files(Path(environ.get("DOCKER_CERT_PATH") or configuration(environ)), verify=verify)


def configuration(environ: Mapping[str, str]) -> Path:
    """The folder of the docker command's own configuration."""
    return Path(
        environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or "/nonexistent") / ".docker"
    )


def current_context(environ: Mapping[str, str]) -> str | None:
    """The context of the configuration, if it is not the default one.

    Read here, since most runs need no docker-py.
    """
    text = read_text(str(configuration(environ) / "config.json"), MOST_BYTES)
    try:
        name = json.loads(text or "").get("currentContext")
    except (ValueError, AttributeError):
        return None
    return name if isinstance(name, str) and name not in ("", "default") else None


def _context(name: str, source: str, environ: Mapping[str, str]) -> EngineEndpoint:
    """The endpoint of a docker context. source: what named the context."""
    if name == "default":
        if environ.get("DOCKER_HOST"):
            return parse(
                environ["DOCKER_HOST"], "DOCKER_HOST", _environment_tls(environ), "default"
            )
        return _local_endpoint(environ, "default")
    from diagnose.live.engine import docker_py

    folder = configuration(environ)
    try:
        context = docker_py.context(name, folder)
    except ValueError as error:
        detail = f"docker context {name!r} ({source}) in {folder}/contexts names no engine: {error}"
        raise Refused("malformed", detail) from error
    if context is None:
        way_out = (
            "" if source == "--context" else "; --context default asks the engine of this host"
        )
        raise Refused(
            "missing",
            f"there is no docker context {name!r} ({source}) in {folder}/contexts{way_out}",
        )
    return parse(context.address, source, context.tls, name)
