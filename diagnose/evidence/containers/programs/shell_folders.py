"""The folder in which a start script looks for a program that it calls by a relative path."""

import posixpath

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile

_SCRIPT = LazyPattern(r"^(?P<script>\.{0,2}/[^\s:]{1,300}): ")
"""The script at the begin of a shell's complaint: `/start.sh: line 4: ./server: not found`."""
_CHANGE = LazyPattern(
    r"""(?m)(?:^|[\s;&|({])cd[ \t]+(?:--[ \t]+)?['"]?(?P<folder>[^\s;&|)'"]{1,300})"""
)
"""A change of folder in a script or in a command line."""
_BYTES = 16 * 1024


def from_root(container: Container, path: str, folder: str = "") -> str:
    """The absolute path in the container of a path from a folder, or from the working directory."""
    if not path.startswith(("./", "../")):
        return path
    return posixpath.normpath(posixpath.join("/", folder or container.config.working_dir, path))


def path_for_shell(host: Host, container: Container, line: str, path: str) -> str:
    """The absolute path of a program that a shell complains of.

    As the shell wrote it, where the command or the script changes the folder to one that is not
    known: `cd "$HOME/server"`.
    """
    if not path.startswith(("./", "../")):
        return path
    folders = _CHANGE.findall(" ".join(container.command) + "\n" + _script(host, container, line))
    if not folders:
        return from_root(container, path)
    is_known = folders[-1].startswith("/") and "$" not in folders[-1] and len(set(folders)) == 1
    return from_root(container, path, folders[-1]) if is_known else path


def _script(host: Host, container: Container, line: str) -> str:
    """The text of the script that a line names; "" where it names none, or it cannot be read."""
    match = _SCRIPT.match(line)
    if match is None:
        return ""
    path = from_root(container, match["script"])
    file = host.ask(ReadContainerFile(container.id, path, bytes=_BYTES))
    return "" if isinstance(file, Failed) else file.utf8 or ""
