"""Messages between the tool and its workers: a length, JSON, and at most one socket beside it."""

import json
import socket
import struct
import time

import msgspec

from diagnose.model import Json

_LENGTH = struct.Struct("!I")
_USUAL_BYTES = 1 << 15
"""Nearly all messages are shorter: such a one is received at once."""


def send(connection: socket.socket, body: bytes, handed_over: socket.socket | None = None) -> None:
    """Send a message, and a socket with it."""
    connection.settimeout(None)
    message = _LENGTH.pack(len(body)) + body
    sent = socket.send_fds(connection, [message], [handed_over.fileno()] if handed_over else [])
    if sent < len(message):
        connection.sendall(memoryview(message)[sent:])


def receive(connection: socket.socket, until: float | None) -> tuple[Json, socket.socket | None]:
    """One message and the socket that came with it.

    TimeoutError at `until` (monotonic), ConnectionResetError when the other side is gone. The two
    sides speak in turn, so that nothing comes after a message.
    """
    connection.settimeout(_seconds_left(until))
    begun, descriptors, _, _ = socket.recv_fds(connection, _USUAL_BYTES, 1)
    if not begun:
        raise ConnectionResetError("the helper's worker is gone")
    handed_over = socket.socket(fileno=descriptors[0]) if descriptors else None
    (size,) = _LENGTH.unpack_from(begun)
    body = begun[_LENGTH.size :]
    if len(body) < size:
        body += _receive_exactly(connection, size - len(body), until)
    return _decode(body), handed_over


def _receive_exactly(connection: socket.socket, size: int, until: float | None) -> bytes:
    """So many bytes from a worker. ConnectionResetError where it has ended."""
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
