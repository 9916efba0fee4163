"""Files with one password that are absent, or whose line end a program may take as a part of it.

An editor and `echo` end a file with a newline, and editors of Windows with a carriage return before
it. The images of databases drop both; many programs take the file unchanged.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.linked_files import linked_paths, steps_from
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import path_status
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

MOST = 8
"""Files of one container."""
BYTES = 4096
"""A password is shorter."""
_OPEN = "open "
_LOGINS = frozenset({"postgres-login", "mysql-access", "mongo-auth", "redis-password"})
_VARIABLE = LazyPattern(
    r"(?:^|_)(?:PASS(?:W(?:OR)?D)?|SECRET|TOKEN|KEY|PW)"
    r"(?:_FILE|__FILE)$|^FILE__.*(?:PASS|SECRET|TOKEN|KEY)"
)
"""A variable that names the file of a secret: DB_PASSWORD_FILE, FILE__TOKEN."""
_PLACE = LazyPattern(
    r"(?i)^/(?:var/)?run/secrets/|(?:^|/)[^/]{0,80}(?:passw(?:or)?d|passwd|secret|token)[^/]{0,40}$"
)
"""A path that is the file of a secret: /run/secrets/db, /etc/app/token."""


class SecretFile(msgspec.Struct, frozen=True):
    """A mounted file with a password, and how it ends; or a file that is not there."""

    container: Container
    path: str
    """The path in the container."""
    source: str = ""
    """On the host; "" where a command may not change it."""
    has_returns: bool = False
    """Whether its lines end as in Windows."""
    lacking_for: str = ""
    """The variable that names the file, where the container has no such file."""


class SecretFiles(Items[SecretFile], frozen=True):
    """The secret files of containers whose login is refused."""

    def of(self, container: Container) -> SecretFile | None:
        """The first file of a container."""
        return next((file for file in self if file.container.id == container.id), None)


@evidence
def secret_files(
    host: Host,
    containers: Containers,
    log_tails: LogTails | None,
    repeated_errors: RepeatedErrors | None,
) -> SecretFiles:
    """The secret files that are absent or have a line end, of containers whose login is refused.

    Only the ends of the files are read. The absent ones come first.
    """
    refused = {
        error.container.id
        for error in repeated_errors or ()
        if error.failure is not None and error.failure.name in _LOGINS
    }
    failures = log_tails.failures if log_tails is not None else {}
    refused |= {id for id, failure in failures.items() if failure.name in _LOGINS}
    secrets: list[SecretFile] = []
    for container in containers:
        if container.id in refused:
            secrets += _absent_files(host, container)
            files = (_secret_file(host, container, path) for path in _paths(container)[:MOST])
            secrets += [file for file in files if file is not None]
    return SecretFiles(tuple(secrets))


def _named_paths(container: Container) -> dict[str, str]:
    """The files that variables name for a secret, with the variable."""
    return {
        value: name
        for name, value in container.config.environment
        if value.startswith("/") and _VARIABLE.search(name)
    }


def _absent_files(host: Host, container: Container) -> Iterator[SecretFile]:
    """The files that variables name for a secret, and that a running container does not have.

    An updater or a command by hand may have recreated it without the secrets of its compose file.
    """
    if not container.state.pid:
        return
    root = f"/proc/{container.state.pid}/root"
    for path, variable in list(_named_paths(container).items())[:MOST]:
        if path_status(host, f"{root}{path}").failed == "missing":
            yield SecretFile(container, path, lacking_for=variable)


def _paths(container: Container) -> list[str]:
    """The files that variables name for a secret, and mounted ones with such a name."""
    mounted = [
        mount.destination for mount in container.bind_mounts if _PLACE.search(mount.destination)
    ]
    return list(dict.fromkeys([*_named_paths(container), *mounted]))


def _secret_file(host: Host, container: Container, path: str) -> SecretFile | None:
    """The file, where it ends with the end of a line, or has carriage returns."""
    mount = host_mount(container.mounts, path)
    if mount is None:
        return None
    on_host = mount.on_host(path)
    file = host.ask(ReadFile(on_host, max_bytes=BYTES, parts="hidden"))
    if isinstance(file, Failed) or file.size > BYTES:
        return None
    defects = file.text.splitlines()
    has_returns = "dos 0" in defects
    if not has_returns and any(defect.startswith((_OPEN, "empty", "utf-16")) for defect in defects):
        return None
    is_own = path == mount.destination or not linked_paths(
        host, {on_host: steps_from(mount.source, on_host)}
    )
    return SecretFile(container, path, on_host if is_own else "", has_returns)
