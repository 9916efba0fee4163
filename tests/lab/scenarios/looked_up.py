"""Programs that fail where no command heals: the first command shows the thing that failed."""

from __future__ import annotations

import re

from tests.lab import Box, fault
from tests.lab.programs import load_server
from tests.lab.scenarios.named_settings import AT_START, ended
from tests.lab.scenarios.programs.helpers import GOOD, run

_LOOK = re.compile(r"^  to find out more: .*\n((?:      .*\n)+)", re.MULTILINE)


def _seen(box: Box, name: str) -> str:
    """What the first command shows that the report offers for a container which has ended."""
    report = box.diagnose("check", AT_START, "--container", name, env={"COLUMNS": "900"}).out
    look = _LOOK.search(report)
    assert look is not None, report
    return box.sh(look[1], check=False)


def _of_compose(box: Box, service: str, text: str) -> list[str]:
    """The labels by which compose knows a container again, of a file that is written here."""
    folder = f"/srv/{service}"
    box.write(f"{folder}/compose.yaml", text.encode())
    labels = {
        "project": service,
        "service": service,
        "project.working_dir": folder,
        "project.config_files": f"{folder}/compose.yaml",
    }
    return [f"--label=com.docker.compose.{name}={value}" for name, value in labels.items()]


@fault(AT_START, subject="container:writer63", shareable=True)
def right_that_a_user_of_redis_lacks(box: Box) -> None:
    """A real Redis refuses a command to a user; it is asked what it has refused, in its own
    container."""
    load_server(box, "redis-server", "redis:7.0")
    box.docker("network", "create", "shop63")
    rules = ["--save", "", "--user", "shop", "on", "nopass", "~*", "+get"]
    box.docker(
        "run", "-d", "--name=cache63", "--network=shop63", *GOOD, "redis:7.0",
        "redis-server", "--protected-mode", "no", *rules,
    )  # fmt: skip
    ping = ("exec", "cache63", "redis-cli", "ping")
    box.wait_for(lambda: "PONG" in box.docker(*ping, check=False).stdout, what="the server")
    call = (
        "redis-cli -h cache63 --user shop --pass made-up-blue set a 1 2>&1 | grep -v OK && exit 1"
    )
    run(box, "writer63", "--network=shop63", *GOOD, "redis:7.0", "sh", "-c", call)
    said = ended(box, "writer63")
    assert "NOPERM" in said, said
    refusal = _seen(box, "writer63")
    assert "username" in refusal
    assert "shop" in refusal


@fault(AT_START, subject="container:till63", shareable=True)
def number_without_a_name_in_a_project(box: Box) -> None:
    """A program cannot read a number and does not say which one: its service is shown."""
    text = "services:\n  till63:\n    image: bb:1.36\n    environment:\n      RETRIES: three\n"
    words = "echo 'System.FormatException: Input string was not in a correct format.'; exit 1"
    labels = _of_compose(box, "till63", text)
    run(box, "till63", *GOOD, *labels, "--env=RETRIES=three", "bb:1.36", "sh", "-c", words)
    assert "FormatException" in ended(box, "till63")
    assert "RETRIES: three" in _seen(box, "till63")


@fault(AT_START, subject="container:caller63", shareable=True)
def localhost_of_a_lonely_program(box: Box) -> None:
    """A program calls a database at localhost: no other start helps, its variables are shown."""
    words = "echo 'panic: dial tcp 127.0.0.1:3306: connect: connection refused'; exit 2"
    own = "--env=DB_ADDR=root:made-up-blue@127.0.0.1:3306"
    run(box, "caller63", *GOOD, own, "bb:1.36", "sh", "-c", words)
    assert "connection refused" in ended(box, "caller63")
    seen = _seen(box, "caller63")
    assert "127.0.0.1:3306" in seen
    assert "made-up-blue" not in seen


@fault(AT_START, subject="container:asker63", shareable=True)
def address_of_a_server_that_has_ended(box: Box) -> None:
    """A program calls an address that no container has now, and that the host does not reach."""
    words = "echo 'failed to open database - dial tcp 172.30.99.4:6432: connect: connection refused'; exit 1"
    run(box, "asker63", *GOOD, "bb:1.36", "sh", "-c", words)
    assert "connection refused" in ended(box, "asker63")
    assert "the host reaches it" not in _seen(box, "asker63")


@fault(AT_START, subject="container:broker64", shareable=True)
def peer_that_the_line_does_not_name(box: Box) -> None:
    """A program says only that its call was refused: the addresses that it is given are shown."""
    words = "echo 'kombu.exceptions.OperationalError: [Errno 111] Connection refused'; exit 1"
    own = "--env=BROKER=amqp://guest:made-up-blue@192.0.2.77:5672//"
    run(box, "broker64", *GOOD, own, "bb:1.36", "sh", "-c", words)
    assert "Connection refused" in ended(box, "broker64")
    seen = _seen(box, "broker64")
    assert "(login)@192.0.2.77:5672" in seen
    assert "made-up-blue" not in seen


@fault(AT_START, subject="container:broker65", shareable=True)
def peer_that_a_variable_looks_for_in_the_container(box: Box) -> None:
    """The same, and the only address that it is given is its own."""
    words = "echo 'kombu.exceptions.OperationalError: [Errno 111] Connection refused'; exit 1"
    own = "--env=BROKER=amqp://guest:made-up-blue@localhost:5672//"
    run(box, "broker65", *GOOD, own, "bb:1.36", "sh", "-c", words)
    assert "Connection refused" in ended(box, "broker65")
    said = box.diagnose("check", AT_START, "--container", "broker65").out
    assert "its variable BROKER leads to localhost:5672" in " ".join(said.split())
    assert "made-up-blue" not in said


@fault(AT_START, subject="container:speech64", shareable=True)
def code_under_a_mount(box: Box) -> None:
    """A folder of the host lies over the code of the image: both are listed."""
    made = "mkdir -p /app/api && echo 1 >/app/api/main.py"
    box.docker("run", "--name=made64", "bb:1.36", "sh", "-c", made)
    box.docker("commit", "made64", "speech64:1.0")
    box.docker("rm", "made64")
    box.write("/srv/voices64/one.wav", b"RIFF")
    words = "echo 'ERROR:    Error loading ASGI app. Could not import module \"api.main\".'; exit 1"
    own = ["--volume=/srv/voices64:/app/api", "--workdir=/app"]
    run(box, "speech64", *GOOD, *own, "speech64:1.0", "sh", "-c", words)
    assert "Could not import" in ended(box, "speech64")
    seen = _seen(box, "speech64")
    assert "one.wav" in seen
    assert "app/api/main.py" in seen


@fault(AT_START, subject="container:maria64", shareable=True)
def data_of_another_version(box: Box) -> None:
    """A database does not open its files: the version that wrote them stands beside its image."""
    box.write("/srv/maria64/mysql_upgrade_info", b"10.6.18-MariaDB")
    words = "echo '2026-03-04 10:09:10 140551 [ERROR] InnoDB: No valid checkpoint found.'; exit 1"
    own = "--volume=/srv/maria64:/var/lib/mysql"
    run(box, "maria64", *GOOD, own, "bb:1.36", "sh", "-c", words)
    assert "No valid checkpoint" in ended(box, "maria64")
    seen = _seen(box, "maria64")
    assert "10.6.18-MariaDB" in seen
    assert "image bb:1.36" in seen
