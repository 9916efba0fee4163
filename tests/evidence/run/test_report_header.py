"""What a report without an engine tells its reader to do next."""

import pytest

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.run.report_header import _hint
from diagnose.model import Unavailable
from diagnose.questions.endpoint import Endpoint
from tests.checks.daemon.evidence import SILENT, daemon

DEFAULT = Endpoint(url="unix:///var/run/docker.sock", source="default socket")
REMOTE = Endpoint(url="tcp://192.0.2.9:2375", source="DOCKER_HOST", named=True)
OPTION = Endpoint(url="unix:///run/none.sock", source="-H", named=True)
NO_ROUTE = Unavailable("missing", "192.0.2.9:2375: No route to host")

HINTS = {
    "a dead remote host": (
        daemon(endpoint=REMOTE, silence=NO_ROUTE, same_host=False),
        "If DOCKER_HOST is wrong",
    ),
    "a remote host that drops packets": (
        daemon(endpoint=REMOTE, silence=SILENT, same_host=False),
        "`diagnose all -H unix:///var/run/docker.sock`",
    ),
    "a wrong address in an option": (daemon(endpoint=OPTION), "Without -H, `diagnose all`"),
    "Podman alone": (
        daemon(endpoint=DEFAULT, installed=False, has_podman=True),
        "`systemctl start podman.socket`, then `diagnose all`",
    ),
    "neither": (daemon(endpoint=DEFAULT, installed=False), "--from demo"),
}


@pytest.mark.parametrize(("state", "words"), HINTS.values(), ids=HINTS)
def test_a_report_without_an_engine_names_the_next_step(state: Daemon, words: str) -> None:
    assert words in _hint(state.endpoint, state)


NO_HINTS = {
    "it answers": daemon(endpoint=REMOTE, silence=None),
    "it is down, and a finding says so": daemon(endpoint=DEFAULT),
    "its own engine hangs": daemon(endpoint=OPTION, silence=SILENT),
    "the socket is closed to this user": daemon(
        endpoint=OPTION, silence=Unavailable("forbidden", "Permission denied")
    ),
}


@pytest.mark.parametrize("state", NO_HINTS.values(), ids=NO_HINTS)
def test_no_next_step_beside_that_of_a_finding(state: Daemon) -> None:
    assert not _hint(state.endpoint, state)
