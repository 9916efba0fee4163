"""Files that builds name after their content: main.e5f6a7b8.js replaces main.a1b2c3d4.js. Pure."""

from collections.abc import Collection, Mapping

from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key

_NAME = LazyPattern(
    r"(?P<stem>[\w.-]{1,100}?)[.-](?P<hash>[0-9a-f]{8,64}|(?=[\w-]{0,7}\d)[\w-]{8})"
    r"(?P<rest>(?:\.[a-z0-9]{1,12}){1,3})"
)
"""index-B7x2Kp_q.js, main.e5f6a7b8.bundle.js: a hash is hexadecimal, or eight characters with a
digit."""


def former_names(fresh: Collection[str], kept: Collection[str]) -> Mapping[str, str]:
    """The files of a new build with those of a former one in their place, by name.

    fresh, kept: the names in one folder of the new build and of the former one. A file of both is
    left out, and so is one that differs from several in its hash alone.
    """
    former = by_key((_without_hash(name), name) for name in kept if name not in fresh)
    pairs = {name: former.get(_without_hash(name), []) for name in fresh if name not in kept}
    return {
        name: names[0] for name, names in pairs.items() if _without_hash(name) and len(names) == 1
    }


def has_hash(name: str) -> bool:
    """Whether a name holds what looks like a hash."""
    return bool(_without_hash(name))


def _without_hash(name: str) -> str:
    """A name without the hash in it; "" where it has none."""
    match = _NAME.fullmatch(name)
    return f"{match['stem']}*{match['rest']}" if match is not None else ""
