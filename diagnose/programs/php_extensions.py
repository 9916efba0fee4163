"""The extension of PHP that a program lacks, by its error and the trace below it."""

from collections.abc import Iterable

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import Recognised

FAILURE = "php-extension"
"""The family of complaints."""
_DRIVER = LazyPattern(r"PDO->__construct\(['\"](?P<driver>[a-z]{3,10}):")
"""The address of a database in a trace; PDO has an extension for each kind of database."""
_BY_PREFIX = {
    "bc": "bcmath",
    "cal": "calendar",
    "image": "gd",
    "mb": "mbstring",
    "pg": "pgsql",
    "sem": "sysvsem",
    "socket": "sockets",
}
"""By the first part of a function's name, where the extension has another one."""
_NAMED_ALIKE = frozenset(
    {"curl", "exif", "ftp", "gmp", "imap", "intl", "ldap", "mysqli", "pcntl", "soap", "zip"}
)


def missing_extension(failure: Recognised | None, lines: Iterable[str]) -> str:
    """The name of the missing extension; "" where it is not known."""
    if failure is None or failure.name != FAILURE:
        return ""
    extension = failure.values.get("extension") or failure.values.get("named")
    if extension:
        return extension
    prefix = failure.values.get("function", "").partition("_")[0]
    if prefix:
        begins = next((begin for begin in _BY_PREFIX if prefix.startswith(begin)), "")
        return prefix if prefix in _NAMED_ALIKE else _BY_PREFIX.get(begins, "")
    drivers = {match["driver"] for match in filter(None, map(_DRIVER.search, lines))}
    return f"pdo_{drivers.pop()}" if len(drivers) == 1 else ""
