"""How kinds of hosts install their engine, and what is read of a dead one there."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.config import DaemonConfig, daemon_config
from diagnose.evidence.engine.daemon import Daemon, daemon
from diagnose.evidence.engine.installed.packaging import packaging
from diagnose.model import Failed, Trait
from diagnose.questions import Question
from tests.hosts import Made

HERE = {"same_host": True, "why": "", "engine_pid": None}
SNAP_FILE = "/var/snap/docker/current/config/daemon.json"


def stats(*there: str) -> Any:
    """Answers for these paths; nothing lies at any other."""

    def answer(question: Question[Any]) -> Any:
        return {
            path: {"type": "file"} if path in there else {"failed": "missing"}
            for path in question.args["paths"]
        }

    return answer


KINDS: dict[str, tuple[list[str], Trait | None]] = {
    "a package of the distribution": (["/usr/bin/dockerd"], None),
    "Alpine": (["/usr/bin/dockerd", "/run/openrc"], "openrc"),
    "Unraid": (["/usr/bin/dockerd", "/etc/rc.d/rc.docker"], "slackware"),
    "a Debian that once had OpenRC": (
        ["/usr/bin/dockerd", "/run/openrc", "/run/systemd/system"],
        None,
    ),
    "DSM": (["/usr/local/bin/dockerd", "/var/packages/ContainerManager"], "synology"),
    "the snap": (["/snap/docker/current"], "snap"),
    "the snap beside a package": (["/snap/docker/current", "/usr/bin/dockerd"], None),
}


@pytest.mark.parametrize(("there", "trait"), KINDS.values(), ids=KINDS)
def test_kind_is_known_by_its_mark(there: list[str], trait: Trait | None) -> None:
    assert packaging(Made({"file.stats": stats(*there)})).trait == trait


def test_a_host_that_could_not_be_looked_at_is_a_usual_one() -> None:
    assert packaging(Made({"file.stats": Failed("timed out", "")})).trait is None


def dead(*there: str, **answers: Any) -> Made:
    """A host whose engine does not run."""
    place = {"url": "unix:///var/run/docker.sock", "path": "/var/run/docker.sock"}
    return Made(
        {
            "locality": HERE,
            "endpoint": place,
            "api.ping": Failed("missing", "no such socket"),
            "unit": {"LoadState": "not-found"},
            "file.stats": stats(*there),
            **answers,
        }
    )


def test_the_snap_keeps_its_file_elsewhere() -> None:
    def reads(question: Question[Any]) -> Any:
        if question.args["path"] == SNAP_FILE:
            return {"text": "{,}", "size": 3}
        return Failed("missing", "")

    config = daemon_config(dead("/snap/docker/current", **{"file.read": reads}))
    assert isinstance(config, DaemonConfig)
    assert (config.path, config.text_ok) == (SNAP_FILE, False)


def test_a_dead_engine_names_the_file_that_it_refused() -> None:
    """Nothing else says so where no unit has its command line."""
    named = "/srv/engine/own.json"
    words = f"unable to configure the Docker daemon with file {named}: invalid JSON"

    def reads(question: Question[Any]) -> Any:
        if question.args["path"] == "/var/log/docker.log":
            return {"text": f"{words}\n", "size": 1}
        if question.args["path"] == named:
            return {"text": '{"debug": true,}', "size": 1}
        return Failed("missing", "")

    answers = {"file.read": reads, "journal": Failed("missing", "")}
    config = daemon_config(dead("/usr/bin/dockerd", **answers))
    assert isinstance(config, DaemonConfig)
    assert (config.path, config.text_ok) == (named, False)


@pytest.mark.parametrize("mark", ["/snap/docker/current", "/var/packages/ContainerManager"])
def test_its_program_is_not_missed_where_packages_put_it(mark: str) -> None:
    program = {
        "/snap/docker/current": "/snap/docker/current/bin/dockerd",
        "/var/packages/ContainerManager": "/var/packages/ContainerManager/target/usr/bin/dockerd",
    }[mark]
    known = daemon(dead(mark, program), clock=None, config=None, processes=None)
    assert isinstance(known, Daemon)
    assert (known.installation.program, known.installation.installed) == (program, True)
