"""File systems that cannot do what a program asks for.

checks/container/access/mount_filesystem.py.
"""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.bind_mounts import BindSources, PathStatus
from diagnose.evidence.storage.mounts import Mounts, parse
from tests.checks.container.evidence import FOUND, failed_with_log
from tests.inspected import bind, of
from tests.judging import judge, rows

CHOWN = "chown: changing ownership of '/x/db': Operation not permitted"
LINK = "Error: EPERM: operation not permitted, symlink '../a' -> '/x/node_modules/.bin/a'"


@pytest.mark.parametrize(
    ("line", "fstype", "dropped", "expected"),
    [
        (CHOWN, "cifs", [], FOUND),
        (CHOWN, "nfs4", [], FOUND),
        (CHOWN, "nfs4", ["ALL"], []),
        (CHOWN, "ext4", [], []),
        (LINK, "exfat", [], FOUND),
        (LINK, "nfs4", [], []),
        ("open '/x/db': Permission denied", "cifs", [], []),
        ("setuid: Operation not permitted: /x/db", "cifs", [], []),
    ],
)
def test_what_a_file_system_refuses(
    line: str, fstype: str, dropped: list[str], expected: list[tuple[str, str]]
):
    container, log_tails = failed_with_log(
        line, HostConfig={"CapDrop": dropped}, **bind("/mnt/nas/db")
    )
    table = f"36 35 98:0 / / rw - ext4 /dev/sda1 rw\n37 36 0:41 / /mnt/nas rw - {fstype} nas rw"
    result = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=log_tails,
        bind_sources=BindSources({"/mnt/nas/db": PathStatus(type="folder", mode=0o777)}),
        mounts=Mounts(tuple(parse(table))),
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("fstype", "variables"),
    [
        ("cifs", {"unfit": "/mnt/nas", "ids": "uid=1000,gid=1000"}),
        ("ntfs3", {"unfit": "/mnt/nas", "ids": "uid=1000,gid=1000"}),
        ("ext4", {"source": "/mnt/nas/db", "owner": "1000:1000"}),
    ],
)
def test_what_gives_a_folder_to_the_containers_user(fstype: str, variables: dict[str, str]) -> None:
    container, log_tails = failed_with_log(
        "open '/x': Permission denied", Config={"User": "1000:1000"}, **bind("/mnt/nas/db")
    )
    table = f"36 35 98:0 / / rw - ext4 /dev/sda1 rw\n37 36 0:41 / /mnt/nas rw - {fstype} nas rw"
    result = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=log_tails,
        bind_sources=BindSources({"/mnt/nas/db": PathStatus(type="folder", mode=0o700)}),
        mounts=Mounts(tuple(parse(table))),
    )
    (finding,) = result.findings
    assert finding.variables == {"container": container.name, **variables}
