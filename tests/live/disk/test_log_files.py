"""Log files of programs: those that are open, and those below folders."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from diagnose.live import Live
from diagnose.live.disk.log_files import MOST_FOLDERS, log_files
from diagnose.live.kernel.mountinfo import parse
from diagnose.questions.log_files import FindLogFiles

NAMES = {
    "app.log": True,
    "error_log": True,
    "catalina.out": True,
    "errors.txt": True,
    "db1.err": True,
    "logs/sonarr.txt": True,
    "log/web/current": True,
    "storage/logs/laravel-2026-11-28.log": True,
    "access.log": False,
    "localhost_access_log.2026-11-28.txt": False,
    "app.log.gz": False,
    "00000000000000000042.log": False,
    "mirrors.txt": False,
    "error.html": False,
    "notes.txt": False,
    "node_modules/npm-debug.log": False,
}


def found(
    tmp_path: Path, *, pids: tuple[int, ...] = (), within_s: float = 300.0
) -> dict[str, list[str]]:
    answer = log_files(Live(), FindLogFiles(pids, (str(tmp_path),), within_s))
    open_ = [row["path"] for row in answer["open"]]
    return {"open": open_, "written": [row["below"] for row in answer["written"]]}


@pytest.mark.parametrize(("name", "is_log"), NAMES.items(), ids=list(NAMES))
def test_names_of_logs(tmp_path: Path, name: str, is_log: bool) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("x")
    assert found(tmp_path)["written"] == ([f"/{name}"] if is_log else [])


def test_old_files_links_and_folders_are_left_out(tmp_path: Path) -> None:
    old = tmp_path / "old.log"
    old.write_text("x")
    os.utime(old, (time.time() - 900,) * 2)
    (tmp_path / "link.log").symlink_to("/etc/passwd")
    (tmp_path / "outside").symlink_to("/var/log")
    (tmp_path / "folder.log").mkdir()
    assert found(tmp_path)["written"] == []


def test_a_folder_may_be_named_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "app.log").write_text("x")
    (tmp_path / "link").symlink_to("data")
    answer = log_files(Live(), FindLogFiles((), (str(tmp_path / "link"),), 300.0))
    assert [row["below"] for row in answer["written"]] == ["/app.log"]


def test_a_network_volume_is_left_out_and_is_no_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.log").write_text("x")
    entry = f"40 1 0:40 / {tmp_path} rw,relatime shared:1 - fuse.sshfs store.example:/data rw"
    monkeypatch.setattr("diagnose.live.disk.log_files.mounts", lambda: parse(entry))
    answer = log_files(Live(), FindLogFiles((), (str(tmp_path),), 300.0))
    assert (answer["written"], answer["unread"]) == ([], [])


def test_folders_for_logs_are_searched_first(tmp_path: Path) -> None:
    for number in range(MOST_FOLDERS):
        (tmp_path / f"photos{number}").mkdir()
    (tmp_path / "storage" / "logs").mkdir(parents=True)
    (tmp_path / "storage" / "logs" / "app.log").write_text("x")
    assert found(tmp_path)["written"] == ["/storage/logs/app.log"]


def test_files_that_are_open_for_writing(tmp_path: Path) -> None:
    written, read = tmp_path / "written.log", tmp_path / "read.log"
    read.write_text("x")
    with written.open("a"), written.open("a"), read.open():
        paths = found(tmp_path, pids=(os.getpid(),))["open"]
    assert [path for path in paths if path.startswith(str(tmp_path))] == [str(written)]


def test_what_has_gone_is_no_error(tmp_path: Path) -> None:
    question = FindLogFiles((0,), (str(tmp_path / "gone"), "/proc/0/root"), 300.0)
    assert log_files(Live(), question) == {"open": [], "written": [], "unseen": [], "unread": []}
