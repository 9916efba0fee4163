"""The path at which a program written in Go, such as the engine, failed. Pure."""

from diagnose.lazy_pattern import LazyPattern

_PATH_ERROR = LazyPattern(
    r"(?:mkdir|open|l?stat|chmod|l?chown|rename|remove|unlink(?:at)?|read(?:link)?|write|(?:sym)?link)"
    r" (?P<path>/[^\s:]{1,500}): [a-z][a-z /-]{1,60}$"
)
"""The end of Go's errors about a file: the operation, the path, the kernel's words."""


def path_of_error(text: str) -> str:
    """The path at which an error ends; "" where it has no path at its end."""
    match = _PATH_ERROR.search(text.removesuffix(": unknown"))
    return match["path"] if match is not None else ""
