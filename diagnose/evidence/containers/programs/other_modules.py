"""Folders of images with a module that the interpreter of a program does not find.

An image may have two Pythons, of which each has a folder of its own for modules: pip installs for
one, and a `#!` line names the other. Its base may have moved to the next version of the language.
`pip install --user` and `npm install --global` use folders that not every program searches. Python
searches the folder of the script that it runs, and not the one above it.
"""

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.other_homes import may_enter
from diagnose.evidence.containers.secrets import MARK
from diagnose.evidence.containers.user_numbers import UserNumbers, user_of
from diagnose.evidence.items import ByContainer
from diagnose.mappings import present
from diagnose.model import Failed, Json, PageVariables
from diagnose.questions import Host
from diagnose.questions.containers import ContainerFile, ReadContainerFile
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import ListFolder
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

_LONGEST_NAME = 100
MOST_FOLDERS = 8
"""Of which the engine is asked, two questions each: the last ones, with the programs themselves."""
_BY_IMPORT = "Cannot find package"
"""Node.js says so of an `import`, which does not heed the variable."""
_COPY = "/opt/copied-modules"
_COMPILED = ".so"
"""A module of the processor's own code fits one version of the language alone."""


class Language(msgspec.Struct, frozen=True):
    """The variable that adds a module folder to an interpreter, and the folders of images."""

    interpreter: str
    variable: str
    folders: tuple[str, ...]
    """The folders; `*` is any part of one name, and `{own}` the container's working directory."""
    files: tuple[str, ...]
    """The files of a module in such a folder; the first one is a folder, if it has no suffix."""
    separator: str = "."
    """The separator, in place of the slash, in the name of a nested module."""


_CODE = ("{own}", "{own}/src", "/app", "/app/src", "/code", "/src", "/usr/src/app")
"""Folders of the program itself in images."""
_VENVS = ("/opt/venv", "/venv", "/app/.venv", "/app/venv", "{own}/.venv", "{own}/venv")
_LANGUAGES = {
    "module-python": Language(
        "Python",
        "PYTHONPATH",
        (
            "/usr/local/lib/python3*/site-packages",
            "/usr/local/lib/python3*/dist-packages",
            "/usr/lib/python3*/site-packages",
            "/usr/lib/python3/dist-packages",
            "/opt/conda/lib/python3*/site-packages",
            "/root/.local/lib/python3*/site-packages",
            "/home/*/.local/lib/python3*/site-packages",
            *(f"{folder}/lib/python3*/site-packages" for folder in _VENVS),
            *_CODE,
        ),
        ("{module}", "{module}.py"),
    ),
    "module-node": Language(
        "Node.js",
        "NODE_PATH",
        (
            "/usr/local/lib/node_modules",
            "/usr/lib/node_modules",
            "/app/node_modules",
            "/opt/*/node_modules",
            "/usr/src/*/node_modules",
            "/home/node/*/node_modules",
            "{own}/node_modules",
        ),
        ("{module}",),
        separator="",
    ),
    "perl-module": Language(
        "Perl",
        "PERL5LIB",
        (
            "/usr/share/perl5",
            "/usr/share/perl5/vendor_perl",
            "/usr/lib/*/perl5/5.*",
            "/usr/local/share/perl/5.*",
            "/usr/local/lib/perl5/site_perl/5.*",
            "/root/perl5/lib/perl5",
        ),
        ("{module}.pm",),
        separator="",
    ),
    "r-package": Language(
        "R",
        "R_LIBS",
        (
            "/usr/local/lib/R/site-library",
            "/usr/local/lib/R/library",
            "/usr/lib/R/site-library",
            "/usr/lib/R/library",
            "/opt/R/*/lib/R/library",
            "/root/R/*/*",
        ),
        ("{module}",),
        separator="",
    ),
}
"""By the known failure that names the module."""


class OtherModule(msgspec.Struct, frozen=True):
    """A missing module, and the folder in which the container has it."""

    container: Container
    language: Language
    module: str
    folder: str
    is_open: bool
    """Whether the container's user may enter the home directory with the module."""
    assignment: str = ""
    """The variable with the folder, "" where that would not help."""

    @property
    def clause(self) -> str:
        interpreter = self.language.interpreter
        place_clause = f"where the {interpreter} that runs the program does not look"
        if not self.is_open:
            place_clause = "which the container's user may not enter"
        return f"the container has the {interpreter} module {self.module} in {self.folder}, {place_clause}"

    @property
    def evidence(self) -> dict[str, Json]:
        """Evidence that replaces the general meaning of the log line."""
        return {"this means": self.clause, "what fixes it": self._cure}

    @property
    def _cure(self) -> str:
        """The change that lets the program use the module, in words."""
        if not self.is_open:
            return "install it in the image for all users, or run the container as the user whose folder that is"
        prefix, _, behind = self.folder.partition("/lib/")
        version = behind.partition("/")[0]
        if self.language.variable == "PYTHONPATH" and re.fullmatch(r"python3\.\d+", version):
            return (
                f"run the program with {prefix}/bin/{version}, for which it is installed (its first "
                "line may name another one), or install it for the Python that runs it"
            )
        return f"set {self.language.variable}={self.folder}, or install it where the program looks"

    @property
    def steps(self) -> PageVariables:
        """The page variable that makes the interpreter look there; or an image with a copy."""
        if not self.is_open:
            return self._copy_variables()
        return present({"assignment": self.assignment})

    def _copy_variables(self) -> PageVariables:
        """The lines of a Dockerfile that copy the modules to where each user may read them."""
        config = self.container.config
        variable = self.language.variable
        lines = (
            f"FROM {config.image}",
            "USER 0",
            f"RUN mkdir -p {_COPY} && cp -r {self.folder}/. {_COPY} && chmod -R a+rX {_COPY}",
            f"ENV {variable}={_COPY}",
            f"USER {config.user}",
        )
        is_plain = not config.value_of(variable) and not config.image.startswith("sha256:")
        steps = {"dockerfile": "\n".join(lines), "mended": self.container.mended_image}
        return steps if is_plain else {}


class OtherModules(ByContainer[OtherModule], frozen=True):
    """The folders of the image with the module that the program misses, by container."""


@evidence
def other_modules(
    host: Host, containers: Containers, log_tails: LogTails, numbers: UserNumbers | None
) -> OtherModules:
    """The module folders of the image's layers, of containers whose log misses a module.

    An engine that keeps its images in containerd has no such layers, and nothing is known then.
    """
    modules = {}
    for container in containers:
        failure = log_tails.failures.get(container.id)
        if failure is None:
            continue
        language = _LANGUAGES.get(failure.name)
        if language is None or not container.image:
            continue
        module = failure.values.get("module", "")
        is_path = module.startswith((".", "/")) or ".." in module
        if not module or is_path or len(module) > _LONGEST_NAME:
            continue
        user = user_of(container, numbers)
        other_place = _other_module(_Search(host, container, language), module, failure.line, user)
        if other_place is not None:
            modules[container.id] = other_place
    return OtherModules(modules)


class _Search(msgspec.Struct, frozen=True):
    """The layers of one container's image, in which folders are looked for."""

    host: Host
    container: Container
    language: Language

    def layers(self) -> list[str]:
        detail = self.host.ask(InspectImage(self.container.image))
        return [] if isinstance(detail, Failed) else list(detail.layers)

    def folders(self, layers: Sequence[str]) -> list[str]:
        """The folders that may have modules, in the order of the language, without `*`."""
        working_folder = self.container.config.working_dir.rstrip("/")
        patterns = [folder.replace("{own}", working_folder) for folder in self.language.folders]
        while any("*" in pattern for pattern in patterns):
            parents = dict.fromkeys(_parent(pattern) for pattern in patterns if "*" in pattern)
            names = self._names(layers, list(parents))
            patterns = [path for pattern in patterns for path in _filled_patterns(pattern, names)]
        return list(dict.fromkeys(patterns))

    def _names(self, layers: Sequence[str], parents: Sequence[str]) -> dict[str, set[str]]:
        """The entries of each folder, in all layers together."""
        inside = {f"{layer}/diff{parent}": parent for layer in layers for parent in parents}
        modules_there = self.there(list(inside))
        names: dict[str, set[str]] = {}
        for path, listing in self.host.answers_about(modules_there, ListFolder).items():
            names.setdefault(inside[path], set()).update(listing.names)
        return names

    def there(self, paths: Sequence[str]) -> list[str]:
        """The paths of these that the host has."""
        statuses = path_statuses(self.host, paths, follow=False)
        return [path for path, status in statuses.items() if status.type in ("folder", "file")]


def _parent(pattern: str) -> str:
    """The folder whose entries match the first `*`."""
    return posixpath.dirname(pattern.partition("*")[0] + "x")


def _filled_patterns(pattern: str, names: Mapping[str, set[str]]) -> Iterator[str]:
    """A pattern with each matching name as the replacement of its first name with a `*`."""
    if "*" not in pattern:
        yield pattern
        return
    parent = _parent(pattern)
    name_pattern, slash, rest = pattern.removeprefix(f"{parent}/").partition("/")
    for name in sorted(names.get(parent, ())):
        if fnmatch(name, name_pattern):
            yield f"{parent}/{name}{slash}{rest}"


def _other_module(search: _Search, module: str, line: str, user: str) -> OtherModule | None:
    """The first folder that has the module, as the container itself sees it."""
    language = search.language
    for place in _places(search, module):
        folder = place.folder
        is_open = _is_open(search, folder, user)
        is_pure = not place.on_host or not _has_compiled(search, place.on_host)
        helps = is_open and is_pure and _BY_IMPORT not in line
        assignment = _assignment(search.container, language.variable, folder) if helps else ""
        return OtherModule(
            search.container,
            language,
            module=module,
            folder=folder,
            is_open=is_open,
            assignment=assignment,
        )
    return None


class _Place(msgspec.Struct, frozen=True):
    """A folder of a container that has a module."""

    folder: str
    on_host: str = ""
    """The file of the module on the host; "" if it is not known."""


def _places(search: _Search, module: str) -> Iterator[_Place]:
    """The folders that have the module, those of the image's layers first.

    The engine is then asked for each folder whose name is known: a mount may have the module too.
    """
    layers = search.layers()
    folders = search.folders(layers)
    files = _module_files(search.language, module)
    candidates = {
        f"{layer}/diff{folder}/{file}": (folder, file)
        for folder, layer, file in itertools.product(folders, layers, files)
    }
    for on_host in search.there(list(candidates)):
        folder, file = candidates[on_host]
        if _seen_file(search, f"{folder}/{file}") is not None:
            yield _Place(folder, on_host)
    known_folders = [folder for folder in folders if folder]
    for folder in known_folders[-MOST_FOLDERS:]:
        if any(_seen_file(search, f"{folder}/{file}") is not None for file in files):
            yield _Place(folder)


def _module_files(language: Language, module: str) -> list[str]:
    """The files that a module may be, below a folder of modules."""
    path = module.replace(language.separator, "/") if language.separator else module
    return [file.replace("{module}", path) for file in language.files]


def _seen_file(search: _Search, path: str) -> ContainerFile | None:
    answer = search.host.ask(ReadContainerFile(search.container.id, path, bytes=0))
    return None if isinstance(answer, Failed) else answer


def _home_around(folder: str) -> str:
    """The home directory around a folder; "" for none."""
    parts = folder.split("/")
    if parts[1] == "root":
        return "/root"
    return "/".join(parts[:3]) if parts[1] == "home" else ""


def _is_open(search: _Search, folder: str, user: str) -> bool:
    """Whether the container's user may enter the home directory of another one."""
    home = _home_around(folder)
    uid, _, gid = user.partition(":")
    return not home or may_enter(_seen_file(search, home), uid or "0", gid)


def _has_compiled(search: _Search, path: str) -> bool:
    listing = folder_listing(search.host, path)
    return any(name.endswith(_COMPILED) for name in listing.names)


def _assignment(container: Container, variable: str, folder: str) -> str:
    """The variable with the folder behind those that it has."""
    before = container.config.value_of(variable)
    if MARK in before:
        return ""
    return f"{variable}={before}:{folder}" if before else f"{variable}={folder}"
