"""Scripts that an image runs before its program, or at its first start, and that ended the run.

The entrypoints of databases name each script before they run it. After a script that failed, the
data folder is no longer empty, and the next start leaves all scripts out.
"""

import re

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import ByContainer
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import Failed, Json, PageVariables
from diagnose.phrases import quoted
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.registry import evidence

_BYTES = 16 * 1024
_RUNS = LazyPattern(
    r"\b(?:sourcing|running|executing|launching) "
    r"(?P<script>/(?:docker-entrypoint[\w-]{0,20}\.d|etc/cont-init\.d)/[\w.+@-]{1,120})",
    re.IGNORECASE,
)
"""Lines of entrypoints: those of PostgreSQL, MySQL, MariaDB, MongoDB, nginx and s6-overlay."""
_IS_OVER = LazyPattern(
    r"(?i)\binit process (?:complete|done)|\bready for start up"
    r"|\bcont-init\.d\] done\b|/etc/cont-init\.d/\S{1,120} exited 0\b|\blegacy-cont-init successfully"
)
"""Lines of the same entrypoints when all scripts have succeeded, and of s6-overlay after each
script."""
_FIRST_START = "/docker-entrypoint-initdb.d/"
"""Scripts in this folder are run while the data folder is empty, and never again."""
_LOGS_IN = r"(?:-U ?|--username[= ]|--user[= ]|-u ?)['\"]?{}\b"
_OWN_USERS = ("POSTGRES_USER", "MYSQL_USER", "MARIADB_USER", "MONGO_INITDB_ROOT_USERNAME")
_DATA = ("/var/lib/postgresql", "/var/lib/mysql", "/data/db", "/bitnami")
"""Data folders of these databases, or folders above them."""


class InitScript(msgspec.Struct, frozen=True):
    """A script, and its line with the failure."""

    path: str
    on_host: str
    """Its path on the host where it is mounted, "" for one of the image."""
    line: str = ""
    number: int = 0
    """Of that line, from 1; 0 where it is not known."""
    user: str = ""
    """The user of the script's login, where the server was set up for another one."""
    own_user: str = ""
    """The variable and the name of the server's own user, as `POSTGRES_USER=shop`."""
    data: str = ""
    """The mounted data folder that the failed set-up has begun to fill."""
    volume: str = ""
    """A new volume in its place, as `--volume` takes it."""

    @property
    def clause(self) -> str:
        whose = "" if self.on_host else " of its image"
        if self.user:
            name, _, value = self.own_user.partition("=")
            return (
                f'script {self.path}{whose} logs in as "{self.user}", but the server was set up for '
                f'"{value}" ({name})'
            )
        return f"script {self.path}{whose}, which it runs before its program, failed"

    @property
    def evidence(self) -> dict[str, Json]:
        """Evidence that replaces the general meaning of the log line."""
        never_again_clause = (
            "; a data folder that is not empty is never set up again" if self.data else ""
        )
        rows: dict[str, Json] = {"this means": self.clause}
        if self.line:
            rows[f"{self.path}, line {self.number}"] = quoted(self.line)
        if self.on_host:
            rows["where the script is"] = f"{self.on_host} on the host"
        rows["what fixes it"] = f"correct the script, or what it needs{never_again_clause}"
        return rows

    @property
    def steps(self) -> PageVariables:
        """The page variables of a new data folder, and of the user that the script expects."""
        if not self.data:
            return {}
        name = self.own_user.partition("=")[0]
        is_foreign = self.user and not self.on_host
        variable = {"expected_user": f"{name}={self.user}"} if is_foreign else {}
        return {"set_up": self.data, "fresh_volume": self.volume, **variable}


class InitScripts(ByContainer[InitScript], frozen=True):
    """The script that ended the last run of a container."""


@evidence
def init_scripts(host: Host, containers: Containers, log_tails: LogTails) -> InitScripts:
    """The initialization scripts in which containers ended.

    Each container whose log ends in such a script has one file read by the engine.
    """
    scripts = {}
    for container in containers:
        tail = log_tails.of(container)
        path = _script(tail) if not container.is_running else ""
        if path:
            scripts[container.id] = _init_script(host, container, tail, path)
    return InitScripts(scripts)


def _script(tail: LogTail) -> str:
    """The last script that was begun, if nothing says that all of them have ended."""
    for line in reversed(tail.lines):
        if _IS_OVER.search(line):
            return ""
        begun = _RUNS.search(line)
        if begun is not None:
            return begun["script"]
    return ""


def _init_script(host: Host, container: Container, tail: LogTail, path: str) -> InitScript:
    """The script, with the line of its login as the role that the log refuses."""
    mount = innermost_mount(container.mounts, path)
    script = InitScript(path, mount.on_host(path) if mount is not None else "")
    if path.startswith(_FIRST_START):
        script = msgspec.structs.replace(script, **_data(container))
    file = host.ask(ReadContainerFile(container.id, path, bytes=_BYTES))
    role = tail.failure.values.get("role", "") if tail.failure is not None else ""
    if isinstance(file, Failed) or not role:
        return script
    names = re.compile(_LOGS_IN.format(re.escape(role)))
    for number, line in enumerate(file.text.splitlines(), 1):
        if names.search(line):
            located = msgspec.structs.replace(script, line=line.strip(), number=number)
            user = _own_user(container, role)
            return msgspec.structs.replace(located, user=role, own_user=user) if user else located
    return script


def _data(container: Container) -> PageVariables:
    mounted = (mount.destination for mount in container.mounts if mount.rw)
    folder = next((path for path in mounted if path.startswith(_DATA)), "")
    return present({"data": folder, "volume": folder and f"{container.name}-new:{folder}"})


def _own_user(container: Container, role: str) -> str:
    """The variable for whose user the server was set up, with its value; "" if that is the role."""
    values = ((name, container.config.value_of(name)) for name in _OWN_USERS)
    return next((f"{name}={value}" for name, value in values if value and value != role), "")
