"""The password store of a user, in which the helper `pass` keeps the logins of registries."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

from diagnose.model import Json

_KEYBOX = "pubring.kbx"
_DATABASE = "public-keys.d/pubring.db"
"""Where GnuPG keeps the keys that it knows: each with its fingerprint, as bytes."""
_OF_OPENPGP = 2
"""The type of a record of the keybox; that of a deleted one is 0 (kbx/keybox-blob.c)."""
_MOST_ENTRIES = 50
_MOST_BYTES = 8 * 1024 * 1024
"""A ring of keys that is larger is not read."""
_HEAD = 4096
_ENCRYPTED_KEY = 1
"""The tag of the packet that names the key for which a message is encrypted (RFC 9580, 5.1)."""
_KEY_ID = 8


def trouble(home: Path) -> Json:
    """Why GnuPG cannot read the stored logins; None if it can, or if that is not known.

    Shape: `UnreadStore`. An entry names the key for which it is encrypted, and is not decrypted.
    """
    variables = os.environ if home == Path.home() else {}
    store = Path(variables.get("PASSWORD_STORE_DIR") or home / ".password-store")
    keys = Path(variables.get("GNUPGHOME") or home / ".gnupg")
    try:
        if not (store / ".gpg-id").is_file():
            return {"store": str(store)} if os.access(home, os.X_OK) else None
        key_ids = b"".join((*_records(_key_ring(keys / _KEYBOX)), _key_ring(keys / _DATABASE)))
        for entry in sorted((store / "docker-credential-helpers").glob("*/*.gpg"))[:_MOST_ENTRIES]:
            needed = list(_key_ids(_bytes(entry, _HEAD)))
            if needed and not any(key in key_ids or not any(key) for key in needed):
                registry = _registry(entry.parent.name)
                return {
                    "store": str(store),
                    "registry": registry,
                    "recipient": needed[0].hex().upper(),
                }
    except (OSError, ValueError):
        return None
    return None


def _key_ring(path: Path) -> bytes:
    """The keys of one file; nothing where there is none."""
    if not path.exists():
        return b""
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path} is too large")
    return _bytes(path, _MOST_BYTES)


def _records(keybox: bytes) -> Iterator[bytes]:
    """The keys of a keybox, as records: their length stands before the type."""
    place = 0
    while place + 5 <= len(keybox):
        size = int.from_bytes(keybox[place : place + 4], "big")
        if keybox[place + 4] == _OF_OPENPGP:
            yield keybox[place : place + size]
        place += max(size, 5)


def _bytes(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)


def _key_ids(message: bytes) -> Iterator[bytes]:
    """The keys that can decrypt a message; one that it hides is all zeros.

    The packets of keys come first, in the form of old or of new messages (RFC 9580, 4.2).
    """
    place = 0
    while place + 2 < len(message):
        head = message[place]
        length = message[place + 1]
        is_new = bool(head & 0x40)
        tag = head & 0x3F if is_new else head >> 2 & 0x0F
        if not head & 0x80 or tag != _ENCRYPTED_KEY:
            return
        is_long = length >= 192 if is_new else head & 3 == 1
        if is_long:
            first = length - 192 if is_new else length
            size = (first << 8) + message[place + 2] + (192 if is_new else 0)
            body = place + 3
        else:
            size = length
            body = place + 2
        yield message[body + 1 : body + 1 + _KEY_ID]
        place = body + size


def _registry(folder: str) -> str:
    """The address of a registry, by the name of its folder (URL-safe base64)."""
    try:
        return base64.urlsafe_b64decode(folder).decode()
    except ValueError:
        return folder
