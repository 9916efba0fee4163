"""What a shell offers for a word that is half typed, and where it looks for that."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from diagnose.cli.main import group
from diagnose.live.commands.container_names import container_names
from diagnose.setup import places


@pytest.mark.parametrize(
    ("where", "folder"),
    [
        (places.of_host({}, Path("/r")), "etc/fish/completions"),
        (places.of_package({}, Path("/r")), "usr/share/fish/vendor_completions.d"),
    ],
)
def test_fish_looks_where_its_completions_lie(where: places.SetupPlaces, folder: str) -> None:
    """fish without XDG_DATA_DIRS, as root has it on a server, does not look below
    /usr/local/share."""
    assert where.fish == Path("/r", folder)


COMPLETED = {
    "a container to recreate": (["recreate"], "we", ["web", "web-2"]),
    "the begin of a path": (["path"], "", ["host", "internet", "db", "web", "web-2"]),
    "the end of a path": (["path", "web"], "d", ["db"]),
    "an option": (["all", "--container"], "web-", ["web-2"]),
}


@pytest.mark.parametrize(("words", "begun", "offered"), COMPLETED.values(), ids=COMPLETED)
def test_names_of_containers_are_completed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    begun: str,
    offered: list[str],
) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\n[ \"$1 $2\" = 'ps --all' ] && printf 'web\\ndb\\nweb-2\\n'\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    shell = BashComplete(group, {}, "diagnose", "_DIAGNOSE_COMPLETE")
    assert [item.value for item in shell.get_completions(words, begun)] == offered


def test_without_an_engine_no_name_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert container_names() == []
