"""Mounted files of settings that the program does not read; and files that are read, or later."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import GOOD, run

UNREAD = "container.mounted-file-unread"
_SETTLED_S = 16
_FILE = "httpd.conf"
_TEXT = "/private:admin:made-up\n"


def _server(box: Box, name: str, target: str, start: str, *words: str) -> None:
    """A web server that has a file of settings mounted, and runs for a while.

    words: of its command, as another program would read them.
    """
    box.write(f"/srv/{name}/{_FILE}", _TEXT)
    mount = f"/srv/{name}/{_FILE}:{target}"
    run(box, name, *GOOD, "-v", mount, "bb:1.36", "sh", "-c", start, "server", *words)
    _wait_settled(box, name)


def _wait_settled(box: Box, name: str) -> None:
    box.wait_for(lambda: _runs_for(box, name) > _SETTLED_S, 120, "a program that runs for a while")


def _runs_for(box: Box, name: str) -> float:
    """Seconds since the start of a container; 0 for one that does not run."""
    pid = int(box.inspect(name)["State"]["Pid"])
    return float(box.sh(f"ps -o etimes= -p {pid}")) if pid else 0.0


def _server_whose_command_names_another(box: Box) -> None:
    start = "exec httpd -f -p 15181"
    _server(box, "gate81", "/conf/httpd.conf:ro", start, "--config=/etc/httpd.conf")


@fault(UNREAD, subject="container:gate81", shareable=True)
def file_beside_the_one_of_the_command(box: Box) -> None:
    """The command names another path than the one of the mount; the command of
    the report mounts it where the program looks."""
    _server_whose_command_names_another(box)
    typed(box, first_command(box, UNREAD, "gate81"))
    assert "made-up" in box.docker("exec", "gate81", "cat", "/etc/httpd.conf").stdout
    box.docker("rm", "-f", "gate81")
    _server_whose_command_names_another(box)


@healthy(shareable=True)
def file_that_its_command_names(box: Box) -> None:
    """The same server with the file where its command says."""
    start = "exec httpd -f -p 15182"
    _server(box, "gate82", "/etc/httpd.conf:ro", start, "--config=/etc/httpd.conf")


@healthy(shareable=True)
def file_that_was_read_at_the_start(box: Box) -> None:
    """A start script reads the file; the kernel notes that, and nothing is said of it."""
    _server(box, "gate83", "/etc/gate.conf", "cat /etc/gate.conf; exec httpd -f -p 15183")
    assert not _advice(box, "gate83")


@healthy(shareable=True)
def file_that_nobody_read(box: Box) -> None:
    """Nobody reads the mounted file: that is advice. A reading by anybody ends it."""
    _server(box, "gate84", "/etc/gate.conf", "exec httpd -f -p 15184")
    assert _advice(box, "gate84")
    assert _advice(box, "gate84"), "the tool itself has read the file"
    box.docker("exec", "gate84", "cat", "/etc/gate.conf")
    assert not _advice(box, "gate84")


def _advice(box: Box, name: str) -> list[str]:
    run = box.diagnose("check", UNREAD, "--format", "json")
    return [finding["summary"] for finding in run.findings if finding["subject"]["name"] == name]
