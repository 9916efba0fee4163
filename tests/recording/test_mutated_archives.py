"""Mutations of a real bundle: it is read or refused, and nothing crashes."""

from __future__ import annotations

import functools
import gzip
import json
import os
import random
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from diagnose.judgement import engine
from diagnose.model import Verdict
from diagnose.recording import answer_files, source
from diagnose.recording.answer_files import RecordingError
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Replay
from tests.recording.archives import PLAIN, REAL, packed, sealed
from tests.tickets import KNOWN, unpacked

MUTATIONS = 5_000


@pytest.mark.fuzz
@pytest.mark.timeout(600)
def test_fuzzed_archives_do_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Mutations of a real bundle: read whole or refused, in bounded time, nothing written
    anywhere."""
    seed = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(10**9)))
    rnd = random.Random(seed)
    small = gzip.decompress(packed(sealed(_few_answers())))
    (tmp_path / "in").mkdir()
    path = tmp_path / "in/x.tar.gz"
    outcomes: dict[str, int] = {}
    said: set[str] = set()
    slowest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(MUTATIONS):
        data = _mutated(rnd, PLAIN if number % 50 == 0 else small, REAL)
        path.write_bytes(data)
        began = time.process_time()
        try:
            entries, head = source.read(path)
        except RecordingError as error:
            outcomes["refused"] = outcomes.get("refused", 0) + 1
            said.add(str(error))
        else:
            outcomes["read"] = outcomes.get("read", 0) + 1
            assert isinstance(head, dict)
            assert entries
        slowest = max(slowest, time.process_time() - began)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    with capsys.disabled():
        print(
            f"\nfuzzed archives, seed {seed}: {outcomes}, slowest {slowest:.2f} s, memory grew by {grown:.0f} MiB"
        )
    assert sum(outcomes.values()) == MUTATIONS
    assert outcomes["refused"] > MUTATIONS / 2
    assert not [sentence for sentence in said if "\n" in sentence]
    assert slowest < 5
    assert grown < 400
    assert [str(left.relative_to(tmp_path)) for left in tmp_path.rglob("*") if left.is_file()] == [
        "in/x.tar.gz"
    ]


@functools.cache
def _few_answers() -> dict[str, bytes]:
    files = unpacked(REAL)
    wanted = ("now", "uname", "endpoint", "api.ping", "api.info", "net.links", "net.routes")
    return {f"answers/{kind}.json": files[f"answers/{kind}.json"] for kind in wanted} | {
        "report.md": b"# report\n"
    }


def _mutated(rnd: random.Random, plain: bytes, real: bytes) -> bytes:
    """Damage in the compressed stream, in headers, or in contents whose hashes are right again."""
    how = rnd.randrange(5)
    if how == 0:
        return _damaged(rnd, real)
    if how == 1:
        return gzip.compress(_damaged(rnd, plain), 1)
    if how == 2:
        start = rnd.randrange(len(plain) // 512) * 512
        block = _damaged(rnd, plain[start : start + 512])[:512].ljust(512, b"\0")
        block = block[:148] + b" " * 8 + block[156:]
        block = block[:148] + b"%06o\0 " % sum(block) + block[156:]
        return gzip.compress(plain[:start] + block + plain[start + 512 :], 1)
    files = dict(_few_answers())
    name = rnd.choice(sorted(files))
    if how == 3:
        files[name] = _damaged(rnd, files[name])
    elif name.endswith("json"):
        files[name] = json.dumps(_twisted(rnd, json.loads(files[name]))).encode()
    else:
        files[name] = b""
    whole = sealed(files)
    if rnd.random() < 0.3:
        whole["manifest.json"] = json.dumps(
            _twisted(rnd, json.loads(whole["manifest.json"]))
        ).encode()
    return packed(whole)


def _damaged(rnd: random.Random, data: bytes) -> bytes:
    body = bytearray(data)
    for _ in range(rnd.choice((1, 1, 2, 8))):
        at = rnd.randrange(len(body) + 1)
        match rnd.randrange(5):
            case 0:
                body[at : at + 1] = bytes([rnd.randrange(256)])
            case 1:
                del body[at : at + rnd.choice((1, 7, 512, 5000))]
            case 2:
                body[at:at] = rnd.randbytes(rnd.choice((1, 16, 512)))
            case 3:
                body[at:at] = body[: rnd.choice((10, 512, 2000))]
            case 4:
                body[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(body)


STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "x" * 1000,
    "\ud800",
    [],
    {},
    [[]],
    {"": None},
    "../../etc",
    "\0",
)


def _twisted(rnd: random.Random, value: Any) -> Any:
    """One place of a JSON value replaced by something that is not meant there."""
    if isinstance(value, dict) and value and rnd.random() < 0.85:
        key = rnd.choice(sorted(value))
        if rnd.random() < 0.15:
            return {name: child for name, child in value.items() if name != key}
        return {**value, key: _twisted(rnd, value[key])}
    if isinstance(value, list) and value and rnd.random() < 0.85:
        at = rnd.randrange(len(value))
        return [*value[:at], _twisted(rnd, value[at]), *value[at + 1 :]]
    return rnd.choice(STRANGE)


@pytest.mark.fuzz
@pytest.mark.timeout(600)
def test_wrong_types_in_a_recording_make_checks_unknown_never_crash(
    capsys: pytest.CaptureFixture[str],
):
    """Answers of a real host with something strange in one place: judged all the same, and no check
    crashes."""
    seed = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(10**9)))
    rnd = random.Random(seed)
    files = unpacked(REAL)
    kinds = sorted(name for name in files if name.startswith("answers/"))
    what = engine.Run(KNOWN, tuple(KNOWN))
    crashed: dict[str, str] = {}
    for _ in range(40):
        texts = {name: files[name].decode() for name in kinds}
        twisted = rnd.sample(kinds, 4)
        for name in twisted:
            rows = json.loads(texts[name])
            at = rnd.randrange(len(rows))
            if "answer" in rows[at]:
                rows[at]["answer"] = _twisted(rnd, rows[at]["answer"])
            texts[name] = json.dumps(rows, ensure_ascii=False).encode("utf-8", "replace").decode()
        host = Replay(answer_files.parse(sorted(texts.items())))
        report = engine.run(host, what, began=0.0, budget=Budget(time.monotonic() + 60))
        for result in report.results:
            if result.verdict is Verdict.CRASHED:
                crashed[result.check.id] = result.why
    with capsys.disabled():
        print(f"\nstrange answers, seed {seed}: {len(crashed)} checks crashed")
    assert not crashed, "\n".join(f"{id}: {why}" for id, why in crashed.items())
