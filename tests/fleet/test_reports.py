"""Reading reports: what is none is named with its reason, and nothing is fatal or without a
bound."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from diagnose.fleet import sources
from diagnose.fleet.answer import fleet
from diagnose.fleet.packed import Packed, SourceError, Unusable
from diagnose.fleet.reports import HostName, HostReport, Reader
from diagnose.fleet.sources import LARGEST
from diagnose.model import Severity
from tests.fleet.made_fleet import judged


def small(**changes: Any) -> dict[str, Any]:
    """A report with one root and one effect of it."""
    subject = {"kind": "host", "name": "host"}
    root = {
        "key": "firewall.forwarding-off@host:host",
        "id": "firewall.forwarding-off",
        "severity": "critical",
    }
    root |= {
        "subject": subject,
        "summary": "IP forwarding is off",
        "evidence": {"x": 1},
        "root": True,
        "caused_by": [],
    }
    effect = {
        **root,
        "key": "dns.upstream-unreachable@network:b#192.0.2.1",
        "id": "dns.upstream-unreachable",
        "root": False,
    }
    effect["caused_by"] = [{"key": root["key"], "id": root["id"], "subject": subject}]
    report = {
        "schema_version": 1,
        "host": {"name": "web1", "kernel": "6.1", "engine": None},
        "taken_at": "2026-11-26T08:00:00+00:00",
        "findings": [root, effect],
        "checks": [
            {"id": "storage.disk-full", "verdict": "unknown"},
            {"id": "dns.host-broken", "verdict": "passed"},
        ],
    }
    return {**report, **changes}


def read(data: bytes) -> HostReport | Unusable:
    return Reader().report(Packed("here", data))


def encoded(**changes: Any) -> bytes:
    return json.dumps(small(**changes)).encode()


WHOLE = encoded()
CUT = gzip.compress(json.dumps(judged("demo")).encode())[:-500]
BOMB = zlib.compressobj(wbits=31)
MEBIBYTE = BOMB.compress(b" " * 2**20) + BOMB.flush(zlib.Z_FULL_FLUSH)
REPEATED = BOMB.compress(b" " * 2**20) + BOMB.flush(zlib.Z_FULL_FLUSH)
"""After a full flush a block stands for itself: to compress one is enough."""
BOMB_BYTES = MEBIBYTE + REPEATED * (LARGEST // 2**20 + 1)


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("report.json"), io.BytesIO(b""))
    return buffer.getvalue()


UNUSABLE = {
    "empty": (b"", "is empty"),
    "no JSON": (b"<html>", "is not JSON"),
    "cut in the middle": (WHOLE[:-30], "is cut off in the middle"),
    "a gzip file that is cut off": (CUT, "is cut off: its gzip data does not end"),
    "a gzip file that is damaged": (b"\x1f\x8b\x08\x00" + b"\xff" * 50, "is damaged"),
    "a foreign document": (b'{"results": []}', "no report of this tool"),
    "a list": (b"[1, 2]", "no report of this tool"),
    "a newer version": (encoded(schema_version=2), "has schema version 2, newer"),
    "other types": (encoded(findings=3), "fields have other types"),
    "no time": (encoded(taken_at="yesterday"), "does not say when"),
    "no name": (encoded(host={"name": " "}), "does not name its host"),
    "an id that is none": (
        encoded(checks=[{"id": "a.b; rm -rf /", "verdict": "passed"}]),
        "what is not an id",
    ),
    "facts without end": (
        encoded(host={"name": "a", "facts": {str(at): "" for at in range(1001)}}),
        "more than any host",
    ),
    "a small file that is large": (BOMB_BYTES, "MiB unpacked"),
    "deep nesting": (b'{"a":' * 100_000, "is"),
    "a bundle": (tar(), "is a bundle"),
}


@pytest.mark.parametrize(("data", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_no_report_says_why(data: bytes, why: str):
    found = read(data)
    assert isinstance(found, Unusable)
    assert why in found.why


USABLE = {
    "plain": WHOLE,
    "gzip": gzip.compress(WHOLE),
    "as PowerShell saves it": WHOLE.decode().encode("utf-16"),
    "with a byte order mark": b"\xef\xbb\xbf" + WHOLE,
}


@pytest.mark.parametrize("data", USABLE.values(), ids=USABLE)
def test_a_report_is_read_however_it_is_packed(data: bytes):
    found = read(data)
    assert isinstance(found, HostReport)
    (root,) = found.roots
    assert (root.id, root.severity, root.effects) == (
        "firewall.forwarding-off",
        Severity.critical,
        {"dns.upstream-unreachable"},
    )
    assert found.found == {"firewall.forwarding-off", "dns.upstream-unreachable"}
    assert (found.blind, found.seen) == ({"storage.disk-full"}, {"dns.host-broken"})
    assert found.facts is None  # as older versions write it


def test_a_host_may_be_named_by_its_file():
    found = Reader(by_file=True).report(Packed("/reports/day1/web7.example.net.json.gz", WHOLE))
    assert isinstance(found, HostReport)
    assert found.host == HostName("web7.example.net")


def test_a_real_report_is_read():
    found = read(json.dumps(judged("demo")).encode())
    assert isinstance(found, HostReport)
    assert len(found.roots) >= 13
    assert found.facts


def test_silenced_and_unselected_findings_and_advice_do_not_count():
    (root, _) = small()["findings"]
    rows = [
        {**root, "silenced": "known"},
        {**root, "selected": False},
        {**root, "severity": "advice"},
    ]
    found = read(encoded(findings=rows))
    assert isinstance(found, HostReport)
    assert not found.roots
    assert not found.found


def places(*words: str, stdin: str = "") -> list[str]:
    return [Path(file.place).name for file in sources.read(words, io.StringIO(stdin))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    below = tmp_path / "day" / "rack"
    below.mkdir(parents=True)
    for name in ("a.json", "b.json.gz", "notes.txt"):
        (below / name).write_bytes(WHOLE)
    (tmp_path / "day" / "c.json").write_bytes(WHOLE)
    return tmp_path


def test_folders_patterns_and_lists_name_the_same_files_once(folder: Path):
    day = str(folder / "day")
    assert places(day) == ["c.json", "a.json", "b.json.gz"]
    assert places(f"{day}/**/*.json*", day) == ["c.json", "a.json", "b.json.gz"]
    assert places("-", stdin=f"{day}/c.json\n\n{day}/rack\n") == ["c.json", "a.json", "b.json.gz"]


@pytest.mark.parametrize("word", ["/nonexistent", "/nonexistent/*.json"])
def test_a_word_that_names_nothing_is_an_error(word: str):
    with pytest.raises(SourceError, match="nonexistent"):
        places(word)


def test_what_would_not_end_is_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nothing")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path)
    began = time.monotonic()
    found = [
        file for file in sources.read([str(tmp_path)], io.StringIO()) if isinstance(file, Unusable)
    ]
    assert time.monotonic() - began < 5
    assert sorted(file.why for file in found) == [
        "cannot be read: it leads to nothing",
        "is not a plain file",
        "is not a plain file",
    ]


def test_a_report_that_stands_twice_and_one_from_the_future_are_named():
    now = 1764144000.0
    reader = Reader()
    late = encoded(host={"name": "web2"}, taken_at="2099-01-01T00:00:00+00:00")
    files = [Packed("a", WHOLE), Packed("b", WHOLE), Packed("c", late)]
    found = fleet((reader.report(file) for file in files), now + 365 * 86400)
    assert [report.host.name for report in found.newest] == ["web1"]
    assert [(file.place, file.why.split(":")[0]) for file in found.unusable] == [
        ("b", "is the same report as a"),
        ("c", "is from the future"),
    ]


def test_a_bucket_without_its_package_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(SourceError, match=r"pip install 'docker-host-diagnose\[s3\]'"):
        places("s3://bucket/reports")
