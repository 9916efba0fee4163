"""Device rules around a box, as LXC makes them: a program of the kernel at its cgroup v2.

Every process of the box stands in that cgroup, those of its containers too, and none can lift the
rule from inside. Source: `bpf_check_dev_permission` in the kernel's kernel/bpf/cgroup.c.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

import pytest

from .box import Box

_SYSCALL = 321
"""bpf(2) on x86-64."""
_LOAD, _ATTACH = 5, 8
_PROGRAM_TYPE, _ATTACH_TYPE, _ALLOW_MULTI = 15, 6, 2
"""BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI."""
_READ_OR_WRITE = 6
_SIZE = 128


def deny_device(box: Box, major: int, minor: int) -> None:
    """Keep everything in the box from opening a character device; its nodes can still be made.

    Skips the test where this machine does not let root load such a program.
    """
    (cgroup,) = [path for path in box.cgroups if (path / "cgroup.controllers").exists()]
    try:
        program = _bpf(_LOAD, _program(major, minor))
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS):
            raise
        pytest.skip(f"no device rules can be made here: bpf(2) says {error.strerror}")
    folder = os.open(cgroup, os.O_RDONLY)
    try:
        _bpf(_ATTACH, struct.pack("<IIII", folder, program, _ATTACH_TYPE, _ALLOW_MULTI))
    finally:
        os.close(folder)
        os.close(program)


def _program(major: int, minor: int) -> bytes:
    """Arguments of the call that loads it; the context holds access and type, major, minor."""
    code = b"".join(
        [
            _step(0x61, to=2, of=1, offset=0),  # the access, above 16 bits of type
            _step(0x77, to=2, value=16),
            _step(0x57, to=2, value=_READ_OR_WRITE),
            _step(0x15, to=2, offset=6, value=0),  # neither: allow
            _step(0x61, to=2, of=1, offset=4),
            _step(0x55, to=2, offset=4, value=major),
            _step(0x61, to=2, of=1, offset=8),
            _step(0x55, to=2, offset=2, value=minor),
            _step(0xB7, value=0),
            _step(0x95),
            _step(0xB7, value=1),
            _step(0x95),
        ]
    )
    _kept.extend(
        (ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(b"GPL"))
    )
    steps, licence = (ctypes.addressof(buffer) for buffer in _kept[-2:])
    return struct.pack("<IIQQ", _PROGRAM_TYPE, len(code) // 8, steps, licence)


_kept: list[ctypes.Array[ctypes.c_char]] = []
"""What the kernel reads must stay where it is during the call."""


def _step(code: int, *, to: int = 0, of: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("<BBhi", code, to | of << 4, offset, value)


def _bpf(command: int, arguments: bytes) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(arguments, _SIZE)
    result = int(libc.syscall(_SYSCALL, command, buffer, _SIZE))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
