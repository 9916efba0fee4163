"""A program that could not be executed, and the format in its first bytes."""

from __future__ import annotations

import struct

import msgspec

MACHINES = {
    3: "386",
    8: "mips",
    20: "ppc",
    21: "ppc64le",
    22: "s390x",
    40: "arm",
    62: "amd64",
    183: "arm64",
    243: "riscv64",
    258: "loong64",
}
"""e_machine of an ELF header, as images name their architecture."""
_ANY_EXECUTE = 0o111
_BYTE_ORDER_MARK = "\ufeff"
"""The byte order mark that editors of Windows write before a text in UTF-8."""
_ELF_HEADER = struct.Struct("<32xQ14xHH6x")
"""Of Elf64_Ehdr: where its program headers begin, the size of each and how many there are."""
_SEGMENT = struct.Struct("<I4xQ16xQ16x")
"""Of Elf64_Phdr: its type, its offset in the file and its length there."""
_INTERPRETER = 3


class Program(msgspec.Struct, frozen=True):
    """A program that was refused."""

    path: str
    why: str
    """"exec format error", "no such file or directory", "permission denied", "operation not
    permitted" or "resource temporarily unavailable"."""
    line: str
    machine: str = ""
    """The processor of an ELF file, as images name it; "" for other files."""
    loader: str = ""
    """The loader for which such a file was linked, "" where it needs none or that is not known."""
    other_libc: str = ""
    """The loader of musl that the container has instead."""
    interpreter: str = ""
    """The path in its `#!` line, with a carriage return if there is one; "" without such a line."""
    is_read: bool = False
    """Whether its first bytes could be read."""
    is_marked: bool = False
    """Whether a byte order mark is before its `#!` line, which the kernel then does not see."""
    is_empty: bool = False
    """Whether the file is empty, or its first page has zero bytes alone."""
    file: str = ""
    """The path of the file itself, links followed; "" where it was not found."""
    is_of_image: bool | None = None
    """Whether an empty file comes from a layer of the image, or such a layer has the file that a
    mount hides; None where that is not known."""
    missing: bool = False
    """Whether there is no such file."""
    behind: str = ""
    """The wrapper that reported it, "" for runc or an init."""
    mode: int | None = None
    """The file's permission bits, None where they are not known."""
    is_folder: bool = False
    """Whether the path is a folder."""
    is_aside: bool = False
    """Whether a script went on after it, and ended with a code of its own."""
    capabilities: tuple[str, ...] | None = None
    """Those that its file demands; None where the file was not read."""

    @property
    def has_carriage_return(self) -> bool:
        """Whether its first line ends as in DOS.

        The kernel takes the carriage return as part of the interpreter's name.
        """
        return self.interpreter.endswith("\r")

    @property
    def lacks_execute_bit(self) -> bool:
        """Whether no user may execute it."""
        return self.mode is not None and not self.is_folder and not self.mode & _ANY_EXECUTE

    def with_head(self, head: bytes) -> Program:
        """The program with the format in its first bytes: ELF or a `#!` line.

        Byte 5 of an ELF header is its byte order.
        """
        if head.startswith(b"\x7fELF") and len(head) >= 20:
            number = int.from_bytes(head[18:20], "big" if head[5] == 2 else "little")
            return msgspec.structs.replace(
                self,
                machine=MACHINES.get(number, f"machine {number}"),
                loader=_loader(head),
                is_read=True,
            )
        if not head.strip(b"\0"):
            return msgspec.structs.replace(self, is_empty=True, is_read=True)
        if head.startswith(b"#!"):
            first = head[2:].partition(b"\n")[0].decode("utf-8", "replace").strip(" \t")
            return msgspec.structs.replace(self, interpreter=first.split(" ")[0], is_read=True)
        is_marked = head.startswith(f"{_BYTE_ORDER_MARK}#!".encode())
        return msgspec.structs.replace(self, is_read=True, is_marked=is_marked)


def _loader(head: bytes) -> str:
    """The loader that an ELF file of 64 bits, little endian, names (PT_INTERP); "" for none."""
    if head[4:6] != bytes([2, 1]) or len(head) < _ELF_HEADER.size:
        return ""
    start, size, count = _ELF_HEADER.unpack_from(head)
    for place in range(start, min(start + size * count, len(head) - _SEGMENT.size + 1), size or 1):
        kind, offset, length = _SEGMENT.unpack_from(head, place)
        if kind == _INTERPRETER:
            return head[offset : offset + length].rstrip(b"\0").decode("utf-8", "replace")
    return ""
