"""A fault of a compose file, and the part of the file that has it."""

from typing import Self

import msgspec
from yaml import Node

from diagnose.live.disk.compose.nodes import line_of


class FileFault(msgspec.Struct, frozen=True):
    """See `questions.compose.ComposeFault`."""

    kind: str
    path: str
    line: int = 0
    place: str = ""
    name: str = ""
    detail: str = ""


class FilePart(msgspec.Struct, frozen=True):
    """A part of a file: services.web.ports."""

    path: str
    part: str = ""

    def at(self, key: str) -> Self:
        """The part of this one that has that key."""
        return type(self)(self.path, ".".join(filter(None, (self.part, key))))

    def fault(self, kind: str, node: Node, name: str = "", detail: str = "") -> FileFault:
        """A fault of this part, at the line of a node."""
        return FileFault(
            kind, self.path, line=line_of(node), place=self.part, name=name, detail=detail
        )
