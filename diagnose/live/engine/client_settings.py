"""The configuration and the plugins of this user's docker command.

Only names leave this module: the secrets of the configuration are never part of an answer.
"""

import grp
import json
import os
import pwd
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from diagnose.live import Live
from diagnose.live.disk.opening import read_text
from diagnose.live.engine import credential_helpers, daemon_process
from diagnose.live.engine.credential_helpers import on_path
from diagnose.live.engine.daemon_process import DEFAULT_SOCKET
from diagnose.live.engine.endpoint import MOST_BYTES, configuration, current_context
from diagnose.model import Json
from diagnose.questions.endpoint import ReadClientSettings
from diagnose.questions.run import Options

_SYSTEM_PLUGINS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
"""Where the docker command looks after the user's own folder (cli-plugins/manager, 20.10 to 29)."""
_PREFIX = "docker-"
USERS = Path("/etc/passwd")
"""The users of the host itself: a directory service may have thousands, or not answer."""
MOST_USERS = 50
"""So many users' settings are looked at."""
FIRST_PERSON = 1000
"""The lowest number of a user who is a person (login.defs)."""
_OF_BUS = "secretservice"
"""A helper that keeps logins in the keyring of a desktop.

The docker command takes it where it is in PATH, nothing is configured, and the program pass is not
in PATH (DetectDefaultStore, 20.10 to 29).
"""


def settings(live: Live, question: ReadClientSettings) -> Json:  # noqa: ARG001 - the signature of every collector
    """The configuration and the plugins of this user's docker command.

    Shape: `ClientSettings`. A helper is installed if its program is in a folder of PATH, or where
    such programs usually lie. A file without JSON is not a failure: the docker command continues
    without it. Of other users only the names of their logins are read. Under sudo the settings of
    the user who called it are read too, and the helpers that these name.
    """
    path = configuration(os.environ) / "config.json"
    file = _read(path)
    config = file.settings
    programs = _helpers_of(config)
    by_default = not programs and not config.get("auths") and on_path("pass") is None
    return {
        "file": str(path) if config or file.malformed else "",
        "user": _user(),
        "malformed": file.malformed,
        **_keepers(config, Path.home(), os.environ.get("PATH", "")),
        "without_bus": _without_bus() if by_default or _OF_BUS in programs else "",
        "by_default": by_default,
        "plugins": list(_broken_plugins(path.parent / "cli-plugins")),
        "listens": daemon_process.listening_inode(os.path.realpath(DEFAULT_SOCKET)) is not None,
        "logins": _logins(config.get("auths")),
        "closed": _reason_closed(path.parent) or _closed_to_caller(),
        "caller": _caller(),
        "of_caller": _keepers_of_caller(),
        "others": list(_logins_of_others()),
        "proxies": list(_proxies(path)),
        "context": _context(live.options),
    }


def _helpers_of(config: Mapping[str, Json]) -> set[str]:
    """The helpers that a configuration names, for all registries or for single ones."""
    store = config.get("credsStore")
    helpers = {store} if isinstance(store, str) else set()
    return (helpers | set(_texts_of(config.get("credHelpers")).values())) - {""}


def _keepers(config: Mapping[str, Json], home: Path, search: str) -> dict[str, Json]:
    """The helpers that keep a user's logins, and what keeps them from their work."""
    store = config.get("credsStore")
    return {
        "store": store if isinstance(store, str) else "",
        "helpers": _texts_of(config.get("credHelpers")),
        **credential_helpers.state_of(_helpers_of(config), home, search),
    }


def _keepers_of_caller() -> Json:
    """The helpers of the user who called sudo; None where nobody did, or without a helper."""
    caller = _sudo_caller()
    if caller is None:
        return None
    path = Path(caller.pw_dir, ".docker/config.json")
    config = _read(path).settings
    if not _helpers_of(config):
        return None
    keepers = _keepers(config, Path(caller.pw_dir), credential_helpers.path_of_caller())
    return {"file": str(path), "user": caller.pw_name, **keepers}


def _context(options: Options) -> str:
    """The context that the configuration names; "" where an option or the environment names an
    engine: what is wrong with that one says nothing of this context."""
    variables = os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT")
    is_named = options.host or options.context or variables
    return "" if is_named else current_context(os.environ) or ""


def _proxies(own_file: Path) -> Iterator[Json]:
    """The proxies for containers and builds, of this user and of the one who called sudo.

    Those of one engine's address are left out: most files have `default` alone.
    """
    caller = _sudo_caller()
    for path in (own_file, *([Path(caller.pw_dir, ".docker/config.json")] if caller else ())):
        by_engine = _read(path).settings.get("proxies")
        proxies = _texts_of(by_engine.get("default")) if isinstance(by_engine, dict) else {}
        if proxies.get("httpProxy") or proxies.get("httpsProxy"):
            yield {
                "file": str(path),
                "http": proxies.get("httpProxy", ""),
                "https": proxies.get("httpsProxy", ""),
                "exceptions": proxies.get("noProxy", ""),
            }


def _caller() -> Json:
    """The logins of the user who called sudo; None where there are none."""
    caller = _sudo_caller()
    if caller is None:
        return None
    folder = Path(caller.pw_dir, ".docker")
    logins = _logins(_read(folder / "config.json").settings.get("auths"))
    if not logins:
        return None
    return {"user": caller.pw_name, "folder": str(folder), "logins": logins}


def _logins_of_others() -> Iterator[Json]:
    """The logins of other local users who log in, as far as this one may read them."""
    try:
        members = set(grp.getgrnam("docker").gr_mem)
    except KeyError:
        members = set()
    own_users = {os.geteuid(), getattr(_sudo_caller(), "pw_uid", None)}
    users = [user for user in _local_users() if user.pw_uid not in own_users and _may_log_in(user)]
    for user in users[:MOST_USERS]:
        folder = Path(user.pw_dir, ".docker")
        logins = _logins(_read(folder / "config.json").settings.get("auths"))
        if logins or user.pw_name in members:
            yield {"user": user.pw_name, "folder": str(folder), "logins": logins}


def _local_users() -> Iterator[pwd.struct_passwd]:
    """The users of /etc/passwd, read as a file: a directory server may not answer."""
    try:
        text = USERS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) == 7 and fields[2].isdecimal() and fields[3].isdecimal():
            name, secret, number, group, *others = fields
            yield pwd.struct_passwd((name, secret, int(number), int(group), *others))


def _may_log_in(user: pwd.struct_passwd) -> bool:
    """Whether a user is root or a person, or a service with a home below /home."""
    is_person = user.pw_uid >= FIRST_PERSON or user.pw_dir.startswith("/home/")
    return user.pw_uid == 0 or (is_person and user.pw_name != "nobody")


def _sudo_caller() -> pwd.struct_passwd | None:
    """The user who called sudo; None where nobody did, or where that name is not known."""
    name = os.environ.get("SUDO_USER")
    if os.geteuid() != 0 or not name:
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _without_bus() -> str:
    """The path of the helper that needs a session bus; "" where it is not there, or finds one."""
    helper = on_path(f"docker-credential-{_OF_BUS}")
    return helper if helper is not None and not _has_session_bus() else ""


def _has_session_bus() -> bool:
    """Whether this user's programs find a session bus, or a display to start one at."""
    session = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    return (
        any(map(os.environ.get, ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY")))
        or Path(session, "bus").is_socket()
    )


def _reason_closed(folder: Path) -> Json:
    """The path that keeps this user from reading the settings in a folder. None if nothing does."""
    return _first_closed(folder, _user(), lambda path, right, _status: os.access(path, right))


def _first_closed(
    folder: Path, user: str, may_use: Callable[[Path, int, os.stat_result], bool]
) -> Json:
    """The folder of the settings or the file in it, the first one that a user may not use."""
    for path, right in ((folder, os.X_OK), (folder / "config.json", os.R_OK)):
        try:
            status = path.stat()
            if not may_use(path, right, status):
                return {"user": user, "path": str(path), "owner": _name(status.st_uid)}
        except OSError:
            return None
    return None


def _closed_to_caller() -> Json:
    """The path that is closed to the user who called sudo, judged by owners and modes without ACLs.

    None unless that user is in the group docker: others reach the engine with root's rights.
    """
    caller = _sudo_caller()
    if caller is None:
        return None
    try:
        groups = os.getgrouplist(caller.pw_name, caller.pw_gid)
        if grp.getgrnam("docker").gr_gid not in groups:
            return None
    except (KeyError, OSError):
        return None

    def may_use(path: Path, right: int, status: os.stat_result) -> bool:
        has_acl = "system.posix_acl_access" in os.listxattr(path)
        return has_acl or _has_right(status, right, caller.pw_uid, groups)

    return _first_closed(Path(caller.pw_dir, ".docker"), caller.pw_name, may_use)


def _has_right(status: os.stat_result, right: int, uid: int, groups: Sequence[int]) -> bool:
    """Whether the mode gives a user this right (R_OK or X_OK); root has each."""
    if uid == 0:
        return True
    if uid == status.st_uid:
        shift = 6
    else:
        shift = 3 if status.st_gid in groups else 0
    return bool(status.st_mode >> shift & right)


class _Configuration(msgspec.Struct, frozen=True):
    """The contents of a file config.json. Empty where there is no file that can be read."""

    settings: Mapping[str, Json] = {}
    malformed: str = ""
    """Why the file holds no JSON object; "" where it does, or where there is no file."""


def _read(path: Path) -> _Configuration:
    """The configuration in a file of the client; empty where there is no such file."""
    text = read_text(str(path), MOST_BYTES)
    if text is None:
        return _Configuration()
    if not text.strip("\0 \n"):
        return _Configuration(malformed="it is empty")
    try:
        settings = json.loads(text)
    except ValueError as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "its text"
        return _Configuration(malformed=f"{place} is not JSON")
    if isinstance(settings, dict):
        return _Configuration(settings)
    return _Configuration(malformed="it holds no object")


def _texts_of(value: Json) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: name for key, name in value.items() if isinstance(name, str)}


def _logins(value: Json) -> list[str]:
    """The registries of the stored logins; Docker Hub's address is that of its first version."""
    addresses = value if isinstance(value, dict) else {}
    hosts = {address.partition("://")[2] or address for address in addresses}
    names = {host.partition("/")[0] for host in hosts}
    return sorted("docker.io" if name == "index.docker.io" else name for name in names)


def _user() -> str:
    return _name(os.geteuid())


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _broken_plugins(own_file: Path) -> Iterator[Json]:
    """Plugins that do not work, and that no later folder has.

    A link that leads nowhere is passed over, and a later folder is looked at. A file that may not
    be executed ends the search (PluginRunCommand in cli-plugins/manager).
    """
    programs: dict[str, tuple[Path, str]] = {}
    for folder in (own_file, *map(Path, _SYSTEM_PLUGINS)):
        for path in _plugins(folder):
            if path.name not in programs or programs[path.name][1] == "missing":
                failure = _failure(path)
                if not failure or path.name not in programs:
                    programs[path.name] = path, failure
    for name, (path, failure) in sorted(programs.items()):
        if failure:
            yield {
                "name": name.removeprefix(_PREFIX),
                "path": str(path),
                "target": os.path.realpath(path) if path.is_symlink() else "",
                "failure": failure,
            }


def _plugins(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.startswith(_PREFIX))
    except OSError:
        return []


def _failure(path: Path) -> str:
    """Why a plugin cannot be run: "missing", "forbidden"; "" if it can, or if that is not known."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "missing"
    except OSError:
        return ""
    return "" if stat.S_ISREG(mode) and mode & 0o111 else "forbidden"
