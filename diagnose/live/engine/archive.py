"""The engine's archive of one path of a container."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from diagnose.live import Refused
from diagnose.live.engine.http import Reply
from diagnose.model import Json
from diagnose.questions.containers import ReadContainerFile

if TYPE_CHECKING:
    from tarfile import TarInfo

_MODE_SOCKET = 1 << 24
"""The bit of Go's os.ModeSocket."""


def archived_path(question: ReadContainerFile, reply: Reply) -> Json:
    """One path of a container's file system, no link followed, and a file's first bytes.

    {"type": "file" | "directory" | "link" | "socket" | "other", "size", "mode": permission bits,
    "uid", "gid", "mtime", "link_target", "text": in UTF-8, or else "hex", "truncated",
    "capabilities": in hex}; text and hex are None for what is not a file. Of a socket only its type
    is known. What is text is given as text alone, since secrets are looked for in text.
    """
    stat = _path_stat(reply)
    if _is_socket(stat):
        return {"type": "socket"}
    member, data = _first_member(reply.body, question.bytes)
    linked = stat.get("linkTarget")
    said = linked if isinstance(linked, str) and linked else _readable_name(member.linkname)
    target = said if member.issym() else None
    text = _utf8(data)
    return {
        "type": _kind(member),
        "size": member.size,
        "mode": member.mode & 0o7777,
        "uid": member.uid,
        "gid": member.gid,
        "mtime": member.mtime,
        "link_target": target,
        "text": text,
        "hex": data.hex() if data is not None and text is None else None,
        "truncated": data is not None and len(data) < member.size,
        "capabilities": _capabilities(member),
    }


class _Member(NamedTuple):
    """The first member of a tar archive."""

    info: TarInfo
    data: bytes | None
    """Its beginning, if it is a file."""


def _first_member(archive: bytes, most: int) -> _Member:
    """The first file or folder of a tar archive, with the first bytes of a file.

    most: how many bytes at most. Raises Refused("malformed").
    """
    import io
    import tarfile

    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r|") as archive_file:
            member = archive_file.next()
            if member is None:
                raise Refused("malformed", "the archive is empty")
            file = archive_file.extractfile(member) if member.isreg() else None
            return _Member(member, file.read(min(most, member.size)) if file else None)
    except tarfile.TarError as error:
        raise Refused("malformed", f"the archive cannot be read: {error}") from error


def _kind(member: TarInfo) -> str:
    if member.isreg():
        return "file"
    if member.isdir():
        return "directory"
    return "link" if member.issym() else "other"


def _capabilities(member: TarInfo) -> str | None:
    """A file's attribute security.capability, which the engine sends with it."""
    value = member.pax_headers.get("SCHILY.xattr.security.capability")
    return value.encode("utf-8", "surrogateescape").hex() if value else None


def _utf8(data: bytes | None) -> str | None:
    """The text of a file; None for what is not a file or not UTF-8.

    A character of which only the beginning was read is left out.
    """
    if data is None:
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return None


def _readable_name(name: str) -> str:
    """A name out of a tar archive without what no text can hold.

    Bytes that are not UTF-8 are replaced.
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _path_stat(reply: Reply) -> dict[str, Json]:
    """The stat of the path that the engine sends in a header beside its archive."""
    try:
        decoded = msgspec.json.decode(
            base64.b64decode(reply.headers.get("x-docker-container-path-stat", ""))
        )
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _is_socket(stat: Mapping[str, Json]) -> bool:
    """Whether the path is a Unix socket, which no tar archive can hold: it is empty."""
    mode = stat.get("mode")
    return isinstance(mode, int) and bool(mode & _MODE_SOCKET)
