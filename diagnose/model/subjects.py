"""The subjects of findings, by the user's own names for them."""

from typing import Literal

import msgspec

SubjectKind = Literal[
    "host", "daemon", "container", "image", "volume", "network", "filesystem", "interface"
]


class Subject(msgspec.Struct, frozen=True, order=True):
    """The subject of a finding: a kind and the user's own name for it.

    A filesystem's name is its mount point.
    """

    kind: SubjectKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def in_words(self) -> str:
        """The kind and the quoted name; a report is about one host and one daemon."""
        return self.kind if self.kind in ("host", "daemon") else f'{self.kind} "{self.name}"'


HOST = Subject("host", "host")
DAEMON = Subject("daemon", "docker")


def container(name: str) -> Subject:
    """The subject of a container by its name, with or without the engine's leading slash."""
    return Subject("container", name.removeprefix("/"))
