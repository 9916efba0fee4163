"""Labels by which programs know the containers that they stop, and start again later."""

from collections.abc import Iterable

from diagnose.lazy_pattern import LazyPattern

_FOR_A_BACKUP = LazyPattern(r"[\w-]{0,60}\.(?=[\w-]{0,60}backup)(?=[\w-]{0,60}stop)[\w-]{1,60}")
"""`docker-volume-backup.stop-during-backup`, `nautical-backup.stop-before-backup`, their like."""
_UNTIL_CALLED = LazyPattern(r"sablier\.(?:enable|group)|lazytainer\.group|lazyloader")
"""Programs that let a container sleep until somebody calls it: Sablier, Lazytainer, and traefik's
lazy loader."""


def backup_label(labels: Iterable[str]) -> str:
    """The label of a container that a backup stops; "" where there is none."""
    return next((label for label in labels if _FOR_A_BACKUP.fullmatch(label)), "")


def sleep_label(labels: Iterable[str]) -> str:
    """The label of a container that sleeps until it is called; "" where there is none."""
    return next((label for label in labels if _UNTIL_CALLED.fullmatch(label)), "")
