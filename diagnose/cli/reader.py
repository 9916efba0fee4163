"""The reader of a report, and the command with which that person starts this tool again."""

import os
import shlex
import sys
from pathlib import Path

from diagnose.reach import IN_CONTAINER, ON, ON_BY_SUDO
from diagnose.reach.itself import launcher
from diagnose.render.shell import Shell


def shell(source: Path | None) -> Shell:
    """The shell in which the commands of a report will be typed.

    source: the recording that the report is about; nobody knows who works on its host.
    """
    if source is not None:
        return Shell()
    target = os.environ.get(ON, "")
    if target:
        with_sudo = ON_BY_SUDO in os.environ
        return Shell(is_root=_is_root(), target=target, with_sudo=with_sudo, can_follow=False)
    in_container = os.environ.get(IN_CONTAINER, "")
    if in_container:
        return Shell(in_container, can_follow=False)
    return Shell(_program(), _is_root())


def _is_root() -> bool:
    return os.geteuid() == 0


def _program() -> str:
    """The words that start this program again, the shortest that work."""
    if any(_is_program(Path(folder, "diagnose")) for folder in os.get_exec_path()):
        return "diagnose"
    of_folder = launcher()
    if of_folder is not None:
        return shlex.quote(str(of_folder))
    script = Path(sys.argv[0])
    if script.name == "diagnose":
        return shlex.quote(str(script.absolute()))
    return f"{shlex.quote(sys.executable)} -m diagnose"


def _is_program(path: Path) -> bool:
    """Whether a file can be executed. `shutil.which` would import the modules of archives: 2 ms
    of every run."""
    return path.is_file() and os.access(path, os.X_OK)
