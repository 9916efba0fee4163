"""The history of builds, in databases that are made here as bbolt and BuildKit write them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from diagnose.live import Refused
from diagnose.live.disk.bolt import bucket
from diagnose.live.disk.build_history import builds
from diagnose.live.disk.protobuf import fields

PAGE = 4096
BRANCH, LEAF, META = 1, 2, 4
DIGEST = "ab" * 32


def page(number: int, kind: int, count: int, body: bytes) -> bytes:
    return (struct.pack("<QHHI", number, kind, count, 0) + body).ljust(PAGE, b"\0")


def leaf(entries: Mapping[bytes, tuple[int, bytes]]) -> bytes:
    heads, held = b"", b""
    for index, (key, (flags, value)) in enumerate(entries.items()):
        place = 16 * (len(entries) - index) + len(held)
        heads += struct.pack("<IIII", flags, place, len(key), len(value))
        held += key + value
    return heads + held


def branch(pages: Mapping[bytes, int]) -> bytes:
    heads, held = b"", b""
    for index, (key, number) in enumerate(pages.items()):
        place = 16 * (len(pages) - index) + len(held)
        heads += struct.pack("<IIQ", place, len(key), number)
        held += key
    return heads + held


def meta(number: int, root: int, transaction: int) -> bytes:
    body = struct.pack("<IIIIQQQQQQ", 0xED0CDAED, 2, PAGE, 0, root, 0, 2, 9, transaction, 0)
    return page(number, META, 0, body)


def database(records: Mapping[bytes, bytes]) -> bytes:
    """With one record a page, below a branch; an older transaction had none."""
    numbers = {key: 6 + index for index, key in enumerate(records)}
    pages = [
        meta(0, 3, 7),
        meta(1, 4, 8),
        page(2, 16, count=0, body=b""),
        page(3, LEAF, count=0, body=b""),
        page(4, LEAF, 1, leaf({b"_records": (1, struct.pack("<QQ", 5, 0))})),
        page(5, BRANCH, len(numbers), branch(numbers)),
        *(page(numbers[key], LEAF, 1, leaf({key: (0, value)})) for key, value in records.items()),
    ]
    return b"".join(pages)


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def entry(key: str, value: str) -> bytes:
    return field(1, key) + field(2, value)


def record(ref: str, ended: int, error: str = "", name: str = "shop/web:1,shop/web:2") -> bytes:
    parts = [
        field(1, ref),
        field(3, entry("filename", "Dockerfile")),
        field(3, entry("build-arg:TOKEN", "made-up-secret")),
        field(4, field(1, "moby") + field(2, entry("name", name))),
        field(7, field(1, ended) + field(2, 500_000_000)),
        field(8, field(2, f"sha256:{DIGEST}")),
    ]
    if error:
        parts.append(field(5, field(1, 2) + field(2, error)))
    return b"".join(parts)


def status(message: bytes) -> bytes:
    return struct.pack("<I", len(message)) + message


LOG = status(field(1, field(1, "sha256:1") + field(3, "[1/2] FROM bb"))) + status(
    field(3, field(1, "sha256:2") + field(4, "fetched\rReading 10%\rReading 99%\n"))
    + field(3, field(1, "sha256:1") + field(4, "of another step\n"))
    + field(3, field(1, "sha256:2") + field(4, "E: no such package\n"))
    + field(1, field(1, "sha256:2") + field(3, "[2/2] RUN apt-get") + field(7, "exit code: 100"))
)


def data_root(folder: Path, data: bytes) -> Path:
    blobs = folder / "buildkit/content/blobs/sha256"
    blobs.mkdir(parents=True)
    (folder / "buildkit/history.db").write_bytes(data)
    (blobs / DIGEST).write_bytes(LOG)
    return folder


def test_builds_with_the_end_of_a_failed_step(tmp_path: Path) -> None:
    held = {b"a": record("a", 100, "exit code: 100"), b"b": record("b", 200), b"c": field(1, "c")}
    rows = builds({"path": str(data_root(tmp_path, database(held)))})
    names = ["shop/web:1", "shop/web:2"]
    common = {"names": names, "dockerfile": "Dockerfile", "target": ""}
    assert rows == [
        {"at": 200.5, "ref": "b", "error": "", **common},
        {
            "at": 100.5,
            "ref": "a",
            "error": "exit code: 100",
            **common,
            "step": "[2/2] RUN apt-get",
            "lines": ["Reading 99%", "E: no such package"],
        },
        {"at": 0.0, "ref": "c", "names": [], "error": "", "dockerfile": "", "target": ""},
    ]


def test_a_small_bucket_lies_in_its_parent() -> None:
    inside = struct.pack("<QHHI", 0, LEAF, 1, 0) + leaf({b"a": (0, b"one")})
    root = leaf({b"_records": (1, struct.pack("<QQ", 0, 0) + inside)})
    data = meta(0, 2, 1) + meta(1, 2, 0) + page(2, LEAF, 1, root)
    assert dict(bucket(data, b"_records")) == {b"a": b"one"}
    assert not list(bucket(data, b"other"))


CIRCLE = meta(0, 2, 1) + meta(1, 2, 0) + page(2, BRANCH, 1, branch({b"a": 2}))
BROKEN = {
    "empty": b"",
    "no database": b"x" * 9000,
    "cut off": database({b"a": record("a", 1)})[: 5 * PAGE],
    "a circle of pages": CIRCLE,
    "a record that is none": database({b"a": b"\xff\xff"}),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_history(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Refused, match=r"history\.db: "):
        builds({"path": str(data_root(tmp_path, data))})


def test_a_log_that_is_gone_or_damaged_takes_nothing_from_its_build(tmp_path: Path) -> None:
    root = data_root(tmp_path, database({b"a": record("a", 1, "it broke")}))
    blob = root / "buildkit/content/blobs/sha256" / DIGEST
    for content in (LOG[:30], b"\x04\0\0\0\xff\xff\xff\xff"):
        blob.write_bytes(content)
        (row,) = builds({"path": str(root)})
        assert (row["error"], "step" in row) == ("it broke", False)
    blob.unlink()
    (row,) = builds({"path": str(root)})
    assert row["error"] == "it broke"


@pytest.mark.parametrize("message", [b"\x80", b"\x0a\x05ab", b"\x0b", b"\x80" * 12])
def test_what_is_no_message(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"field|number"):
        fields(message)
