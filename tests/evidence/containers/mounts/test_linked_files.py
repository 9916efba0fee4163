"""Files of a mount to which a link leads: no command changes them on the host."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.linked_files import LinkedFiles, linked_files, steps_below
from diagnose.model import Failed, Finding
from tests.checks.container.evidence import failed_with_log
from tests.hosts import Made
from tests.inspected import bind, of

MOUNT = bind("/srv/app", Destination="/app", RW=True)
SCRIPT = "/app/bin/start.sh: line 1: $'\\r': command not found"
ON_HOST = "/srv/app/bin/start.sh"


def kinds(links: set[str]) -> Any:
    """What stat says of paths of which these are links."""

    def stats(question: Any) -> Any:
        assert question.follow is False
        return {path: {"type": "link" if path in links else "file"} for path in question.paths}

    return stats


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        (kinds(set()), set()),
        (kinds({ON_HOST}), {ON_HOST}),
        (kinds({"/srv/app/bin"}), {ON_HOST}),
        (kinds({"/srv/app"}), set()),
        (Failed("timed out", ""), {ON_HOST}),
        (Failed("not recorded", ""), set()),
    ],
    ids=["files", "a link", "on the way", "the mount itself", "silent", "an older recording"],
)
def test_files_that_a_line_leads_to_by_a_link(stats: Any, expected: set[str]) -> None:
    container, log_tails = failed_with_log(SCRIPT, **MOUNT)
    found = linked_files(Made({"file.stats": stats}), of(container), log_tails, None)
    assert found.paths == expected


def test_a_finding_loses_what_would_change_such_a_file() -> None:
    container, _ = failed_with_log(SCRIPT, **MOUNT)
    finding = Finding.about(
        container, "web fails", {}, variables={"edited": ON_HOST, "edit": "s/a/b/"}
    )
    assert LinkedFiles(frozenset({ON_HOST})).out_of(finding).variables == {
        "container": container.name,
        "edit": "s/a/b/",
    }
    assert LinkedFiles().out_of(finding) is finding


def test_the_steps_from_a_mount_to_a_file() -> None:
    container, _ = failed_with_log(SCRIPT, **MOUNT)
    (mount,) = container.mounts
    assert steps_below(mount, "/app/bin/start.sh") == ("/srv/app/bin", ON_HOST)
    assert steps_below(mount, "/app") == ()
