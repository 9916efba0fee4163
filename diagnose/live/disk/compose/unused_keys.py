"""Names in the `.env` of a compose project that nothing in its folder mentions.

Compose reads that file to replace `${NAME}` in its own files. It passes none of it to a container.
"""

import functools
import os
import re
from collections.abc import Mapping, Set

from diagnose.lazy_pattern import LazyPattern
from diagnose.live.disk.compose.dotenv import dotenv_text
from diagnose.live.disk.compose.env_files import names_in_text, paths_of
from diagnose.live.disk.compose.variables import assigned_values
from diagnose.live.disk.jobs.cron_files import crontabs
from diagnose.live.disk.opening import read_text
from diagnose.word_sets import vocabulary

_LONGEST = 1 << 16
"""Bytes of a file that are searched."""
_MOST_FILES = 60
_MOST = 40
"""Names of one project."""
_NO_USER = LazyPattern(
    r"(?i)\.env(?!rc)|\.\w{2,12}ignore|readme|.*(?:\.(?:md|txt|bak|old|orig|log)|example|sample|template)"
)
"""Files that list the names without a use of them: copies, examples, documents."""
_OF_SOURCES = vocabulary(
    "Cargo.toml Dockerfile Gemfile artisan build.gradle composer.json go.mod manage.py mix.exs"
    " package.json pom.xml pyproject.toml requirements.txt src"
)
"""Signs of a program's own folder: it reads `.env` itself, on the host as a rule."""
_SCRIPT_FOLDERS = ("backup", "bin", "cron", "deploy", "hooks", "install", "ops", "scripts", "tools")
_FOLDERS_OF_HOST = ("/etc/systemd/system", "/usr/local/bin", "/usr/local/sbin", "/etc/cron.daily")
"""Folders with units and scripts of the host, which may read the file."""
_READS_ALL = LazyPattern(
    r"\bdotenv\b|(?:\bsource|\binclude|^\.|[;&|\t ]\.|=)[ \t]+\S{0,200}\.env\b", re.MULTILINE
)
"""A script that takes all of `.env` for its variables: the programs that it calls have them too."""
_WORD = LazyPattern(r"[A-Za-z_]\w{0,99}")
_REFERENCE = LazyPattern(r"\$\{?([A-Za-z_]\w{0,99})")


def unused_keys(texts: Mapping[str, str], folder: str) -> list[str]:
    """The names with a value in `.env` that no other file of the folder mentions.

    None where a service names `.env` as its env file, where the file is a link to one for several
    projects, and beside the sources of a program; nor where a script, a job or a unit reads all of
    it. A name that another value refers to counts as used. texts: the compose files of the project.
    """
    if _is_for_others(texts, folder):
        return []
    dotenv = dotenv_text(folder)
    values = assigned_values(dotenv)
    names = {name for name, value in values.items() if value}
    names -= set(_REFERENCE.findall(dotenv))
    names -= {word for text in texts.values() for word in _WORD.findall(text)}
    mentioned = _names_around(folder) if names else frozenset()
    if mentioned is None or names <= mentioned or _is_known_to_host(f"{folder}/.env"):
        return []
    return [name for name in values if name in names - mentioned][:_MOST]


def _is_for_others(texts: Mapping[str, str], folder: str) -> bool:
    """Whether `.env` is more than the variables of compose: an env file of a service, a link to one
    for several projects, or the settings of a program."""
    dotenv = f"{folder}/.env"
    if os.path.islink(dotenv):  # noqa: PTH114 - as its neighbours
        return True
    env_files = [name for text in texts.values() for name in names_in_text(text)]
    return dotenv in paths_of(env_files, folder) or not _OF_SOURCES.isdisjoint(_names(folder))


def _names_around(folder: str) -> Set[str] | None:
    """The words of scripts and settings in the folder; None where one of them takes all names."""
    names: set[str] = set()
    for place in (folder, *(f"{folder}/{inner}" for inner in _SCRIPT_FOLDERS)):
        for name in _names(place)[:_MOST_FILES]:
            text = "" if _NO_USER.match(name) else read_text(f"{place}/{name}", _LONGEST) or ""
            if _READS_ALL.search(text):
                return None
            names.update(_WORD.findall(text))
    return names


def _is_known_to_host(dotenv: str) -> bool:
    """Whether a crontab, a unit or a script outside of the projects names this file."""
    return any(dotenv in text for text in _texts_of_host(_FOLDERS_OF_HOST))


@functools.cache
def _texts_of_host(folders: tuple[str, ...]) -> tuple[str, ...]:
    """The texts that name a file `.env`; read once in the life of a worker, which is one run."""
    paths = [f"{folder}/{name}" for folder in folders for name in _names(folder)[:_MOST_FILES]]
    scripts = (read_text(path, _LONGEST) or "" for path in paths)
    tables = (text for _, text in crontabs())
    return tuple(text for text in (*tables, *scripts) if ".env" in text)


def _names(folder: str) -> list[str]:
    """The names in a folder; none where it cannot be listed."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - as its neighbours
    except OSError:
        return []
