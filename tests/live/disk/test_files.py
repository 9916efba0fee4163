"""The hands for files and file systems, and the helper process beneath them, on this machine's own
kernel."""

import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnose.live import Live, Refused
from diagnose.live.disk import files, opening, worker
from diagnose.live.disk.compose import collectors, project_files
from diagnose.questions.run import Options
from tests.live.proc_helpers import plain
from tests.live.servers import PATIENT_S
from tests.questions import question

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(name="live")
def _live() -> Iterator[Live]:
    """A run that is patient with a busy machine, where a helper waits its turn for a second."""
    live = Live(Options(budget_s=PATIENT_S))
    yield live
    live.close()


def test_reads_a_text(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "a b"
    path.write_bytes(b"one\ntwo\xff\n")
    answer = plain(files.read(live, question("file.read", path=str(path))))
    assert answer["text"] == "one\ntwo�\n"
    assert (answer["size"], answer["truncated"], answer["link"]) == (9, False, None)


@pytest.mark.parametrize(
    ("tail", "text"), [(False, "abc"), (True, "efg")], ids=["first bytes", "last bytes"]
)
def test_reads_no_more_than_asked(live: Live, tmp_path: Path, tail: bool, text: str) -> None:
    path = tmp_path / "long"
    path.write_text("abcdefg")
    answer = files.read(live, question("file.read", path=str(path), max_bytes=3, tail=tail))
    assert (answer["text"], answer["truncated"], answer["size"]) == (text, True, 7)


def test_a_missing_file_is_an_error_with_its_errno(live: Live) -> None:
    with pytest.raises(FileNotFoundError):
        files.read(live, question("file.read", path="/no/such/file"))


def test_a_fifo_is_refused_at_once(live: Live, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(Refused, match="is a fifo"):
        files.read(live, question("file.read", path=str(tmp_path / "fifo")))


def test_a_link_is_not_followed_when_told(live: Live, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        files.read(live, question("file.read", path=str(tmp_path / "link"), follow=False))


def test_a_link_does_not_lead_out_of_a_root(live: Live, tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "etc").mkdir(parents=True)
    (top / "etc/real").write_text("inside")
    (top / "link").symlink_to("/etc/real")
    (top / "escape").symlink_to("../../../../etc/passwd")
    answer = files.read(live, question("file.read", path="/link", root=str(top)))
    assert answer["text"] == "inside"
    with pytest.raises(FileNotFoundError):
        files.read(live, question("file.read", path="/escape", root=str(top)))


def test_a_pipe_is_not_opened_so_that_its_writer_goes_on_waiting(
    live: Live, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    is_open = threading.Event()

    def write() -> None:
        handle = os.open(pipe, os.O_WRONLY)  # until somebody opens the other end
        is_open.set()
        os.close(handle)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    with pytest.raises(Refused, match="is a fifo"):
        files.read(live, question("file.read", path=str(pipe)))
    assert collectors.lost_dollars(live, question("file.dollars", paths=[str(pipe)])) == []
    assert not is_open.wait(0.2)
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
    writer.join(5)


@root_only
def test_a_device_is_not_opened(live: Live, tmp_path: Path) -> None:
    """Who opens a watchdog starts it, and who opens a tape rewinds it."""
    device = tmp_path / "device"
    os.mknod(device, 0o600 | stat.S_IFCHR, os.makedev(10, 250))  # of no driver
    with pytest.raises(Refused, match="is a character device"):
        files.read(live, question("file.read", path=str(device)))


@pytest.mark.parametrize("has_openat2", [True, False], ids=["this kernel", "an older kernel"])
def test_what_is_read_inside_a_folder(
    has_openat2: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").write_text("inside")
    (tmp_path / "a/link").symlink_to("/etc/passwd")
    (tmp_path / "a/up").symlink_to("..")
    if not has_openat2:
        monkeypatch.setattr(opening, "OPENAT2", 9999)  # no such call: ENOSYS
    assert worker.read({"path": "/a/file", "root": str(tmp_path)})["text"] == "inside"
    for path in ("/a/link", "/a/up/../../etc/passwd", "/../etc/passwd", "/a/none"):
        with pytest.raises(OSError, match=path):
            worker.read({"path": path, "root": str(tmp_path)})


def test_only_some_parts_of_a_file(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "site.conf"
    path.write_text("user x;\n  ssl_certificate /a.pem; # mine\nproxy_pass http://a;\n")
    answer = files.read(live, question("file.read", path=str(path), parts="certificates"))
    assert answer["text"] == "  ssl_certificate /a.pem;\n"
    path.write_text("listen 127.0.0.1:81; proxy_pass http://localhost:82; # localhost:83\n")
    answer = files.read(live, question("file.read", path=str(path), parts="loopback"))
    assert answer["text"] == "localhost:82\n"
    path.write_text(";host = localhost:84\n  // http://localhost:85\nurl = http://localhost:86\n")
    answer = files.read(live, question("file.read", path=str(path), parts="loopback"))
    assert answer["text"] == "localhost:86\n"
    path.write_text(
        'A=1\nexport DB_HOST="localhost"\nDB_PORT=3306\nMAIL_HOST=127.0.0.1\n#C_HOST=::1\nC_PORT=88\n'
    )
    answer = files.read(live, question("file.read", path=str(path), parts="loopback"))
    assert answer["text"] == 'DB_HOST="localhost"|3306\n'
    path.write_text("INSERT INTO a VALUES ('x');\nCREATE  TABLE\n shop.users(id int);\nDROP x;")
    answer = files.read(live, question("file.read", path=str(path), parts="created"))
    assert answer["text"] == "CREATE TABLE shop.users\ndrop\n"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a: 1\n", []),
        ("a: 1", ["open 1"]),
        ("", ["empty 0"]),
        ("\ufeffa: 1\r\n", ["mark 1", "dos 0"]),
        ("a:\n \tb: \u201cx\u201d\n", ["tab 2", "quotes 2"]),
        ("a:\u00a01\n<<<<<<< HEAD\n", ["conflict 2", "space 1"]),
        ("<!DOCTYPE html>\n", ["page 0"]),
        ("a\0b", ["utf-16 0"]),
    ],
)
def test_what_an_editor_does_not_show(
    live: Live, tmp_path: Path, text: str, rows: list[str]
) -> None:
    path = tmp_path / "app.yml"
    path.write_bytes(text.encode())
    answer = files.read(live, question("file.read", path=str(path), parts="hidden"))
    assert answer["text"].splitlines() == rows


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"Env":["PASSWORD=made-up"],"HasBeenManuallyStopped":true}', "true"),
        ('{"ID":"1"}', "null"),
    ],
)
def test_of_the_engines_own_file_one_field_is_read(
    live: Live, tmp_path: Path, text: str, kept: str
) -> None:
    path = tmp_path / "config.v2.json"
    path.write_text(text)
    answer = files.read(live, question("file.read", path=str(path), parts="stopped by hand"))
    assert answer["text"] == f'{{"HasBeenManuallyStopped":{kept}}}\n'
    path.write_text(text[:-1])
    answer = files.read(live, question("file.read", path=str(path), parts="stopped by hand"))
    assert answer["text"] == ""


def test_a_private_key_beside_a_certificate_is_not_read(live: Live, tmp_path: Path) -> None:
    path = tmp_path / "edge.pem"
    first = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    key = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"
    path.write_text(f"{key}{first}{first.replace('MIIB', 'MIIC')}")
    answer = files.read(live, question("file.read", path=str(path), parts="first certificate"))
    assert answer["text"] == first


ENV_FILES = {
    "one": ("env_file: ./shop", True),
    "in brackets": ("env_file: [other.env, shop]", True),
    "a list": ("env_file:\n      - path: ./conf/../shop\n        required: false", True),
    "a folder that is mounted": ("volumes:\n      - ./shop", False),
    "with a variable": ("env_file: ${STAGE}shop", False),
}


@pytest.mark.parametrize(("part", "is_read"), ENV_FILES.values(), ids=ENV_FILES)
def test_env_files_that_compose_files_name(
    live: Live, tmp_path: Path, part: str, is_read: bool
) -> None:
    (tmp_path / "compose.yaml").write_text(f"services:\n  a:\n    {part}\n")
    (tmp_path / "shop").write_text("DB_PASSWORD=ab$cd\n")
    where = {"paths": [str(tmp_path / "compose.yaml")], "folder": str(tmp_path)}
    lost = collectors.lost_dollars(live, question("file.dollars", **where))
    place = {"path": str(tmp_path / "shop"), "line": 1}
    named = {**place, "name": "DB_PASSWORD", "is_plain": True, "lefts": ["DB_PASSWORD=ab"]}
    assert lost == ([named] if is_read else [])
    listed = collectors.compose_files(live, question("file.compose", **where))
    assert (str(tmp_path / "shop") in [file["path"] for file in listed]) is is_read


def test_a_relative_env_file_of_an_unknown_folder_is_not_looked_for_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: a worker stands in the root folder, and would find nothing there anyway."""
    (tmp_path / "compose.yaml").write_text("services:\n  a:\n    env_file: shop\n")
    (tmp_path / "shop").write_text("DB_PASSWORD=ab$cd\n")
    monkeypatch.chdir(tmp_path)
    paths = [str(tmp_path / "compose.yaml")]
    assert project_files.lost_dollars({"paths": paths, "folder": ""}) == []
    assert project_files.lost_dollars({"paths": paths, "folder": str(tmp_path)}) != []


def test_stats_tell_each_path_by_itself(live: Live, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5000)
    paths = [str(tmp_path / "file"), str(tmp_path / "gone")]
    answer = plain(files.stats(live, question("file.stats", paths=paths)))
    assert (answer[paths[0]]["type"], answer[paths[0]]["size"]) == ("file", 5000)
    assert answer[paths[0]]["blocks_bytes"] >= 5000
    assert answer[paths[1]] == {"failed": "missing"}


def test_lists_a_folder_up_to_its_limit(live: Live, tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
    (tmp_path / "c").symlink_to("nowhere")
    answer = plain(files.list_folder(live, question("file.list", path=str(tmp_path))))
    assert [(entry["name"], entry["type"]) for entry in answer["entries"]] == [
        ("a", "folder"),
        ("b", "folder"),
        ("c", "link"),
    ]
    cut = files.list_folder(live, question("file.list", path=str(tmp_path), limit=2))
    assert (len(cut["entries"]), cut["truncated"]) == (2, True)


def test_a_folder_is_listed_as_a_container_sees_it(live: Live, tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "real").mkdir(parents=True)
    (top / "real/file").write_text("")
    (top / "link").symlink_to("/real")
    (top / "escape").symlink_to("/etc")
    inside = question("file.list", path="/link", root=str(top))
    assert files.list_folder(live, inside)["entries"] == [{"name": "file", "type": "file"}]
    with pytest.raises(FileNotFoundError):
        files.list_folder(live, question("file.list", path="/escape", root=str(top)))
    with pytest.raises(NotADirectoryError):
        files.list_folder(live, question("file.list", path="/real/file", root=str(top)))


def test_usage_is_statvfs_of_the_mount_behind_links(live: Live, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc")
    answer = plain(files.usage(live, question("fs.usage", path=str(tmp_path / "link"))))
    assert (answer["point"], answer["fstype"]) == ("/proc", "proc")
    here = plain(files.usage(live, question("fs.usage", path=str(tmp_path))))
    figures = os.statvfs(tmp_path)
    assert here["size"] == figures.f_blocks * figures.f_frsize
    assert here["reserved"] == here["free"] - here["available"] >= 0


def test_a_walk_counts_hard_links_once_and_names_the_largest(live: Live, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/big").write_bytes(b"x" * 300_000)
    os.link(tmp_path / "logs/big", tmp_path / "logs/again")
    (tmp_path / "small").write_bytes(b"x")
    answer = plain(files.walk(live, question("fs.walk", path=str(tmp_path), depth=1)))
    assert answer["complete"]
    assert set(answer["by"]) == {"logs", "small"}
    assert 300_000 <= answer["by"]["logs"] < 320_000
    assert answer["largest"][0]["bytes"] >= 300_000
    assert sum(answer["by"].values()) == answer["bytes"]


def test_a_walk_that_meets_its_limit_says_at_least(live: Live, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"d{number}").mkdir()
    assert not files.walk(live, question("fs.walk", path=str(tmp_path), limit=5))["complete"]


@root_only
def test_a_walk_stays_on_its_file_system(live: Live) -> None:
    answer = files.walk(live, question("fs.walk", path="/dev", depth=1))
    assert "pts" not in {name.partition("/")[0] for name in answer["by"]}


def test_usages_tell_each_path_by_itself(live: Live, tmp_path: Path) -> None:
    answer = plain(
        files.usages(live, question("fs.usages", paths=["/proc", str(tmp_path / "none")]))
    )
    assert answer["/proc"]["point"] == "/proc"
    assert answer[str(tmp_path / "none")] == {"failed": "missing"}


def test_a_rate_is_two_samples_of_free_bytes(live: Live, tmp_path: Path) -> None:
    answer = plain(files.rate(live, question("fs.rate", path=str(tmp_path), seconds=0.1)))
    assert answer["seconds"] >= 0.1
    assert answer["free_before"] > 0 < answer["free_after"]


def test_layers_are_matched_with_the_databases(live: Live, tmp_path: Path) -> None:
    image, container, cache, lost = ("a" * 64, "b" * 64, "c" * 25, "d" * 64)
    for name in (image, container, f"{container}-init", cache, lost, "l"):
        (tmp_path / "overlay2" / name).mkdir(parents=True)
    database = tmp_path / "image/overlay2/layerdb"
    for note, text in (
        (database / "sha256/1/cache-id", image),
        (database / "mounts/2/mount-id", container),
        (database / "mounts/2/init-id", f"{container}-init"),
    ):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(text)
    (database / "sha256" / ("e" * 64)).mkdir()
    (database / "sha256" / ("f" * 64 + "-removing")).mkdir()
    (tmp_path / "buildkit").mkdir()
    (tmp_path / "buildkit/snapshots.db").write_bytes(b"\0\x01" + cache.encode() + b"\xff")
    answer = plain(files.layers(live, question("fs.layers", path=str(tmp_path))))
    assert {folder["name"] for folder in answer["folders"]} == {
        image,
        container,
        f"{container}-init",
        cache,
        lost,
    }
    assert answer["referenced"] == sorted([image, container, f"{container}-init"])
    assert answer["mentioned"] == [cache]
    assert answer["unreadable"] == ["e" * 64]


def test_a_walk_leaves_out_what_it_is_told(live: Live, tmp_path: Path) -> None:
    for name in ("kept", "left"):
        (tmp_path / name).mkdir()
    answer = files.walk(
        live, question("fs.walk", path=str(tmp_path), skip=[str(tmp_path / "left")])
    )
    assert set(answer["by"]) == {"kept"}


def test_which_devices_may_be_opened(live: Live) -> None:
    asked = ["/dev/net/tun", "/dev/zero"]
    answer = plain(files.devices(live, question("file.devices", paths=asked)))
    # a device that is not known to be harmless is not opened, whoever asks
    assert list(answer) == ["/dev/net/tun"]
    assert answer["/dev/net/tun"]["error"] in ("", "EACCES", "ENOENT", "EPERM")


def test_who_listens_on_sockets(live: Live, tmp_path: Path) -> None:
    paths = {name: str(tmp_path / name) for name in ("listens", "left", "missing")}
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(paths["left"])
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(paths["listens"])
        listener.listen()
        answer = plain(files.sockets(live, question("file.sockets", paths=list(paths.values()))))
    failures = {name: answer[path]["failed"] for name, path in paths.items()}
    assert failures == {"listens": "", "left": "refused", "missing": "missing"}


def test_the_flags_of_files(live: Live, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    (tmp_path / "link").symlink_to("plain")
    paths = [str(tmp_path / name) for name in ("plain", "link", "none", ".")]
    answer = plain(files.flags(live, question("file.flags", paths=paths)))
    assert not any(flags.get("immutable") for flags in answer.values())
    assert answer[paths[1]]["failed"]
    assert answer[paths[2]] == {"failed": "missing"}


@root_only
@pytest.mark.parametrize(("letter", "name"), [("i", "immutable"), ("a", "append_only")])
def test_a_file_that_nobody_may_change(live: Live, tmp_path: Path, letter: str, name: str) -> None:
    path = tmp_path / "locked"
    path.write_text("x")
    if subprocess.run(["chattr", f"+{letter}", path], capture_output=True).returncode:
        pytest.skip("this file system has no such flag, or this root may not set it")
    try:
        answer = files.flags(live, question("file.flags", paths=[str(path)]))
    finally:
        subprocess.run(["chattr", f"-{letter}", path], check=True)
    assert answer[str(path)][name]
