"""The rule about one setting of an image that needs another part. Pure data."""

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.setting_needs.parts import SettingPart


class SettingNeed(msgspec.Struct, frozen=True):
    """A setting that an image reads, and what it does nothing without.

    `says`, `option` and `fix` may have groups of the matched parts in braces. `{server}` is the
    name of the neighbour that a part has found.
    """

    key: str
    """The name of the rule, which tells two findings about one container apart."""
    image: LazyPattern
    given: tuple[SettingPart, ...]
    """The parts that the container has, all of them."""
    lacks: tuple[SettingPart, ...]
    """The parts of which any one would be enough, and of which it has none."""
    says: str
    """The predicate of the sentence about the container."""
    fix: str
    """The words that say what fixes it."""
    option: str = ""
    """The option of `docker create` that fixes it, where its value is known."""
    cuts_off: bool = False
    """Whether it is certain that users are cut off now: a warning, and else advice."""


def image_named(pattern: str) -> LazyPattern:
    """The images whose last part has this name."""
    return LazyPattern(rf"(?:^|/)(?:{pattern})(?:[:@]|$)")
