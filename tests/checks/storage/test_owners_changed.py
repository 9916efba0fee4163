"""storage.owners-changed: who has the data root, and what the engine made in it."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.storage.root_owner import RootOwner, root_owner
from diagnose.questions import AnyQuestion
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Json, Made
from tests.inspected import container, of
from tests.judging import judge, rows

ROOT = "/var/lib/docker"
REMAPPED = f"{ROOT}/165536.165536"
OWNERS = {
    "root's": (ROOT, 0, 0, (), None),
    "of another user as a whole": (ROOT, 1000, 1000, (), 1000),
    "made by a user, and filled by the engine": (ROOT, 1000, 0, (), None),
    "of the remapped root": (REMAPPED, 165536, 165536, (), None),
    "remapped, and of another user": (REMAPPED, 1000, 1000, (), 1000),
    "of a rootless engine": ("/home/a/docker", 1000, 1000, ("name=rootless",), None),
}


@pytest.mark.parametrize(("root", "own", "below", "security", "uid"), OWNERS.values(), ids=OWNERS)
def test_the_owner_of_the_data_root(
    root: str, own: int, below: int, security: tuple[str, ...], uid: int | None
) -> None:
    def statuses(question: AnyQuestion) -> Json:
        return {
            path: {"failed": "missing"}
            if path.endswith("/volumes")
            else {"type": "folder", "uid": own if path == root else below}
            for path in question.args["paths"]
        }

    info = Info(docker_root_dir=root, security_options=list(security))
    found = root_owner(
        Made({"file.stats": statuses}), DataRoot(root, "info"), info, daemon=None, temp_folder=None
    )
    assert found == RootOwner(root, uid)


def test_whoever_complains_of_an_owner_is_named() -> None:
    web, quiet = container("web", Id="a" * 64), container("quiet", Id="b" * 64)
    line = "sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set"
    tails = LogTails({web.id: LogTail((line,)), quiet.id: LogTail(("listening",))}, {})
    result = judge(
        "storage.owners-changed",
        owner=RootOwner(ROOT, 1000),
        daemon=ALIVE,
        containers=of(web, quiet),
        tails=tails,
    )
    assert rows(result) == [("warning", "docker")]
    (finding,) = result.findings
    assert 'container "web" cannot work with that' in finding.summary
    assert [subject.name for subject in finding.touches] == ["web"]
    assert not judge("storage.owners-changed", owner=RootOwner(ROOT), daemon=ALIVE).findings
