"""The largest upload that PHP in a container takes, by its settings."""

import posixpath
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.numbers import BYTES_OF_UNIT, is_number
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, ReadFile

_FOLDER = "PHP_INI_DIR"
"""The variable of the official images, and of those that were built on them."""
_POOLS = "/usr/local/etc/php-fpm.d"
_OF_SITES = (".user.ini", ".htaccess", "public/.user.ini", "public/.htaccess")
_MOST_FILES = 40
_SIZE = LazyPattern(r"(?i)(?P<number>\d{1,15})\s?(?P<unit>[KMGT]?)(?:I?B)?")
"""64M, 100MB, 10g, 2 GiB or 1048576"""
_REFERENCE = LazyPattern(r"\$\{(?P<name>\w{1,60})(?::-?(?P<default>[\w.-]{0,40}))?\}")
UPLOAD = "upload_max_filesize"
POST = "post_max_size"
_DEFAULTS = {UPLOAD: "2M", POST: "8M"}


class PhpLimit(msgspec.Struct, frozen=True):
    """A setting of PHP that limits clients' uploads."""

    name: str
    value: str
    path: str = ""
    """The file in the container that has it; "" for PHP's default."""

    @property
    def bytes(self) -> int:
        """0 for no limit."""
        return size_of(self.value) or 0


class PhpLimits(msgspec.Struct, frozen=True):
    """Both settings that count for an upload."""

    upload: PhpLimit
    post: PhpLimit

    @property
    def lower(self) -> PhpLimit:
        """The one that is reached first."""
        is_post = 0 < self.post.bytes < self.upload.bytes
        return self.post if is_post else self.upload


def php_limits(host: Host, container: Container) -> PhpLimits | None:
    """The limits of PHP in a container; None where they are not known."""
    folder = container.config.value_of(_FOLDER).rstrip("/")
    if not folder.startswith("/") or any(name in " ".join(container.command) for name in _DEFAULTS):
        return None
    limits = {name: PhpLimit(name, value) for name, value in _DEFAULTS.items()}
    root = f"/proc/{container.state.pid}/root"
    paths = _paths(host, container, folder)
    if paths is None:
        return None
    for path in paths:
        file = host.ask(ReadFile(path, root=root, parts="upload limits"))
        if isinstance(file, Failed):
            if file.reason != "missing":
                return None
            continue
        for line in file.text.splitlines():
            name, _, value = line.partition("=")
            value = _with_variables(value, container)
            if name in limits and size_of(value) is None:
                return None
            limits[name] = PhpLimit(name, value, path)
    return PhpLimits(limits[UPLOAD], limits[POST])


def size_of(text: str) -> int | None:
    """The bytes of a size such as 64M; None for another text."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or not is_number(match["number"]):
        return None
    return int(match["number"]) * BYTES_OF_UNIT[match["unit"].lower()]


def _paths(host: Host, container: Container, folder: str) -> list[str] | None:
    """The files that may have the settings, in the order in which PHP reads them."""
    root = f"/proc/{container.state.pid}/root"
    paths = [f"{folder}/php.ini"]
    for place, ending in ((f"{folder}/conf.d", ".ini"), (_POOLS, ".conf")):
        listing = host.ask(ListFolder(place, root=root))
        if not isinstance(listing, Failed):
            names = (name for name in listing.names if name.endswith(ending))
            paths += [posixpath.join(place, name) for name in names]
        elif listing.reason != "missing":
            return None
    paths_of_sites = [
        posixpath.join(site, name) for site in _sites(container) for name in _OF_SITES
    ]
    return [*paths, *paths_of_sites] if len(paths) <= _MOST_FILES else None


def _sites(container: Container) -> Iterator[str]:
    """The folders in which a program has its pages."""
    yield from dict.fromkeys((container.config.working_dir.rstrip("/") or "/", "/var/www/html"))


def _with_variables(text: str, container: Container) -> str:
    """A value with the container's variables in the places of their names."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return text
    return container.config.value_of(match["name"]) or match["default"] or ""
