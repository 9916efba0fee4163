"""Archives that somebody sent: older ones are read, newer and hostile ones are refused in one
sentence, and none does harm."""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import json
import os
import random
import re
import resource
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diagnose import config, session
from diagnose.judgement import engine
from diagnose.model import Failed, Verdict
from diagnose.questions.question import policies
from diagnose.recording import answer_files, archive, source
from diagnose.recording.answer_files import RecordingError
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Replay
from tests.tickets import DATA, KNOWN, unpacked

REAL = (DATA / "fifteen-faults-28.5.2.tar.gz").read_bytes()
PLAIN = gzip.decompress(REAL)
TOP = "diagnose-host"
FIXTURES = Path(__file__).parents[2] / "fixtures"


def forged_files(args: Any = None, answer: Any = None) -> dict[str, bytes]:
    row = {
        "args": args if args is not None else {},
        "answer": answer or {"wall": 1.8e9, "boot_wall": 1.7e9},
    }
    return {"answers/now.json": json.dumps([row]).encode()}


def sealed(files: dict[str, bytes], **head: Any) -> dict[str, bytes]:
    """The files with a manifest that knows them."""
    listed = {name: {"sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    return {**files, "manifest.json": json.dumps({"format": 1, "files": listed, **head}).encode()}


def packed(
    files: dict[str, bytes], *more: tarfile.TarInfo, form: int = tarfile.USTAR_FORMAT
) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=form) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{TOP}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info in more:
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    return out.getvalue()


def member(
    name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = ""
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info


def header(name: str = f"{TOP}/x", size: bytes = b"0" * 11 + b"\0", kind: bytes = b"0") -> bytes:
    """One raw tar header with a right checksum."""
    block = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    block[124:136], block[156:157] = size, kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def raw(*blocks: bytes) -> bytes:
    return gzip.compress(b"".join(blocks) + b"\0" * 1024)


GOOD = sealed(forged_files())


def refused(data: bytes, tmp_path: Path) -> str:
    path = tmp_path / "in.tar.gz"
    path.write_bytes(data)
    with pytest.raises(RecordingError) as raised:
        source.read(path)
    return str(raised.value)


def test_a_good_one_is_read(tmp_path: Path):
    path = tmp_path / "in.tar.gz"
    path.write_bytes(packed(GOOD))
    entries, head = source.read(path)
    assert [entry.kind for entry in entries] == ["now"]
    assert head["format"] == 1


def test_an_archive_repacked_by_hand_is_read(tmp_path: Path):
    """With its folders as members, as `tar` packs them."""
    folders = [member(f"{TOP}/answers/", tarfile.DIRTYPE), member(TOP, tarfile.DIRTYPE)]
    path = tmp_path / "in.tar.gz"
    path.write_bytes(packed(GOOD, *folders))
    assert source.read(path)[0]


def test_older_format_is_read_and_newer_is_refused(tmp_path: Path):
    path = tmp_path / "old.tar.gz"
    path.write_bytes(packed(sealed(forged_files(), format=0)))
    assert source.read(path)[0]
    said = refused(packed(sealed(forged_files(), format=2)), tmp_path)
    assert said == "it has format 2, newer than this tool reads (1): update diagnose"


def test_questions_of_another_version_are_passed_over(tmp_path: Path):
    files = sealed(
        {**forged_files(), "answers/future.kind.json": b"nonsense", "answers/api.ping.json": b"[]"}
    )
    path = tmp_path / "in.tar.gz"
    path.write_bytes(packed(files))
    assert [each.kind for each in source.read(path)[0]] == ["now"]


DAMAGES = {
    "a duration that is none": (r'"duration_s": [\d.]+', '"duration_s": "x"'),
    "neither an answer nor a failure": (r'"answer": ', '"before": '),
    "a failure without a reason": (r'"answer": ', '"failed": '),
    "a failure that is a number": (r'"answer": .*', '"failed": 7}'),
    "an answer that is no JSON": (r'"answer": .*', '"answer": NaN}'),
    "a line that ends too early": (r".{50}$", ""),
    "an answer that is deep": (r'"answer": .*', '"answer": ' + "[" * 99_999 + "]" * 99_999 + "}"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_answer_costs_that_answer_and_is_named(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "host"
    shutil.copytree(FIXTURES / "demo", folder)
    inspected = folder / "answers/api.container.json"
    opening, first, *others = inspected.read_text().split("\n")
    damaged = re.sub(*DAMAGES[name], first.removesuffix(",")) + ","
    assert damaged != first
    inspected.write_text("\n".join([opening, damaged, *others]))
    selected = ("container.oom-killed", "container.restart-loop", "daemon.live-restore-off")
    host, what = session.replay(folder, KNOWN, selected, config.Config(), explicit=False)
    report = engine.run(host, what, began=0.0, budget=Budget(time.monotonic() + 60))
    results = {result.check.id: result for result in report.results}
    [unexamined] = results["container.oom-killed"].unexamined
    assert answer_files.IS_DAMAGED in unexamined.why
    assert results["container.restart-loop"].verdict is Verdict.FOUND
    assert "1 answer of this bundle cannot be read: docker inspect of a container" in report.notes


@pytest.mark.parametrize("path", [{"a": 1}, None, 7])
def test_a_damaged_answer_to_an_odd_question_is_named_by_its_kind(path: Any) -> None:
    row = json.dumps([{"args": {"path": path}, "failed": 7}])
    [question] = answer_files.damaged(answer_files.parse([("answers/file.read.json", row)]))
    assert question.about() == policies()["file.read"].what


def test_thresholds_that_this_version_has_not_are_passed_over(tmp_path: Path):
    thresholds = {
        "storage.disk-full": {"nosuch": 1, "warn_pct": "x"},
        "nosuch.check": {"a": 1},
        "container.unhealthy": [],
    }
    path = tmp_path / "in.tar.gz"
    path.write_bytes(packed(sealed(forged_files(), thresholds=thresholds, uncollected={"x": 1})))
    host, what = session.replay(path, KNOWN, tuple(KNOWN), config.Config(), explicit=False)
    report = engine.run(host, what, began=0.0, budget=Budget(time.monotonic() + 60))
    assert not [result for result in report.results if result.verdict is Verdict.CRASHED]


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
    "a name that is no UTF-8": (
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
    "answers that are no JSON": (
        lambda: packed(sealed({"answers/now.json": b"\xff{"})),
        "no answers that can be read",
    ),
    "answers that are a number": (
        lambda: packed(sealed({"answers/now.json": b"7"})),
        "no answers that can be read",
    ),
    "an answer that is no object": (
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
    with pytest.raises(RecordingError, match="no plain file"):
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
    assert not [each for each in said if "\n" in each]
    assert slowest < 5
    assert grown < 400
    assert [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*") if each.is_file()] == [
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
            return {each: item for each, item in value.items() if each != key}
        return {**value, key: _twisted(rnd, value[key])}
    if isinstance(value, list) and value and rnd.random() < 0.85:
        at = rnd.randrange(len(value))
        return [*value[:at], _twisted(rnd, value[at]), *value[at + 1 :]]
    return rnd.choice(STRANGE)


@pytest.mark.fuzz
@pytest.mark.timeout(600)
def test_wrong_types_in_a_tape_make_checks_unknown_never_crash(capsys: pytest.CaptureFixture[str]):
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


def test_members_yields_what_tar_holds():
    assert dict(archive.members(io.BytesIO(REAL))) == unpacked(REAL)


SETTINGS = {"LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}}, "Memory": 1 << 30}


def test_equal_parts_of_answers_are_one_object() -> None:
    rows = [{"args": {"id": name}, "answer": {"Id": name, "HostConfig": SETTINGS}} for name in "ab"]
    recording = answer_files.parse([("answers/api.container.json", json.dumps(rows))])
    first, second = (entry.answer for entry in recording.values())
    assert first == rows[0]["answer"]
    assert second == rows[1]["answer"]
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["HostConfig"] is second["HostConfig"]


def test_answers_are_read_as_they_stand() -> None:
    """Whatever is shared: the values are those of a plain reader."""
    for file in (FIXTURES / "demo" / "answers").glob("*.json"):
        text = file.read_text()
        plain = [row["answer"] for row in json.loads(text) if "answer" in row]
        read = [entry.answer for entry in answer_files.parse([(file.name, text)]).values()]
        assert [answer for answer in read if not isinstance(answer, Failed)] == plain
