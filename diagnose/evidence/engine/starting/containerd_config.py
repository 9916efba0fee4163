"""The configuration file of a containerd that the engine does not start itself."""

import re
import shlex
from collections.abc import Sequence

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

__all__ = ["ContainerdConfig", "containerd_config"]

DEFAULT_PATH = "/etc/containerd/config.toml"
_HIDDEN = re.compile(r"(=[ \t]*)(<redacted:[\w:-]+>)")
"""A secret without quotes, such as a number: its replacement is not TOML."""
_PLACE = re.compile(r" \(at line (\d+), column \d+\)$")


class ContainerdConfig(msgspec.Struct, frozen=True):
    """containerd's configuration file: its path, and the first syntax error in it."""

    path: str
    """The file; "" for a containerd that dockerd starts itself."""
    error: str = ""
    line: int = 0
    """error, line: why it holds no TOML, and where; "" and 0 if it does, or if there is no file."""
    exists: bool = True
    """Whether there is one."""
    changed_at: float | None = None
    """When it was last written, as Unix time; None where that is not known."""

    def is_mended_since(self, at: float | None) -> bool:
        """Whether the refused text of a time, as Unix time, is gone."""
        if self.error:
            return False
        if self.changed_at is None or at is None:
            return not self.exists
        return self.changed_at > at


@evidence
def containerd_config(host: Host, daemon: Daemon) -> ContainerdConfig | Unavailable:
    """The present configuration file of containerd, which it reads at its next start."""
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    if not daemon.uses_system_containerd:
        return ContainerdConfig("")
    path = _path(_command_line(daemon))
    file = host.ask(ReadFile(path))
    if isinstance(file, Failed):
        no_config = ContainerdConfig(path, exists=False)
        return no_config if file.reason == "missing" else Unavailable.of(file)
    if file.truncated:
        return Unavailable("too large", f"{path} is longer than is read")
    import tomllib  # most hosts have a file of one line, and some none

    try:
        tomllib.loads(_HIDDEN.sub(r'\1"\2"', file.text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = _PLACE.search(str(error))
        return ContainerdConfig(path, _PLACE.sub("", str(error)), int(place[1]) if place else 0)
    return ContainerdConfig(path, changed_at=file.mtime)


def _command_line(daemon: Daemon) -> Sequence[str]:
    """containerd's arguments: those of the process, else those of its unit."""
    process = daemon.processes.containerd
    if process is not None and process.cmdline:
        return process.cmdline
    unit = daemon.installation.containerd_unit
    line = unit.exec_start.partition("argv[]=")[2].partition(" ; ")[0] if unit is not None else ""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _path(words: Sequence[str]) -> str:
    """The file that `--config` or `-c` names, else the default path."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name in ("--config", "-config", "-c"):
            return value if equals else following or DEFAULT_PATH
    return DEFAULT_PATH
