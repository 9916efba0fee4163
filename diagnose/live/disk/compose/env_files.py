"""The names of env files in a compose file. Pure.

`names_in_text` finds them in its text, since to parse the YAML takes longer than all else that is
asked of such a file. `names_of_entry` reads them from a service that was parsed for its other
values.
"""

import posixpath
import re
from collections.abc import Iterable

_KEY = re.compile(r"^\s*env_file:\s*(?P<rest>.*)$")
_BELOW = re.compile(r"^\s*(?:-\s+)?(?:path:\s*)?(?P<name>\S.*)$")
_OPTION = re.compile(r"^\s*(?:-\s+)?(?:required|format):")
_MOST = 20
"""Env files of one compose file."""


def names_in_text(text: str) -> list[str]:
    """The names as they are written; those with a variable are left out."""
    names: dict[str, None] = {}
    depth = -1
    for line in text.splitlines():
        if match := _KEY.match(line):
            rest = re.sub(r"(?<!\s)\s+#.*$", "", match["rest"])
            depth = -1 if rest else len(line) - len(line.lstrip())
            names |= dict.fromkeys(map(_unquoted_word, rest.strip("[]").split(",")))
        elif depth >= 0 and line.strip():
            is_below = len(line) - len(line.lstrip()) >= depth
            is_entry = line.lstrip().startswith(("- ", "path:")) or _OPTION.match(line)
            if not (is_below and is_entry):
                depth = -1
            elif not _OPTION.match(line) and (entry := _BELOW.match(line)):
                names[_unquoted_word(re.sub(r"(?<!\s)\s+#.*$", "", entry["name"]))] = None
    return [name for name in names if name and "$" not in name][:_MOST]


def names_of_entry(entry: object) -> list[str]:
    """The names in a parsed entry `env_file`: one, or a list of names or of entries with a path."""
    items = entry if isinstance(entry, list) else [entry]
    names = [named.get("path") if isinstance(named, dict) else named for named in items]
    return [name for name in names if isinstance(name, str) and "$" not in name][:_MOST]


def paths_of(names: Iterable[str], folder: str) -> list[str]:
    """The absolute paths of these files. folder: the start of relative names."""
    paths = (posixpath.normpath(posixpath.join(folder or "/", name)) for name in names)
    return list(dict.fromkeys(paths))


def _unquoted_word(word: str) -> str:
    return word.strip().strip("\"'")
