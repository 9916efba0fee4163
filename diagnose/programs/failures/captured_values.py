"""The values that a pattern captures in a line, in the form that people read."""

import re
from collections.abc import Callable, Mapping


def _dotted_version(number: str) -> str:
    """A version that MySQL writes as a number: two digits each for the second and third part."""
    return f"{number[:-4]}.{int(number[-4:-2])}.{int(number[-2:])}"


_CLASS_FILES_BEFORE_JAVA = 44
"""Class files of Java 1 have version 45, those of each release one more."""


def _java_release(number: str) -> str:
    """The release of Java that first had class files of this version."""
    return str(int(number) - _CLASS_FILES_BEFORE_JAVA)


_RELEASES_OF_REDIS = {"9": "5.0", "10": "7.0", "11": "7.2", "12": "7.4"}
"""The first release of Redis that writes a format of RDB, by the format's number."""


def _redis_release(number: str) -> str:
    """The first release of Redis that wrote files of this format; "" for an unknown one."""
    return _RELEASES_OF_REDIS.get(number, "")


_VERSIONS: Mapping[str, Callable[[str], str]] = {
    "number": _dotted_version,
    "class": _java_release,
    "rdb": _redis_release,
}
"""The form of a version for people, by the end of the group's name."""


def captured_values(match: re.Match[str]) -> dict[str, str]:
    """The values of the groups by name; `host_go` and `host_node` are two ways to find the host.

    A path has no full stop or colon at its end: the sentence does.
    """
    values: dict[str, str] = {}
    for group, value in match.groupdict().items():
        name, _, kind = group.partition("_")
        text = _VERSIONS[kind](value) if value and kind in _VERSIONS else value or ""
        values[name] = values.get(name) or (text.rstrip(".:") if text.startswith("/") else text)
    return values
