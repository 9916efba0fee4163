"""Archives that somebody made to do harm are refused, each in one sentence."""

from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from diagnose.recording import source
from diagnose.recording.answer_files import RecordingError
from tests.recording.archives import (
    GOOD,
    PLAIN,
    REAL,
    TOP,
    forged_files,
    member,
    packed,
    refused,
    sealed,
)
from tests.tickets import unpacked


def header(name: str = f"{TOP}/x", size: bytes = b"0" * 11 + b"\0", kind: bytes = b"0") -> bytes:
    """One raw tar header with a right checksum."""
    block = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    block[124:136], block[156:157] = size, kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def raw(*blocks: bytes) -> bytes:
    return gzip.compress(b"".join(blocks) + b"\0" * 1024)


GIB = 2**30
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a way out": (
        lambda: packed(GOOD, member(f"{TOP}/../../etc/cron.d/x", size=3)),
        "not a plain file",
    ),
    "a way out at the start": (lambda: packed(GOOD, member("../x", size=3)), "not a plain file"),
    "an absolute name": (lambda: packed(GOOD, member("/etc/passwd", size=3)), "not a plain file"),
    "a hidden file": (lambda: packed(GOOD, member(f"{TOP}/.bashrc", size=3)), "not a plain file"),
    "a folder elsewhere": (
        lambda: packed(GOOD, member("/etc/x/", tarfile.DIRTYPE)),
        "not a plain file",
    ),
    "a folder with a body": (
        lambda: raw(header(f"{TOP}/d/", b"00000010000\0", b"5")),
        "not a plain file",
    ),
    "a link": (
        lambda: packed(GOOD, member(f"{TOP}/l", tarfile.SYMTYPE, link="/etc/shadow")),
        "not a plain file",
    ),
    "a hard link": (
        lambda: packed(GOOD, member(f"{TOP}/l", tarfile.LNKTYPE, link="/etc/shadow")),
        "not a plain file",
    ),
    "a device": (lambda: packed(GOOD, member(f"{TOP}/d", tarfile.CHRTYPE)), "not a plain file"),
    "a disk": (lambda: packed(GOOD, member(f"{TOP}/d", tarfile.BLKTYPE)), "not a plain file"),
    "a pipe": (lambda: packed(GOOD, member(f"{TOP}/f", tarfile.FIFOTYPE)), "not a plain file"),
    "a sparse file": (lambda: raw(header(size=b"00000001000\0", kind=b"S")), "not a plain file"),
    "a name by extended header": (
        lambda: packed({**GOOD, "n" * 300: b"x"}, form=tarfile.PAX_FORMAT),
        "not a plain file",
    ),
    "a long name": (
        lambda: packed({**GOOD, "n" * 300: b"x"}, form=tarfile.GNU_FORMAT),
        "not a plain file",
    ),
    "extended headers without end": (
        lambda: raw(*[header(kind=b"x")] * 100_000),
        "not a plain file",
    ),
    "a name that is not UTF-8": (
        lambda: raw(header().replace(b"host", b"h\xff\xfet")),
        "not a whole bundle",
    ),
    "a name with an escape": (
        lambda: packed(GOOD, member(f"{TOP}/\x1b[2J", size=1)),
        "not a plain file",
    ),
    "a size of gibibytes": (lambda: raw(header(size=b"77777777777\0")), "larger than 64 MiB"),
    "a size beyond numbers": (
        lambda: raw(header(size=b"\x80" + b"\x7f" * 11)),
        "larger than 64 MiB",
    ),
    "a size below nothing": (lambda: raw(header(size=b"\xff" * 12)), "larger than 64 MiB"),
    "a size that is none": (lambda: raw(header(size=b"not a size!\0")), "not a whole bundle"),
    "a size without its bytes": (lambda: raw(header(size=b"00000100000\0")), "cut off"),
    "a bomb": (lambda: raw(header(size=b"00400000001\0")), "larger than 64 MiB"),
    "a bomb of zeros after the end": (
        lambda: gzip.compress(b"\0" * GIB, 1),
        "something follows after its end",
    ),
    "a bomb of members": (
        lambda: raw(
            *[header(f"{TOP}/{n}", b"00357777000\0") + b"\0" * 0o357777000 for n in range(3)]
        ),
        "more than 128 MiB",
    ),
    "a million members": (
        lambda: gzip.compress(b"".join(header(f"{TOP}/{n}") for n in range(6000)) * 170, 1),
        "more than 5000 members",
    ),
    "something after the end": (
        lambda: raw(gzip.decompress(packed(GOOD)), b"more"),
        "something follows",
    ),
    "the same name twice": (lambda: packed(GOOD, member(f"{TOP}/manifest.json", size=3)), "twice"),
    "an altered file": (lambda: packed({**GOOD, "answers/now.json": b"[]"}), "was altered or lost"),
    "a lost file": (
        lambda: packed({"manifest.json": GOOD["manifest.json"]}),
        "was altered or lost",
    ),
    "an added file": (lambda: packed({**GOOD, "texts/x.txt": b"x"}), "was added"),
    "no manifest": (lambda: packed(forged_files()), "no manifest.json"),
    "a manifest of something else": (
        lambda: packed({"manifest.json": b'{"name": "x"}'}),
        "not a manifest",
    ),
    "a manifest that is a list": (lambda: packed({"manifest.json": b"[1]"}), "not a manifest"),
    "a manifest that is deep": (
        lambda: packed({"manifest.json": b'{"a":' * 100_000}),
        "not a manifest",
    ),
    "a manifest with a huge number": (
        lambda: packed({"manifest.json": b'{"format": 1e999}'}),
        "not a manifest",
    ),
    "a manifest with a longer number": (
        lambda: packed({"manifest.json": b'{"format": ' + b"9" * 10_000 + b"}"}),
        "not a manifest",
    ),
    "a manifest without files": (
        lambda: packed({"manifest.json": b'{"format": 1}'}),
        "lists no files",
    ),
    "files of the wrong type": (
        lambda: packed({"manifest.json": b'{"format": 1, "files": {"a": 1}}'}),
        "altered or lost",
    ),
    "no answers": (lambda: packed(sealed({"report.md": b"x"})), "no answers"),
    "answers that are deep": (
        lambda: packed(sealed({"answers/now.json": b"[" * 100_000})),
        "no answers that can be read",
    ),
    "answers that are not JSON": (
        lambda: packed(sealed({"answers/now.json": b"\xff{"})),
        "no answers that can be read",
    ),
    "answers that are a number": (
        lambda: packed(sealed({"answers/now.json": b"7"})),
        "no answers that can be read",
    ),
    "an answer that is not an object": (
        lambda: packed(sealed({"answers/now.json": b"[7]"})),
        "no answers that can be read",
    ),
    "an answer without a question": (
        lambda: packed(sealed({"answers/now.json": b'[{"answer": 1}]'})),
        "no answers that can be read",
    ),
    "arguments that are a list": (
        lambda: packed(sealed(forged_files(args=[1]))),
        "no answers that can be read",
    ),
    "a number that JSON has not": (
        lambda: packed(sealed({"answers/now.json": b'[{"args": {}, "answer": NaN}]'})),
        "no answers that can be read",
    ),
    "a file that ends after its first line": (
        lambda: packed(sealed({"answers/now.json": b"[\n"})),
        "no answers that can be read",
    ),
    "a file of two brackets": (
        lambda: packed(sealed({"answers/now.json": b"[\n]\n]\n"})),
        "no answers that can be read",
    ),
    "millions of empty lines": (
        lambda: packed(sealed({"answers/now.json": b"[\nx" + b"\n" * 20_000_000 + b"]\n"})),
        "no answers that can be read",
    ),
    "many damaged lines": (
        lambda: packed(
            sealed({"answers/now.json": b"[\n" + b'{"args": {}, "failed": 7\n' * 200_000 + b"]\n"})
        ),
        "no answers that can be read",
    ),
    "a line that is cut within its question": (
        lambda: packed(sealed({"answers/now.json": b'[\n{"args": {"a\n]\n'})),
        "no answers that can be read",
    ),
    "not compressed": (lambda: PLAIN, "neither a bundle nor a recorded folder"),
    "nothing": (lambda: b"", "cut off"),
    "text": (lambda: b"hello\n" * 100, "neither a bundle nor a recorded folder"),
    "another archive": (lambda: b"PK\3\4" + b"\0" * 100, "neither a bundle nor a recorded folder"),
}


@pytest.mark.fuzz
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused_in_one_sentence(name: str, tmp_path: Path):
    make, hint = HOSTILE[name]
    data = make()
    began = time.process_time()
    said = refused(data, tmp_path)
    assert time.process_time() - began < 5
    assert hint in said
    assert "\n" not in said
    assert "\x1b" not in said
    assert len(said) < 400
    assert os.listdir(tmp_path) == ["in.tar.gz"]


def test_what_is_no_file_is_refused(tmp_path: Path):
    with pytest.raises(RecordingError, match="neither a file nor a folder"):
        source.read(Path("/dev/null"))
    with pytest.raises(RecordingError, match="No such file"):
        source.read(tmp_path / "nosuch")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RecordingError, match="neither a file nor a folder"):
        source.read(tmp_path / "pipe")
    (tmp_path / "piped").mkdir()
    os.mkfifo(tmp_path / "piped/manifest.json")
    with pytest.raises(RecordingError, match="not a plain file"):
        source.read(tmp_path / "piped")
    (tmp_path / "linked/answers").mkdir(parents=True)
    (tmp_path / "linked/manifest.json").write_text('{"format": 1}')
    (tmp_path / "linked/answers/now.json").symlink_to("/etc/hostname")
    with pytest.raises(RecordingError, match=r"now\.json: a link"):
        source.read(tmp_path / "linked")
    (tmp_path / "linked/answers/now.json").unlink()
    with (tmp_path / "linked/answers/now.json").open("wb") as huge:
        huge.truncate(2**40)
    with pytest.raises(RecordingError, match="larger than 64 MiB"):
        source.read(tmp_path / "linked")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordingError, match="not a recorded host"):
        source.read(tmp_path / "empty")


@pytest.mark.fuzz
def test_cut_anywhere_it_is_refused(tmp_path: Path):
    """At the start, in every header and in every body, in gzip's own trailer."""
    rnd = random.Random(1)
    ends = {0, 1, 2, 9, 10, 11, len(REAL) - 9, len(REAL) - 8, len(REAL) - 4, len(REAL) - 1}
    ends |= {rnd.randrange(len(REAL)) for _ in range(60)}
    for end in sorted(ends):
        refused(REAL[:end], tmp_path)
    offsets = [0, 1, 511, 512, 513]
    with tarfile.open(fileobj=io.BytesIO(PLAIN)) as tar:
        for info in tar:
            offsets += [info.offset + 100, info.offset_data, info.offset_data + info.size // 2]
    for end in offsets:
        refused(gzip.compress(PLAIN[:end], 1), tmp_path)


@pytest.mark.fuzz
def test_altered_anywhere_it_is_refused(tmp_path: Path):
    """One byte of any member's body, in an archive that is whole otherwise."""
    files = unpacked(REAL)
    rnd = random.Random(2)
    for name in files:
        if name == "manifest.json":
            continue
        body = bytearray(files[name])
        body[rnd.randrange(len(body))] ^= 1 << rnd.randrange(8)
        assert name[:80] in refused(packed({**files, name: bytes(body)}), tmp_path)
