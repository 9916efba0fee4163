"""The configuration of an nginx of a container or of the host, with its included files."""

import fnmatch
import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.mounted_files import mounted_file
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.nginx_text import Directive, read
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.files import FolderListing, ListFolder, ReadFile

MAIN = "/etc/nginx/nginx.conf"
_MOST = 24
"""Files of one configuration that are read."""
_DEEPEST = 4
_BYTES = 64 * 1024
_OTHERWISE = frozenset(
    {"mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params"}
)
"""Files that every image has, and that pass no request on."""
_OF_IMAGE = ("default.conf", "default")
"""The site that images bring along: an engine lists no folder of a container."""


class NginxFiles:
    """The files of one nginx, as far as they can be read."""

    def __init__(self, host: Host, container: Container | None) -> None:
        """container: None for an nginx of the host itself."""
        self._host = host
        self._container = container
        self._left = _MOST
        self._texts: dict[str, str] = {}
        self._patterns: dict[str, None] = {}

    def directives(self, main: str = MAIN) -> tuple[Directive, ...]:
        """All directives of its configuration; an unreadable include stays unchanged."""
        text = self._text(main)
        return () if text is None else tuple(self._expanded_directives(read(text), 0))

    @property
    def includes(self) -> tuple[str, ...]:
        """The patterns of the files that the configuration includes, as far as it was read."""
        return tuple(self._patterns)

    @property
    def paths(self) -> frozenset[str]:
        """The files that were read, as the container calls them."""
        return frozenset(self._texts)

    def holding(self, words: Sequence[str]) -> str:
        """The one file that has this directive, and once; "" where there is none."""
        directive = f"{' '.join(words)};"
        holders = [path for path, text in self._texts.items() for _ in range(text.count(directive))]
        return only(holders) or ""

    def _expanded_directives(
        self, directives: Sequence[Directive], depth: int
    ) -> Iterator[Directive]:
        """These directives, with those of the included files in the place of each include."""
        for directive in directives:
            if directive.name != "include":
                inner = tuple(self._expanded_directives(directive.inner, depth))
                yield msgspec.structs.replace(directive, inner=inner)
            elif posixpath.basename(directive.first) not in _OTHERWISE:
                yield from self._directives_of_include(directive, depth)

    def _directives_of_include(self, include: Directive, depth: int) -> Iterator[Directive]:
        """The directives of an include's files; the include itself if one is not read."""
        pattern = posixpath.join(posixpath.dirname(MAIN), include.first)
        self._patterns[pattern] = None
        if depth >= _DEEPEST or self._left <= 0:
            yield include
            return
        for path in self._matching_paths(pattern):
            text = self._text(path)
            if text is None:
                yield include
            else:
                yield from self._expanded_directives(read(text), depth + 1)
            if self._left < 0:
                return

    def _matching_paths(self, pattern: str) -> Sequence[str]:
        """The paths that match a pattern; the pattern itself where it is none."""
        if not set("*?[") & set(pattern):
            return [pattern]
        folder, of_names = posixpath.split(pattern)
        names = sorted(set(fnmatch.filter(self._names(folder), of_names)))
        return [posixpath.join(folder, name) for name in names]

    def _names(self, folder: str) -> Iterator[str]:
        """The names of the files in a folder, as far as they can be known."""
        mount = None
        if self._container is not None:
            mounts = self._container.mounts
            mount = innermost_mount(mounts, folder)
            mounted_alone = (
                mount.destination
                for mount in mounts
                if posixpath.dirname(mount.destination) == folder
            )
            yield from (posixpath.basename(path) for path in mounted_alone)
            if mount is None or not mount.has_host_path:
                yield from _OF_IMAGE
                return
        inside = (
            folder if mount is None else folder.removeprefix(mount.destination.rstrip("/")) or "/"
        )
        question = ListFolder(inside, root=None if mount is None else mount.source)
        yield from self._host.answer_or(question, FolderListing()).names

    def _text(self, path: str) -> str | None:
        """A file; None where it cannot be read, or where enough were read."""
        self._left -= 1
        text = self._read(path) if self._left >= 0 else None
        if text is not None:
            self._texts[path] = text
        return text

    def _read(self, path: str) -> str | None:
        if self._container is None:
            return self._text_on_host(ReadFile(path, parts="proxying"))
        mount = innermost_mount(self._container.mounts, path)
        if mount is None:
            return self._text_in_image(path)
        if not mount.has_host_path:
            return None
        return self._text_on_host(mounted_file(mount, path, parts="proxying"))

    def _text_on_host(self, file: ReadFile) -> str | None:
        text = self._host.ask(file)
        return None if isinstance(text, Failed) else text.text

    def _text_in_image(self, path: str) -> str | None:
        """A file of the image, or of the container's writable layer; "" where it does not exist."""
        assert self._container is not None
        file = self._host.ask(ReadContainerFile(self._container.id, path, bytes=_BYTES))
        if isinstance(file, Failed):
            return "" if file.reason == "gone" else None
        return file.text if file.type == "file" and len(file.data or b"") < _BYTES else None


def reads_all(host: Host, container: Container, files: NginxFiles) -> bool:
    """Whether every file was read that an `include` takes inside the container.

    A file of the image may include further folders, and images link the files of a mounted folder
    into the one that nginx reads (user_conf.d of jonasal/nginx-certbot).
    """
    root = f"/proc/{container.state.pid}/root"
    for pattern in files.includes:
        if "$" in pattern:
            return False
        folder, of_names = posixpath.split(pattern)
        if "*" not in of_names or "modules" in folder:
            continue
        listing = host.ask(ListFolder(folder, root=root))
        if isinstance(listing, Failed):
            if listing.reason != "missing":
                return False
            continue
        names = fnmatch.filter(listing.names, of_names)
        if any(posixpath.join(folder, name) not in files.paths for name in names):
            return False
    return True
