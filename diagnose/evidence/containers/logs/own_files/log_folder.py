"""Folders in which programs keep logs of their own."""

import msgspec

from diagnose.questions.files import ListFolder, ReadFile

BYTES = 8192
"""The end of each log."""
RECENT_S = 300.0
"""A file that was not written to for longer says nothing about now."""


class LogFolder(msgspec.Struct, frozen=True, order=True):
    """A folder in which a program of a container may keep its logs."""

    root: str
    """The folder that no link below may leave: a mount's source, or the container's root in /proc.
    """
    below: str

    @property
    def path(self) -> str:
        """The folder as the host calls it."""
        return f"{self.root}{self.below}"

    @property
    def listing(self) -> ListFolder:
        """The question for its names."""
        return ListFolder(self.below or "/", root=self.root or "/")

    def end_of(self, name: str) -> ReadFile:
        """The question for the end of a file in it."""
        path = f"{self.below}/{name}"
        return ReadFile(path, max_bytes=BYTES, tail=True, follow=False, root=self.root)
