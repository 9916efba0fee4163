"""Files that are opened, and those that are left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagnose.live import Refused
from diagnose.live.disk.opening import open_regular, read_text, why_unread


def test_a_file_that_gives_its_lines_once_is_not_read(tmp_path: Path) -> None:
    link = tmp_path / "crontab"
    link.symlink_to("/proc/kmsg")
    with pytest.raises(Refused, match="takes its lines"):
        open_regular(str(link))
    assert read_text(str(link), 100) is None


def test_why_a_file_is_not_read(tmp_path: Path) -> None:
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_text("a")
    os.mkfifo(pipe)
    assert why_unread(str(file)) == why_unread(str(tmp_path / "gone")) == ""
    assert why_unread(str(pipe)) == f"{pipe} is a fifo, not a file"
    assert why_unread(str(tmp_path)) == f"{tmp_path} is a folder, not a file"
