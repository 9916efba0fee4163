"""Other versions or places of a shared library that a program misses, in its image.

A base image of a newer release has the next version of a library under another name: libssl.so.3,
and no libssl.so.1.1. Another cause is a folder that the loader does not search.
"""

import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import ByContainer
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Json, PageVariables
from diagnose.phrases import and_more
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import ListFolder
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

FAILURES = ("library-missing", "shared-library")
_FOLDERS = (
    "/lib",
    "/lib64",
    "/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/local/lib",
    "/usr/local/lib64",
)
"""Folders of libraries in images of Alpine, Debian and Red Hat."""
_UNSEARCHED = ("/usr/local/lib", "/usr/local/lib64")
"""Folders that loaders search only if the cache of ldconfig says so, or a variable."""
_SYSTEM = ("/etc/os-release", "/usr/lib/os-release")
_NAME = LazyPattern(r'(?m)^PRETTY_NAME="?(?P<name>[^"\n]{1,60})')
_SHOWN = 3


class OtherLibrary(msgspec.Struct, frozen=True):
    """A missing library, and the other versions or places of it in the image."""

    library: str
    alike: tuple[str, ...]
    """Paths of the same library in another version, or of the very same one elsewhere."""
    system: str
    """The distribution and release of the image; "" where it does not say."""

    @property
    def _folder_of_library(self) -> str:
        """The folder of the very library; "" where the image has other versions."""
        exact = (path for path in self.alike if path.endswith(f"/{self.library}"))
        return next((posixpath.dirname(path) for path in exact), "")

    @property
    def clause(self) -> str:
        image = f"the image ({self.system})" if self.system else "the image"
        if self._folder_of_library:
            return f"{image} has {self.library} in {self._folder_of_library}, where the loader does not look"
        has = and_more(self.alike, _SHOWN)
        return (
            f"{image} has no {self.library}, but another version of it ({has}): the program was "
            "built for another release"
        )

    @property
    def evidence(self) -> dict[str, Json]:
        """Evidence that replaces the general meaning of the log line."""
        if self._folder_of_library:
            fixes = f"set LD_LIBRARY_PATH={self._folder_of_library}"
        else:
            fixes = (
                f"use a base image of the release that has {self.library}, add the package with "
                "the old library, or take a build of the program for the new one"
            )
        return {"this means": self.clause, "what fixes it": fixes}

    @property
    def steps(self) -> PageVariables:
        """The page variable that makes the loader look there."""
        folder = self._folder_of_library
        return {"assignment": f"LD_LIBRARY_PATH={folder}"} if folder else {}


class OtherLibraries(ByContainer[OtherLibrary], frozen=True):
    """The other versions or places of a missing library, by container."""


@evidence
def other_libraries(host: Host, containers: Containers, log_tails: LogTails) -> OtherLibraries:
    """The library folders of the image's layers, of containers whose log misses a library.

    An engine that keeps its images in containerd has no such layers, and nothing is known then.
    """
    libraries = {}
    for container in containers:
        failure = log_tails.failures.get(container.id)
        if failure is None or failure.name not in FAILURES:
            continue
        values = failure.values
        library = posixpath.basename(values.get("library") or values.get("library_musl") or "")
        is_known = bool(container.image) and ".so" in library
        alike = tuple(_other_versions(host, container, library)) if is_known else ()
        if alike:
            libraries[container.id] = OtherLibrary(library, alike, _system(host, container))
    return OtherLibraries(libraries)


def _other_versions(host: Host, container: Container, library: str) -> Iterator[str]:
    """The paths of files whose name differs only in the version; for the very name, that path.

    Empty where a file of the very name is where each loader looks: an upper layer has removed the
    file, or it is built for another architecture.
    """
    stem = library.partition(".so")[0] + ".so"
    paths = dict.fromkeys(
        f"{folder}/{name}"
        for folder, names in _listed_folders(host, container)
        for name in names
        if name == stem or name.startswith(f"{stem}.")
    )
    exact = [path for path in paths if path.endswith(f"/{library}")]
    if all(posixpath.dirname(path) in _UNSEARCHED for path in exact):
        yield from exact or sorted(paths)


def _listed_folders(host: Host, container: Container) -> Iterator[tuple[str, Sequence[str]]]:
    """Each library folder with the names in it, layer by layer."""
    detail = host.ask(InspectImage(container.image))
    if isinstance(detail, Failed) or not detail.layers:
        return
    inside = {f"{layer}/diff{folder}": folder for layer in detail.layers for folder in _FOLDERS}
    statuses = path_statuses(host, list(inside), follow=False)
    folders = [path for path, status in statuses.items() if status.type == "folder"]
    for path, listing in host.answers_about(folders, ListFolder).items():
        yield inside[path], listing.names


def _system(host: Host, container: Container) -> str:
    for path in _SYSTEM:
        file = host.ask(ReadContainerFile(container.id, path, bytes=1024))
        name = None if isinstance(file, Failed) else _NAME.search(file.text)
        if name is not None:
            return name["name"]
    return ""
