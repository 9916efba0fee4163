"""Calls of docker in a line of words, and those that ask for a terminal. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_WITH_VALUE = frozenset({"e", "u", "w", "v", "p"})
"""Short options of `docker exec` and `docker run` that take the next word."""
_LONG = {"--interactive": "i", "--tty": "t", "--detach": "d"}
_MAKES_ONE = frozenset({"expect", "screen", "script", "socat", "ssh", "tmux", "unbuffer"})
"""Programs that give what they run a terminal, or run it on another host."""


class Call(NamedTuple):
    """The word that asks for a terminal, and what the call is about."""

    flag: str
    target: str
    text: str
    """The call, without the arguments of the program that it starts: one may be a password."""


def calls_with_terminal(line: str) -> Iterator[Call]:
    """The calls of one line that fail without a terminal; none of a comment."""
    words = line.split()
    if line.lstrip().startswith("#") or _MAKES_ONE & {word.rpartition("/")[2] for word in words}:
        return
    for verb, rest in docker_commands(words):
        if verb in ("exec", "run") and (call := _call(verb, rest)):
            yield call


def docker_commands(words: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """The verb of each call of docker, and the words after it; `docker container` is `docker`."""
    for at, word in enumerate(words):
        if word.rpartition("/")[2] != "docker":
            continue
        rest = words[at + 1 :]
        rest = rest[1:] if rest[:1] == ["container"] else rest
        if rest:
            yield rest[0], rest[1:]


class Prune(NamedTuple):
    """A call that removes volumes."""

    text: str
    kind: str
    every: bool


def volume_prunes(line: str) -> Iterator[Prune]:
    """The calls of one line that remove volumes which no container uses; none of a comment."""
    if line.lstrip().startswith("#"):
        return
    for verb, rest in docker_commands(line.split()):
        if verb not in ("volume", "system") or rest[:1] != ["prune"]:
            continue
        options = _own_options(rest[1:])
        is_chosen = any("label" in word for word in options)
        if is_chosen or (verb == "system" and "--volumes" not in options):
            continue
        takes_named = any(_asks_for_all(word) for word in options)
        text = " ".join(("docker", verb, "prune", *options))
        yield Prune(text, verb, every=verb == "volume" and takes_named)


def _own_options(words: Sequence[str]) -> list[str]:
    """The options of a call, up to the next command of the line."""
    options: list[str] = []
    for word in words:
        ends = word in ("&&", "||", "|", ";", "&") or word.startswith((">", "2>"))
        if ends or not (word.startswith("-") or options[-1:] == ["--filter"]):
            break
        options.append(word.rstrip(";"))
    return options


def _asks_for_all(word: str) -> bool:
    is_short = word.startswith("-") and not word.startswith("--") and "a" in word
    return is_short or word in ("--all", "--all=true") or word.endswith(("all=1", "all=true"))


def _call(verb: str, words: Sequence[str]) -> Call | None:
    """The call, if its options ask for input and a terminal, and not for the background."""
    options: dict[str, str] = {}
    place = 0
    while place < len(words) and words[place].startswith("-"):
        word = words[place]
        letters = _LONG.get(word, "" if word.startswith("--") else word[1:])
        options |= {letter: word for letter in letters if letter in "itd"}
        takes_next = not word.startswith("--") and letters[-1:] in _WITH_VALUE
        place += 2 if takes_next else 1
    if not {"i", "t"} <= options.keys() or "d" in options:
        return None
    target = words[place].strip("\"'") if place < len(words) else ""
    text = " ".join(("docker", verb, *words[: place + 2]))
    return Call(options["t"], "" if "$" in target else target, text)
