"""Real programs that end at their start over what lies around them: a script from Windows, another
user's output, libraries under a mount."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.programs import load_server
from tests.lab.scenarios.named_settings import AT_START, ended
from tests.lab.scenarios.programs.helpers import GOOD, run

IMAGE = "bb:1.36"


def _report(box: Box, name: str) -> tuple[str, str]:
    """What is found about a container that ended, and the first command that heals it."""
    findings = box.diagnose("check", AT_START, "--format", "json").findings
    (finding,) = [finding for finding in findings if finding["subject"]["name"] == name]
    return str(finding), next((step["command"] for step in finding["fix"]), "")


@fault(AT_START, subject="container:windows19", shareable=True)
def script_with_the_line_ends_of_windows(box: Box) -> None:
    """Written on a PC, mounted, and given to busybox' own shell."""
    box.write("/srv/windows19/start.sh", "#!/bin/sh\r\nset -e\r\nexec sleep 1000\r\n")
    mount = ("-v", "/srv/windows19/start.sh:/start.sh:ro")
    run(box, "windows19", *GOOD, *mount, IMAGE, "sh", "/start.sh")
    assert "illegal option -" in ended(box, "windows19")
    found, command = _report(box, "windows19")
    assert "the start script has the line ends of Windows" in found
    assert r"'s/\r$//' /srv/windows19/start.sh" in command, command


@fault(AT_START, subject="container:array19", shareable=True)
def script_for_bash_under_another_shell(box: Box) -> None:
    """Its first line names bash; its command names sh."""
    box.write("/srv/array19/start.sh", '#!/bin/bash\nnames=(a b)\nexec sleep "${#names[@]}000"\n')
    mount = ("-v", "/srv/array19/start.sh:/start.sh:ro")
    run(box, "array19", *GOOD, *mount, IMAGE, "sh", "/start.sh")
    assert "syntax error" in ended(box, "array19")
    assert "is written for bash" in _report(box, "array19")[0]


@fault(AT_START, subject="container:output19", shareable=True)
def output_that_belongs_to_another_user(box: Box) -> None:
    """The engine gives the output to root; the program opens it anew as another user."""
    script = "exec >/dev/stdout; exec sleep 1000"
    words = ("su", "-s", "/bin/sh", "app", "-c", script)
    run(box, "output19", "--memory=64m", IMAGE, *words)
    assert "/dev/stdout" in ended(box, "output19")
    assert "the program has changed to another user" in _report(box, "output19")[0]


@fault(AT_START, subject="container:covered19", shareable=True)
def folder_over_the_libraries_of_the_image(box: Box) -> None:
    """A real Redis, and a folder of the host over the libraries that it is linked with."""
    load_server(box, "redis-server", "redis:7.0")
    box.sh("mkdir -p /srv/covered19")
    run(box, "covered19", *GOOD, "-v", "/srv/covered19:/usr/lib:ro", "redis:7.0", "redis-server")
    assert "shared libraries" in ended(box, "covered19")
    found, command = _report(box, "covered19")
    assert "/srv/covered19, which is mounted at /usr/lib, hides what its image has there" in found
    assert command.startswith("diagnose recreate covered19 "), command


@fault(AT_START, subject="container:clone19", shareable=True)
def clone_that_ends_with_128(box: Box) -> None:
    """git ends with 128, which no signal does."""
    script = "echo 'fatal: could not read Username: No such device or address' >&2; exit 128"
    run(box, "clone19", *GOOD, IMAGE, "sh", "-c", script)
    assert "could not read" in ended(box, "clone19")


@fault(AT_START, subject="container:dotnet19", shareable=True)
def runtime_of_another_version(box: Box) -> None:
    """.NET ends with 150 where the image has another version of it, as a signal might."""
    says = "You must install or update .NET to run this application."
    run(box, "dotnet19", *GOOD, IMAGE, "sh", "-c", f"echo '{says}' >&2; exit 150")
    assert "update .NET" in ended(box, "dotnet19")
    found, _ = _report(box, "dotnet19")
    assert "another version of .NET" in found


@fault("container.option-missing", subject="container:wild19", also=[AT_START])
def own_name_on_the_network_of_the_host(box: Box) -> None:
    """A program in Java looks up its own host name, which is in no file of hosts."""
    says = "java.net.UnknownHostException: $n: $n: Name or service not known"
    script = (
        f'n=$(hostname); grep -q " $n" /etc/hosts && exec sleep 1000; echo "{says}" >&2; exit 1'
    )
    box.sh('sed -i "/$(hostname)/d" /etc/hosts')
    run(box, "wild19", *GOOD, "--network=host", IMAGE, "sh", "-c", script)
    assert "UnknownHostException" in ended(box, "wild19")
