"""The Caddyfile of a container, with the files and snippets that it imports."""

import fnmatch
import posixpath
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.mounted_files import mounted_file
from diagnose.model import Failed
from diagnose.nginx_text import Directive, read, text_of
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing

USUAL = "/etc/caddy/Caddyfile"
_CONFIG_OPTION = "--config"
_IMPORT = "import"
_ARGUMENT = "{args"
_MOST = 16
"""Files of one configuration that are read."""
_DEEPEST = 4
"""Snippets in snippets."""
_MOST_IMPORTS = 100
"""Imports of a file that are followed: snippets that name each other would grow without end."""
_LONGEST = 100
"""Directives of a snippet."""


class CaddyFile(msgspec.Struct, frozen=True):
    """A Caddyfile with its mount and its sites."""

    path: str
    """The path in the container."""
    mount: Mount
    sites: tuple[Directive, ...]
    """The sites, with their imports replaced by the content; an unknown import stays unchanged."""


def caddy_files(host: Host, proxy: Container) -> Iterator[CaddyFile]:
    """The Caddyfile in the command, or the default one, and the files that it imports."""
    main = _caddyfile(proxy)
    mount, directives = _read(host, proxy, main)
    if mount is None:
        return
    snippets = {
        directive.name[1:-1]: directive
        for directive in directives
        if _is_snippet(directive)
        and _length(directive) <= _LONGEST
        and not _takes_arguments(directive)
    }
    yield CaddyFile(main, mount, tuple(_sites(directives, snippets)))
    for path in _imported_paths(host, proxy, main, directives)[:_MOST]:
        mount, directives = _read(host, proxy, path)
        if mount is not None:
            yield CaddyFile(path, mount, tuple(_sites(directives, snippets)))


def _caddyfile(proxy: Container) -> str:
    words = proxy.config.words
    places = [at for at, word in enumerate(words[:-1]) if word == _CONFIG_OPTION]
    return words[places[0] + 1] if places else USUAL


def _read(host: Host, proxy: Container, path: str) -> tuple[Mount | None, Sequence[Directive]]:
    """A mounted file, and its mount; None for a file of the image, or one that cannot be read."""
    mount = innermost_mount(proxy.mounts, path)
    if mount is None or not mount.has_host_path:
        return None, ()
    text = host.ask(mounted_file(mount, path, parts="sites"))
    return (None, ()) if isinstance(text, Failed) else (mount, read(text.text))


def _is_snippet(directive: Directive) -> bool:
    return directive.is_block and directive.name.startswith("(") and directive.name.endswith(")")


def _length(block: Directive) -> int:
    """The number of directives in a block, nested blocks included."""
    return len(block.inner) + sum(map(_length, block.inner))


def _takes_arguments(snippet: Directive) -> bool:
    return _ARGUMENT in "".join(text_of([snippet]))


def _sites(
    directives: Sequence[Directive], snippets: Mapping[str, Directive]
) -> Iterator[Directive]:
    importing = _SnippetReader(snippets)
    for directive in directives:
        if directive.is_block and not _is_snippet(directive):
            yield importing.with_snippets(directive, 0)


class _SnippetReader(msgspec.Struct):
    """Puts snippets in the places of their imports."""

    snippets: Mapping[str, Directive]
    """The snippets without arguments, by name: an import of another one stays unchanged."""
    left: int = _MOST_IMPORTS

    def with_snippets(self, block: Directive, depth: int) -> Directive:
        """A block with the content of its snippets."""
        inner: list[Directive] = []
        for directive in block.inner:
            snippet = self.snippets.get(directive.first) if directive.name == _IMPORT else None
            if snippet is not None and depth < _DEEPEST and self.left > 0:
                self.left -= 1
                inner += self.with_snippets(snippet, depth + 1).inner
            else:
                inner.append(self.with_snippets(directive, depth))
        return msgspec.structs.replace(block, inner=tuple(inner))


def _imported_paths(
    host: Host, proxy: Container, main: str, directives: Sequence[Directive]
) -> list[str]:
    """The paths of the files that stand beside the sites of the main one."""
    patterns = [
        posixpath.join(posixpath.dirname(main), directive.first)
        for directive in directives
        if directive.name == _IMPORT
    ]
    return [path for pattern in patterns for path in _matching_files(host, proxy, pattern)]


def _matching_files(host: Host, proxy: Container, pattern: str) -> list[str]:
    folder, names = posixpath.split(pattern)
    if not set("*?[") & set(names):
        return [pattern]
    mount = innermost_mount(proxy.mounts, folder)
    if mount is None or not mount.has_host_path:
        return []
    inside = folder.removeprefix(mount.destination.rstrip("/")) or "/"
    listing = folder_listing(host, inside, root=mount.source)
    return [posixpath.join(folder, name) for name in sorted(fnmatch.filter(listing.names, names))]
