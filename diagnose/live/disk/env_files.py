"""The names of env files in the text of a compose file. Pure.

Found without a parser of YAML, which takes longer than all else that is asked of such a file.
"""

from __future__ import annotations

import re

_KEY = re.compile(r"^\s*env_file:\s*(?P<rest>.*)$")
_BELOW = re.compile(r"^\s*(?:-\s+)?(?:path:\s*)?(?P<name>\S.*)$")
_OPTION = re.compile(r"^\s*(?:-\s+)?(?:required|format):")
_MOST = 20


def named(text: str) -> list[str]:
    """The names as they are written; those with a variable are left out."""
    names: dict[str, None] = {}
    depth = -1
    for line in text.splitlines():
        if match := _KEY.match(line):
            rest = re.sub(r"\s+#.*$", "", match["rest"])
            depth = -1 if rest else len(line) - len(line.lstrip())
            names |= dict.fromkeys(map(_plain, rest.strip("[]").split(",")))
        elif depth >= 0 and line.strip():
            is_below = len(line) - len(line.lstrip()) >= depth
            is_entry = line.lstrip().startswith(("- ", "path:")) or _OPTION.match(line)
            if not (is_below and is_entry):
                depth = -1
            elif not _OPTION.match(line) and (entry := _BELOW.match(line)):
                names[_plain(re.sub(r"\s+#.*$", "", entry["name"]))] = None
    return [name for name in names if name and "$" not in name][:_MOST]


def _plain(word: str) -> str:
    return word.strip().strip("\"'")
