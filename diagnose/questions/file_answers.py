"""What evidence asks of files where every reason for no answer means the same: nothing is known."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from diagnose.questions.files import (
    NOT_ASKED,
    FileText,
    FolderListing,
    ListFolder,
    PathStatus,
    ReadFile,
    StatPaths,
)
from diagnose.questions.host import Host


def path_statuses(
    host: Host, paths: Sequence[str], *, follow: bool | UnsetType = UNSET
) -> dict[str, PathStatus]:
    """The status of each path, as `StatPaths` gives it; empty without paths or an answer."""
    return host.answer_or(StatPaths(paths, follow=follow), {}) if paths else {}


def path_status(host: Host, path: str, *, follow: bool | UnsetType = UNSET) -> PathStatus:
    """The status of one path; `NOT_ASKED` without an answer."""
    return path_statuses(host, [path], follow=follow).get(path, NOT_ASKED)


def folder_listing(host: Host, path: str, *, root: str | None = None) -> FolderListing:
    """The entries of a folder, as `ListFolder` gives them; empty without an answer."""
    return host.answer_or(ListFolder(path, root=root), FolderListing())


def file_text(host: Host, path: str) -> str:
    """The beginning of a file, as `ReadFile` gives it; "" without an answer."""
    return host.answer_or(ReadFile(path), FileText("")).text
