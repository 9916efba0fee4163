"""Lines of compose files that have a text once their variables are replaced by nothing. Pure."""

from collections.abc import Mapping, Sequence

from diagnose.live.disk.compose.dollars import ASSIGNED, REFERENCE
from diagnose.model import Json

_MOST = 40


def emptied_texts(texts: Mapping[str, str], sought: Sequence[str]) -> list[Json]:
    """Each such line, with its variables and the env file that gives them a value now.

    texts: of the compose files and the env files beside them, by path.
    """
    given = {path: _given_names(text) for path, text in texts.items() if not _is_yaml(path)}
    found: list[Json] = []
    for path, text in texts.items():
        for number, line in enumerate(text.splitlines() if _is_yaml(path) else (), 1):
            names = [match[1] or match[2] for match in REFERENCE.finditer(line)]
            bare = REFERENCE.sub("", line).replace("$$", "$") if names else ""
            for wanted in sought:
                if wanted in bare:
                    place: dict[str, Json] = {"path": path, "line": number, "text": wanted}
                    giving = [file for file, own in given.items() if own.issuperset(names)]
                    names_once: list[Json] = [*dict.fromkeys(names)]
                    found.append({**place, "names": names_once, "given_in": [*giving]})
    return found[:_MOST]


def _given_names(text: str) -> set[str]:
    """The variables to which an env file gives a value."""
    matches = map(ASSIGNED.match, text.splitlines())
    return {match[1] for match in matches if match is not None and match[2].strip("\"'")}


def _is_yaml(path: str) -> bool:
    return path.endswith((".yml", ".yaml"))
