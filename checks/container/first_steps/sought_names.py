"""How grep looks for the name of a file among those of a container."""

from __future__ import annotations

import re

from diagnose.lazy_pattern import LazyPattern

_VERSION = LazyPattern(r"(?<=[A-Za-z])[-.]?\d+(?:\.\d+)*$")
"""At the end of a name: php-fpm7.0, libpq.so.5."""


def sought_name(name: str) -> str:
    """An extended pattern for a name, with any version where the name ends with one."""
    stem = _VERSION.sub("", name)
    escaped = re.escape(stem).replace(r"\-", "-")
    return escaped if stem == name else f"{escaped}[-.0-9]*"
