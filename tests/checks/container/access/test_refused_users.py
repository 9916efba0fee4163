"""Which user is refused at a mount: groups, remapped users, owners of the host."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.folder_owners import FolderOwners
from diagnose.evidence.containers.mounts.access.locked_paths import locked_paths
from diagnose.evidence.containers.mounts.access.refused_writes import refused_writes
from diagnose.evidence.containers.mounts.bind_mounts import BindSources, PathStatus, bind_sources
from diagnose.evidence.engine.info import Info
from diagnose.model import Finding, Json, Severity, Unavailable, Unexamined
from diagnose.programs.telling_line import TellingLine
from diagnose.questions import AnyQuestion
from tests.checks.container.access.refusals import (
    DENIED,
    FILE,
    FOLDER,
    GONE,
    GROUPS,
    MOUNTED,
    SHUT,
    shut_out,
)
from tests.checks.container.evidence import CLOCK, OPTIONS, UNKNOWN, container_in, items, log_of
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge


@pytest.mark.parametrize(
    ("user", "added", "expected"),
    [
        ("1000", ["50"], ""),
        ("1000:1000", ["50", "60"], ""),
        (
            "1000:1000",
            ["staff"],
            "? /srv/data: the members of group staff are known only to its image",
        ),
        ("1000:staff", None, "? /srv/data: the members of group staff"),
        ("1000", None, "? /srv/data: the groups of its user are known only to its image"),
        ("1000:1000", ["60"], 'container "web" cannot enter /data'),
        ("1000:1000", None, 'container "web" cannot enter /data'),
    ],
)
def test_groups_that_a_container_was_given(user: str, added: list[str] | None, expected: str):
    answer = shut_out(DENIED, GROUPS, {"key": FILE}, user=user, GroupAdd=added)
    assert answer.startswith(expected) if expected else not answer, answer
    private = shut_out(DENIED, PathStatus(type="folder", mode=0o700), user=user, GroupAdd=added)
    assert private.startswith('container "web" cannot enter /data'), "no group helps"


REMAPS = Info(security_options=["name=userns"], docker_root_dir="/var/lib/docker/100000.200000")
WRITES = "sh: can't create /data/new: Permission denied"


@pytest.mark.parametrize(
    ("user", "top", "info", "mode", "expected"),
    [
        (
            "",
            FOLDER,
            REMAPS,
            "",
            'container "web" cannot create or remove files in /data: its user is root (100000 on the host), and',
        ),
        ("", FOLDER, REMAPS, "host", ""),
        ("", PathStatus(type="folder", mode=0o700, uid=100_070, gid=200_070), REMAPS, "", ""),
        ("1000:50", PathStatus(type="folder", mode=0o700, uid=101_000), REMAPS, "", ""),
        ("1000:50", PathStatus(type="folder", mode=0o770, gid=200_050), REMAPS, "", ""),
        (
            "1000:50",
            PathStatus(type="folder", mode=0o770, gid=50),
            REMAPS,
            "",
            'container "web" cannot create or remove files in /data:',
        ),
        (
            "1000:50",
            PathStatus(type="folder", mode=0o700, uid=1000),
            REMAPS,
            "",
            'container "web" cannot create or remove files in /data:',
        ),
        ("1000:50", PathStatus(type="folder", mode=0o700, uid=1000), REMAPS, "host", ""),
        (
            "",
            FOLDER,
            Info(security_options=["name=userns"], docker_root_dir="/d"),
            "",
            "? /srv/data: which users",
        ),
        (
            "1000",
            FOLDER,
            Info(security_options=["name=rootless"], docker_root_dir="/d"),
            "",
            "? /srv/data: which users",
        ),
    ],
)
def test_users_that_the_engine_remaps(
    user: str, top: PathStatus, info: Info, mode: str, expected: str
):
    answer = shut_out(WRITES, top, {"new": GONE}, user=user, info=info, UsernsMode=mode)
    assert answer.startswith(expected) if expected else not answer, answer


def test_a_source_that_is_gone_has_no_mode():
    assert not shut_out(DENIED, GONE)


def test_what_is_to_be_typed_names_the_users_of_the_host():
    added = {"HostConfig": {"GroupAdd": ["20"]}}
    container = container_in(
        "exited", code=1, Config={"User": "1000:50"}, Mounts=[MOUNTED], **added
    )
    sources = BindSources({"/srv/data": FOLDER}, {"/srv/data/key": SHUT})
    (found,) = items(
        judge(
            "container.mount-forbidden",
            containers=of(container),
            log_tails=log_of(container, DENIED),
            bind_sources=sources,
            info=REMAPS,
        )
    )
    assert isinstance(found, Finding)
    assert found.variables == {
        "container": "web",
        "source": "/srv/data/key",
        "owner": "101000:200050",
    }


def test_each_step_to_a_named_path_is_looked_up_without_its_links():
    container = container_in("exited", code=1, Config={"User": "1000"}, Mounts=[MOUNTED])
    host = Made(
        {"file.stats": lambda asked: {path: {"type": "folder"} for path in asked.args["paths"]}}
    )
    sources = bind_sources(
        host, of(container), CLOCK, OPTIONS, log_of(container, "open /data/a/b: permission denied")
    )
    assert isinstance(sources, BindSources)
    assert set(sources.below) == {"/srv/data/a", "/srv/data/a/b"}
    assert [asked.args["follow"] for asked in host.asked] == [True, False]
    for far in ("open /data/../b: permission denied", f"open /data{'/a' * 40}: permission denied"):
        sources = bind_sources(host, of(container), CLOCK, OPTIONS, log_of(container, far))
        assert isinstance(sources, BindSources)
        assert not sources.below


READ_ONLY = "sh: can't create /data/pool: Read-only file system"


@pytest.mark.parametrize(
    ("mount", "line", "expected"),
    [
        (
            {**MOUNTED, "RW": False},
            READ_ONLY,
            {"read_only": "/data", "writable": "/srv/data:/data"},
        ),
        (
            {**MOUNTED, "Type": "volume", "Name": "pool", "RW": False},
            READ_ONLY,
            {"read_only": "/data", "writable": "pool:/data"},
        ),
        (MOUNTED, READ_ONLY, None),
        ({**MOUNTED, "RW": False}, "GET /data/pool 200", None),
    ],
    ids=["a folder", "a volume", "a writable mount: its disk is read-only", "another line"],
)
def test_a_mount_that_is_read_only_by_its_own_option(
    mount: dict[str, Any], line: str, expected: dict[str, str] | None
):
    container = container_in("exited", code=1, Mounts=[mount])
    result = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=log_of(container, line),
        bind_sources=BindSources({}),
    )
    variables = [dict(finding.variables) for finding in result.findings]
    assert bool(variables) == (expected is not None)
    for variable in variables:
        assert variable.items() >= (expected or {}).items()


def test_a_program_that_continues_repeats_that_a_mount_is_read_only() -> None:
    container = container_in("running", Mounts=[{**MOUNTED, "RW": False}])
    error = RepeatedError(container, TellingLine(READ_ONLY), times=3, of=12, lines=(READ_ONLY,) * 3)
    result = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=LogTails({}, {}),
        bind_sources=BindSources({}),
        refused_writes=refused_writes(RepeatedErrors((error,))),
    )
    (finding,) = result.findings
    assert finding.severity == Severity.warning
    assert finding.variables["read_only"] == "/data"


@pytest.mark.parametrize(
    ("others", "is_own"), [((), True), (("backup",), False)], ids=["its own", "shared"]
)
def test_only_a_volume_of_its_own_is_given_away_with_all_in_it(
    others: tuple[str, ...], is_own: bool
):
    volume = {
        "Type": "volume",
        "Name": "pool",
        "Source": "/srv/data",
        "Destination": "/data",
        "RW": True,
    }
    container = container_in("exited", code=1, Config={"User": "1000"}, Mounts=[volume])
    beside = [container_in("running", name=name, Mounts=[volume]) for name in others]
    result = judge(
        "container.mount-forbidden",
        containers=of(container, *beside),
        log_tails=log_of(container, DENIED),
        bind_sources=BindSources({"/srv/data": PathStatus(type="folder", mode=0o700)}),
    )
    (finding,) = result.findings
    assert ("own_volume" in finding.variables) == is_own


WHOLE: dict[str, tuple[set[int], str, bool]] = {
    "files of the same user": ({0}, "/srv/other", True),
    "files of the program": ({1000}, "/srv/other", False),
    "files of several users": ({0, 33}, "/srv/other", False),
    "no file": (set(), "/srv/other", False),
    "shared with another container": ({0}, "/srv/data/in", False),
    "below a folder of another container": ({0}, "/srv", False),
}


@pytest.mark.parametrize(("uids", "beside", "is_whole"), WHOLE.values(), ids=WHOLE)
def test_a_folder_of_the_host_is_given_away_with_all_in_it(
    uids: set[int], beside: str, is_whole: bool
):
    bind = {"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": True}
    container = container_in("exited", code=1, Config={"User": "1000"}, Mounts=[bind])
    other = container_in("running", name="other", Mounts=[{**bind, "Source": beside}])
    result = judge(
        "container.mount-forbidden",
        containers=of(container, other),
        log_tails=log_of(container, DENIED),
        bind_sources=BindSources({"/srv/data": PathStatus(type="folder", mode=0o700)}),
        owners=FolderOwners({"/srv/data": frozenset(uids)}),
    )
    (finding,) = result.findings
    assert ("whole" in finding.variables) == is_whole


@pytest.mark.parametrize(
    ("owner", "below", "is_whole"),
    [(1000, 0, True), (0, 0, False), (104, 104, True), (104, 33, False)],
    ids=["its", "root's", "an earlier release's", "of several"],
)
def test_a_folder_in_a_volume_that_is_of_one_user(owner: int, below: int, is_whole: bool):
    """An archive without entries for folders leaves them to root; releases change their user."""
    volume = {
        "Type": "volume",
        "Name": "pool",
        "Source": "/srv/data",
        "Destination": "/data",
        "RW": True,
    }
    container = container_in("exited", code=1, Config={"User": "1000"}, Mounts=[volume])
    root = PathStatus(type="folder", uid=owner, mode=0o755)
    restored = PathStatus(type="folder", uid=below, mode=0o700)
    result = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=log_of(container, "cannot open /data/pool/index: Permission denied"),
        bind_sources=BindSources({"/srv/data": root}, {"/srv/data/pool": restored}),
    )
    (finding,) = result.findings
    assert finding.variables["source"] == "/srv/data/pool"
    assert finding.variables.get("own_volume") == ("/srv/data" if is_whole else None)


@pytest.mark.parametrize("user", ["1000", ""], ids=["another user", "root"])
@pytest.mark.parametrize(
    "sources",
    [UNKNOWN, BindSources({}), BindSources({"/srv/data": PathStatus(failed="timed out")})],
)
def test_a_source_that_was_not_seen_is_not_passed_over(
    sources: BindSources | Unavailable, user: str
):
    failed = container_in("exited", code=1, Mounts=[MOUNTED], Config={"User": user})
    answer = judge(
        "container.mount-forbidden",
        containers=of(failed),
        log_tails=log_of(failed, DENIED),
        bind_sources=sources,
        info=Info(),
    )
    assert [type(outcome) for outcome in items(answer)] == ([Unexamined] if user else [])


LOCKED_LINE = "sh: can't create /data/pool/app.yml: Operation not permitted"
FLAGS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "the file": (LOCKED_LINE, {"/srv/data/pool/app.yml": "immutable"}, "/srv/data/pool/app.yml", "-i"),
    "its folder": (LOCKED_LINE, {"/srv/data/pool": "append_only"}, "/srv/data/pool", "-a"),
    "a folder above": (LOCKED_LINE, {"/srv/data": "immutable"}, "", ""),
    "another refusal": (DENIED, {"/srv/data/pool": "immutable"}, "", ""),
}  # fmt: skip


@pytest.mark.parametrize(("line", "flags", "path", "undo"), FLAGS.values(), ids=FLAGS)
def test_what_chattr_has_locked(line: str, flags: dict[str, str], path: str, undo: str) -> None:
    def answer(question: AnyQuestion) -> Json:
        paths = question.args["paths"]
        return {place: {flags[place]: True} if place in flags else {} for place in paths}

    container = container_in("exited", code=1, Mounts=[MOUNTED])
    tails = log_of(container, line)
    locked = locked_paths(Made({"file.flags": answer}), of(container), tails)
    result = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=tails,
        bind_sources=BindSources({}),
        locked_paths=locked,
    )
    found = [
        (finding.variables.get("locked"), finding.variables.get("flag"))
        for finding in result.findings
    ]
    assert found == ([(path, undo)] if path else [])
