"""The small text files of a control group."""

import os

FILE_BYTES = 65536
"""More than any of these files holds; the kernel gives each in one read."""


def file_text(folder: str | None, name: str) -> str | None:
    """The text of a file that some kernels or controllers do not have."""
    if folder is None:
        return None
    try:
        descriptor = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, FILE_BYTES).decode("ascii", "replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)


def file_number(folder: str | None, name: str) -> int | None:
    """A file of one number.

    None for "max", the word of version 2 for no limit, and where there is no such file.
    """
    text = (file_text(folder, name) or "").strip()
    return int(text) if text.lstrip("-").isdigit() else None


def file_pairs(folder: str | None, name: str) -> dict[str, int]:
    """A file with a name and a number in each line; empty where there is no such file."""
    rows = (line.split() for line in (file_text(folder, name) or "").splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}
