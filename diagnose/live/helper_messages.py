"""Messages between the tool and its workers: a length, JSON, and at most one socket beside it."""

from __future__ import annotations

import json
import socket
import struct
import time

import msgspec

from diagnose.model import Json

_LENGTH = struct.Struct("!I")


def send(connection: socket.socket, body: bytes, handed_over: socket.socket | None = None) -> None:
    """Send a message, and a socket with it."""
    connection.settimeout(None)
    socket.send_fds(
        connection, [_LENGTH.pack(len(body))], [handed_over.fileno()] if handed_over else []
    )
    connection.sendall(body)


def receive(connection: socket.socket, until: float | None) -> tuple[Json, socket.socket | None]:
    """One message and the socket that came with it.

    TimeoutError at `until` (monotonic), ConnectionResetError when the other side is gone.
    """
    connection.settimeout(_seconds_left(until))
    head, descriptors, _, _ = socket.recv_fds(connection, _LENGTH.size, 1)
    if not head:
        raise ConnectionResetError("the helper's worker is gone")
    (size,) = _LENGTH.unpack(head)
    handed_over = socket.socket(fileno=descriptors[0]) if descriptors else None
    return _decode(_receive_exactly(connection, size, until)), handed_over


def _receive_exactly(connection: socket.socket, size: int, until: float | None) -> bytes:
    parts: list[bytes] = []
    while size:
        connection.settimeout(_seconds_left(until))
        part = connection.recv(min(size, 1 << 20))
        if not part:
            raise ConnectionResetError("the helper's worker is gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _seconds_left(until: float | None) -> float | None:
    return None if until is None else max(until - time.monotonic(), 1e-4)


def encode(message: Json) -> bytes:
    """A message as bytes, without its length."""
    try:
        return msgspec.json.encode(message)
    except UnicodeEncodeError:  # a path that is not UTF-8
        return json.dumps(message).encode()


def _decode(body: bytes) -> Json:
    """The message of these bytes."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:  # a path that is not UTF-8
        return json.loads(body)
