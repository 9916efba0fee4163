"""A setting of a container to which a log line leads. Pure."""

import posixpath
import re
from typing import Literal

import msgspec

from diagnose.model import PageVariables

_BINARY = re.compile(
    r"\.(?:aof|bin|class|couch|db|dll|fdb|frm|gguf|gz|h5|ibd|jar|jks|ldf|mdb|mdf|ndf|node|onnx|p12|pt|pyc"
    r"|rdb|realm|safetensors|so|sqlite3?|sqlite3?-(?:shm|wal)|tar|war|wt|zip)$"
)
"""Files that no terminal can show: their neighbours are looked at instead."""


class NamedSetting(msgspec.Struct, frozen=True):
    """A setting to which a log line leads; the fields of the other kinds are empty."""

    variable: str = ""
    """A variable of the container's environment."""
    path: str = ""
    """A mounted file as the host has it."""
    path_inside: str = ""
    """The same file in the container."""
    line: int = 0
    """In that file, 0 where the log does not say."""
    option: str = ""
    """A word of the container's command."""
    folder: str = ""
    """A mounted folder as the host has it, of settings or (is_data) of data."""
    is_data: bool = False
    is_missed: bool = False
    """Whether the variable has no value, and the line misses one."""
    fault: Literal["", "value", "presence"] = ""
    """The part to which the program objects: the value or the presence of the setting ("" where the
    line may be about something else)."""

    @property
    def text(self) -> str:
        """The place of the setting, for evidence."""
        if self.variable:
            state = ", which is empty" if self.is_missed else ""
            return f"environment variable {self.variable}{state}"
        if self.option:
            return f"option {self.option} of its command"
        if self.is_data:
            return f"{self.path_inside} is the folder {self.folder} on the host"
        if self.folder:
            return (
                f"most likely in the files of {self.folder}, which is mounted at {self.path_inside}"
            )
        at = f", line {self.line}" if self.line else ""
        return f"{self.path_inside} is {self.path} on the host{at}"

    @property
    def variables(self) -> PageVariables:
        """The variables of a page about it."""
        if self.variable:
            by_fault = {"value": "typed", "presence": "unset"}
            change = {by_fault[self.fault]: self.variable} if self.fault else {}
            return {"setting": self.variable, **change}
        if self.option:
            return {"option": self.option}
        if self.is_data:
            return {"named_folder": self.folder}
        if self.folder:
            return {"setting_folder": self.folder}
        if _BINARY.search(self.path):
            return {"named_folder": posixpath.dirname(self.path)}
        return {"setting_file": self.path, "setting_line": str(self.line)}
