"""What the checks of images share."""

from __future__ import annotations

NAMES_SHOWN = 8


def short(text: str, width: int = 240) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
