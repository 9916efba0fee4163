"""Numbers without quotes in a compose file, as compose hands them to a container. Pure.

Its YAML library takes a leading 0 for the sign of an octal number, e for an exponent, and forgets
the zeros behind a decimal point. Measured with compose 2.40.3.
"""

import re
from decimal import Decimal

_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0b(?P<binary>[01]+)|0o?(?P<octal>[0-7]+)"
    r"|0x(?P<hex>[0-9a-fA-F]+)|(?P<decimal>[1-9][0-9]*|0))"
)
"""An integer of YAML 1.1: binary, octal with 0 or 0o, hexadecimal or decimal."""
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = {"binary": 2, "octal": 8, "hex": 16, "decimal": 10}
"""The base of a number, by the group of the pattern."""
_LARGEST = 1 << 64
"""From here on an integer becomes a float."""
_WITH_EXPONENT = 6
"""Floats of so many digits more than one are written with an exponent."""
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_HASH = re.compile(r"(?=[0-9eE]{7})[0-9]+[eE][0-9]+")
"""What git prints of a commit has seven digits at least; people write 1e6 and 1e-4."""
_OCTAL_BY_NATURE = re.compile(r"MASK|MODE|PERM", re.IGNORECASE)
"""Names of what programs read as octal in any case: 002 and 2 are one mask."""
_VERSION = re.compile(r"VERSION|RELEASE|(?:^|_)(?:TAG|VER)(?:_|$)", re.IGNORECASE)


def as_compose_reads(text: str) -> str:
    """The value that a container gets for a scalar without quotes. The same text where it is not a
    number."""
    plain = text.replace("_", "") if text[:1].isdecimal() else text
    whole = _INTEGER.fullmatch(plain)
    if whole is not None:
        kind = str(whole.lastgroup)
        number = int(whole[kind], _BASES[kind])
        if number < _LARGEST:
            return str(-number if whole["sign"] == "-" else number)
    if _FLOAT.fullmatch(plain) is None:
        return text
    return _float_text(float(plain))


def _float_text(value: float) -> str:
    """A float as Go writes it: the fewest digits, from 1e+06 on with an exponent."""
    number = Decimal(repr(value)).normalize()
    if not number:
        return "0"
    if -5 < number.adjusted() < _WITH_EXPONENT:
        return f"{number:f}"
    negative, figures, _ = number.as_tuple()
    sign = "-" * negative
    digits = "".join(map(str, figures))
    mantissa = f"{digits[0]}.{digits[1:]}".removesuffix(".")
    return f"{sign}{mantissa}e{number.adjusted():+03d}"


def loses_digits(name: str, text: str) -> bool:
    """Whether the text is more than a number: a code with a leading 0, a hash, a version."""
    if _HASH.fullmatch(text):
        return True
    if "." in text:
        return text.endswith("0") and _VERSION.search(name) is not None
    return _LEADING_ZERO.match(text) is not None and not _is_octal_anyway(name, text)


def _is_octal_anyway(name: str, text: str) -> bool:
    """Whether programs take 0022 and what compose makes of it for the same octal number."""
    is_octal_by_nature = _OCTAL_BY_NATURE.search(name) is not None
    return is_octal_by_nature and as_compose_reads(text) == text.lstrip("0")
