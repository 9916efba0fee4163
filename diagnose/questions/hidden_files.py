"""The question what of an image an empty folder hides."""

import msgspec

from diagnose.questions.question import Policy, Question


class CoveredPlace(msgspec.Struct, frozen=True):
    """A folder of the host that is mounted over a folder of an image."""

    source: str
    target: str
    layers: list[str]
    """The folders of the image's layers on the host, the upper one first."""


class CoveredFiles(msgspec.Struct, frozen=True):
    """One whose folder of the host is empty, over files of a program."""

    source: str
    target: str
    files: list[str]
    """Some of their names below the target."""


class FindHiddenFiles(Question[list[CoveredFiles]], frozen=True):
    """The files of programs that empty folders hide, of these places."""

    POLICY = Policy(
        "file.hidden",
        what="the files of images below mounts",
        collector="disk.images:hidden_files",
        lane="file",
        deadline=1.5,
        priority=6,
    )
    places: list[CoveredPlace]

    def about(self) -> str:
        return "files of images below mounts"
