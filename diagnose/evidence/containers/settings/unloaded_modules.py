"""Modules that somebody has set up for a program, and that its list of modules lacks."""

import itertools
import posixpath
from collections.abc import Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.model import Failed
from diagnose.programs.loaded_modules import LOADED_MODULES, LoadedModule
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.registry import evidence

MOST = 12
"""Containers whose files are read."""
_BYTES = 32768
_NOWHERE = "its own default"


class UnloadedModule(msgspec.Struct, frozen=True):
    """A module with settings that is not loaded."""

    container: Container
    module: str
    setting: str
    """The first setting of the module."""
    listed: str
    """The modules that the program loads."""
    listed_in: str
    """Where the list is: a file in the container, its command or variables, or nowhere."""


class UnloadedModules(Items[UnloadedModule], frozen=True):
    """In the order of the containers."""


@evidence
def unloaded_modules(host: Host, containers: Containers) -> UnloadedModules:
    """The running programs with settings of a module that they do not load.

    Of a program that may have such modules, the files of settings are read, as its container sees
    them. Where another container of the same image loads the module, it does the work of that.
    """
    needed_modules = [
        (container, module)
        for container in containers.running
        for module in LOADED_MODULES
        if module.image.search(container.config.image)
    ]
    modules: list[UnloadedModule] = []
    loading: set[tuple[str, str]] = set()
    for container, module in host.first(
        needed_modules, MOST * len(LOADED_MODULES), "lists of modules"
    ):
        texts = _texts(host, container, module)
        unloaded = _unloaded_module(container, module, texts)
        if unloaded is not None:
            modules.append(unloaded)
        elif _is_loaded(module, texts):
            loading.add((container.config.image, module.names[0]))
    return UnloadedModules(
        tuple(
            unloaded
            for unloaded in modules
            if (unloaded.container.config.image, unloaded.module) not in loading
        )
    )


def _texts(host: Host, container: Container, module: LoadedModule) -> dict[str, str]:
    """The settings by where they are: its command and its variables, and its files."""
    words = container.config.words
    pairs = [f"{word} {value}" for word, value in itertools.pairwise(words)]
    variables = [f"{name}={value}" for name, value in container.config.environment]
    texts = {"its command or a variable": "\n".join([*words, *pairs, *variables])}
    name_match = module.named_by.search(texts["its command or a variable"])
    files = (name_match["path"],) if name_match is not None else module.files
    folder = container.config.value_of(module.folder_variable) or module.folder
    for name in (*files, *module.further_files):
        path = posixpath.join(folder, name)
        file = host.ask(ReadContainerFile(container.id, path, bytes=_BYTES))
        if not isinstance(file, Failed):
            texts[path] = file.text
    return texts


class _Listing(msgspec.Struct, frozen=True):
    """A list of modules, and where it is."""

    modules: str
    place: str


def _listing(module: LoadedModule, texts: dict[str, str]) -> _Listing:
    """The list that counts: that of the command before that of a file."""
    for place, text in texts.items():
        match = module.listing.search(text)
        if match is not None:
            return _Listing(match["list"].strip(" \t'\""), place)
    return _Listing(module.usual, _NOWHERE)


def _unloaded_module(
    container: Container, module: LoadedModule, texts: dict[str, str]
) -> UnloadedModule | None:
    """The module, if it has settings and the list lacks it.

    None where the list may be in a file that was not read.
    """
    settings = [match[0] for match in filter(None, map(module.settings.search, texts.values()))]
    listing = _listing(module, texts)
    is_elsewhere = module.includes is not None and (
        len(texts) == 1 or any(map(module.includes.search, texts.values()))
    )
    if not settings or _is_loaded(module, texts) or is_elsewhere:
        return None
    name = module.names[0]
    setting = settings[0].strip()
    return UnloadedModule(container, name, setting, listing.modules, listing.place)


def _is_loaded(module: LoadedModule, texts: Mapping[str, str]) -> bool:
    """Whether any of its lists has the module: each session of PostgreSQL may have one too."""
    return any(
        _is_listed(module.names, match["list"])
        for text in texts.values()
        for match in module.listing.finditer(text)
    )


def _is_listed(names: Sequence[str], listed: str) -> bool:
    loaded_names = {name.strip(" \t'\"") for name in listed.split(",")}
    return not loaded_names.isdisjoint(names)
