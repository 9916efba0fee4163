"""Programs that the kernel refuses for their format, by their first bytes."""

import sys
from pathlib import Path
from typing import Literal

import msgspec

_REGISTERED = Path("/proc/sys/fs/binfmt_misc")
"""The formats that other programs interpret; not mounted, or empty, on most hosts."""
_HEAD = 256
"""Bytes: the kernel looks at so many (BINPRM_BUF_SIZE)."""
_ELF = b"\x7fELF"
_WINDOWS = b"MZ"
_SCRIPT = b"#!"
_ALSO_RUN = {62: (3,), 183: (40,)}
"""By a processor, as ELF files name it: the older one whose programs it runs as well."""


class ProgramRefusal(msgspec.Struct, frozen=True):
    """Why the kernel does not execute a program."""

    kind: Literal["windows", "processor", "interpreter", "empty", "text"]
    detail: str = ""
    """The number of the processor in the ELF header, or the path behind `#!` that is missing."""


def refusal(program: Path) -> ProgramRefusal | None:
    """Why the kernel would not execute a program; None if it would, or if that is not known."""
    try:
        head = _head(program)
        if _is_interpreted(head, program.name):
            return None
    except OSError:
        return None
    if head.startswith(_SCRIPT):
        words = head.removeprefix(_SCRIPT).partition(b"\n")[0].decode(errors="replace").split()
        is_missing = bool(words) and not Path(words[0]).exists()
        return ProgramRefusal("interpreter", words[0]) if is_missing else None
    if head.startswith(_ELF):
        own_processor = _processor(_head(Path(sys.executable)))
        number = _processor(head)
        runs_here = number in (own_processor, *_ALSO_RUN.get(own_processor, ()))
        return None if runs_here else ProgramRefusal("processor", str(number))
    if head.startswith(_WINDOWS):
        return ProgramRefusal("windows")
    return ProgramRefusal("text" if head else "empty")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _processor(head: bytes) -> int:
    """e_machine of an ELF header; byte 5 gives its byte order."""
    return int.from_bytes(head[18:20], "big" if head[5:6] == b"\2" else "little")


def _is_interpreted(head: bytes, name: str) -> bool:
    """Whether an interpreter is registered for such a file, as QEMU's, Wine's or WSL's is."""
    try:
        formats = [
            path for path in _REGISTERED.iterdir() if path.name not in ("register", "status")
        ]
    except OSError:
        return False
    return any(_matches(path.read_text(errors="replace"), head, name) for path in formats)


def _matches(registered: str, head: bytes, name: str) -> bool:
    """Whether the kernel runs a program of this name and these first bytes by that format.

    registered: what the kernel shows of one format, a line for each of its parts.
    """
    lines = registered.splitlines()
    if "enabled" not in lines:
        return False
    parts = {key: value for line in lines for key, _, value in [line.partition(" ")]}
    if "extension" in parts:
        return name.endswith(parts["extension"])
    magic = bytes.fromhex(parts.get("magic", ""))
    mask = bytes.fromhex(parts["mask"]) if "mask" in parts else b"\xff" * len(magic)
    start = int(parts.get("offset", "0"))
    first_bytes = head[start : start + len(magic)]
    return (
        bool(magic)
        and len(first_bytes) == len(magic)
        and all(
            one & bits == other & bits
            for one, other, bits in zip(first_bytes, magic, mask, strict=False)
        )
    )
