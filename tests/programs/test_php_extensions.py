"""Which extension of PHP an error names, by itself or by the trace below it."""

from __future__ import annotations

import pytest

from diagnose.programs.failures import recognise_family
from diagnose.programs.families import FAMILIES
from diagnose.programs.php_extensions import missing_extension
from diagnose.programs.telling_line import telling_line

NO_DRIVER = "PHP Fatal error:  Uncaught PDOException: could not find driver in /app/index.php:2"
ERRORS = {
    "the driver of a trace": ((NO_DRIVER, "#0 /app/a.php(2): PDO->__construct('pgsql:host=db')"), "pdo_pgsql"),
    "two drivers": (
        (NO_DRIVER, "#0 PDO->__construct('pgsql:host=db')", "#1 PDO->__construct('mysql:host=db')"),
        "",
    ),
    "no trace": ((NO_DRIVER,), ""),
    "a function of the same name": (
        ("PHP Fatal error:  Uncaught Error: Call to undefined function mysqli_connect()",), "mysqli",
    ),
    "a function of another name": (
        ("PHP Fatal error:  Uncaught Error: Call to undefined function mb_strlen()",), "mbstring",
    ),
    "an image function": (
        ("PHP Fatal error:  Uncaught Error: Call to undefined function imagecreatetruecolor()",), "gd",
    ),
    "a function of WordPress": (
        ("PHP Fatal error:  Uncaught Error: Call to undefined function image_resize_dimensions()",), "",
    ),
    "Composer": (("Root composer.json requires PHP extension ext-intl * but it is missing",), "intl"),
    "another error": (("PHP Fatal error:  Uncaught Error: Call to undefined function shop()",), ""),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), ERRORS.values(), ids=ERRORS)
def test_the_extension_that_is_missing(lines: tuple[str, ...], expected: str) -> None:
    failure = recognise_family(telling_line(lines), FAMILIES)
    assert missing_extension(failure, lines) == expected
