"""Questions about folders of the engine's data: their sizes, layers and builds."""

from collections.abc import Sequence

import msgspec

from diagnose.questions.question import Policy, Question


class LayerOnDisk(msgspec.Struct, frozen=True):
    """The folder of one layer, with the Unix time of its last change."""

    name: str
    mtime: float


class LayerRecords(msgspec.Struct, frozen=True):
    """The layer folders, and which of them the engine's databases name."""

    folders: list[LayerOnDisk]
    referenced: list[str]
    """Folders that images and containers use."""
    mentioned: list[str]
    """Other folders whose name is in a BuildKit database, in use or freed."""
    mounts: dict[str, str] = {}
    """The folder of each container's writable layer, by the container's id."""
    lost: list[str] = []
    """Used layers that had no folder twice, half a second apart."""
    unreadable: list[str] = []
    """Ids of records of image layers that name no folder."""


class ListLayers(Question[LayerRecords], frozen=True):
    """The layers of overlay2 below a data root, and which of them the engine's databases know."""

    POLICY = Policy(
        "fs.layers",
        what="the image layers on disk",
        collector="disk.files:layers",
        lane="probe",
        deadline=2.5,
    )
    path: str


class FileSize(msgspec.Struct, frozen=True):
    """One file and the bytes that it takes on disk."""

    path: str
    bytes: int


class WalkedFolder(msgspec.Struct, frozen=True):
    """The contents of a folder in bytes on disk. Hard links count once."""

    bytes: int
    complete: bool
    """False: there is more than was found in time."""
    by: dict[str, int]
    """By the path below the folder, as deep as was asked."""
    largest: list[FileSize]
    """Twenty files."""
    files: dict[str, int] = {}
    """How many entries lie below each of these paths."""
    refused: int = 0
    """Folders that could not be read."""


class WalkFolder(Question[WalkedFolder], frozen=True):
    """The sizes of the folders and files below a folder, on one device."""

    POLICY = Policy(
        "fs.walk",
        what="the sizes of folders",
        collector="disk.files:walk",
        lane="last",
        deadline=3,
        priority=9,
    )
    path: str
    seconds: float = 2
    limit: int = 400_000
    """Entries that are looked at, at most."""
    depth: int = 1
    """Of the paths by which the bytes are summed."""
    skip: Sequence[str] = ()
    """Paths that are left out."""

    def about(self) -> str:
        return f"the sizes of folders below {self.path}"


class Build(msgspec.Struct, frozen=True):
    """One build as BuildKit remembers it."""

    at: float
    """Unix time of its end; 0 while it runs."""
    ref: str = ""
    """The id by which `docker buildx history` knows it."""
    names: tuple[str, ...] = ()
    """What the image was to be called; engines before 28 do not keep it."""
    error: str = ""
    """Why it failed; "" if it did not."""
    dockerfile: str = ""
    """The name of the Dockerfile in its folder."""
    target: str = ""
    """The stage that was to be built, where one was named."""
    step: str = ""
    """The step that failed, as `docker build` prints it."""
    lines: tuple[str, ...] = ()
    """The last lines that this step printed."""


class ListBuilds(Question[list[Build]], frozen=True):
    """The builds that BuildKit remembers, the newest first."""

    POLICY = Policy(
        "file.builds",
        what="the history of builds",
        collector="disk.files:builds",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    path: str
    """The engine's data root."""

    def about(self) -> str:
        return f"the history of builds below {self.path}"
