"""Data in a place that nobody meant, or that nothing keeps; and look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import install_compose
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import MACHINE, run

LEFT, OUTSIDE, UNKEPT = (
    "container.data-left-behind",
    "container.data-outside-mount",
    "container.data-unkept",
)
_KEEPER = b"""#!/bin/sh
# a program that keeps its data in the folder that it is told
mkdir -p "$KEEPS"
[ -e "$KEEPS/shop.db" ] || head -c 300000 /dev/urandom >"$KEEPS/shop.db"
exec sleep 1000
"""
_SERVICE = """services:
  keeper:
    image: keeper:3
    environment: {{KEEPS: /data}}
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
    volumes: ["{place}:/data"]
"""


def _image(box: Box, name: str = "keeper:3", *changes: str) -> None:
    load(box, name, Recipe({"keeper": (_KEEPER, 0o755)}, ('ENTRYPOINT ["/keeper"]', *changes)))


def _up(box: Box, folder: str, place: str, more: str = "") -> None:
    """A project of compose whose service has this place for its data."""
    box.write(f"{folder}/compose.yaml", _SERVICE.format(place=place) + more)
    box.sh(f"cd {folder} && docker compose up --detach 2>&1")
    name = f"{folder.rpartition('/')[2]}-keeper-1"
    _wait_for_data(box, name, "/data")


def _wait_for_data(box: Box, name: str, folder: str) -> None:
    box.wait_for(lambda: _has_data(box, name, folder), what="the data to be written")


def _has_data(box: Box, name: str, folder: str) -> bool:
    return "shop.db" in box.docker("exec", name, "ls", folder, check=False).stdout


def _old_data(box: Box, folder: str) -> None:
    """What the program had there until a few days ago."""
    box.sh(f"mkdir -p {folder} && head -c 900000 /dev/urandom >{folder}/shop.db")
    box.sh(f"touch -d '3 days ago' {folder}/shop.db")


@fault(
    LEFT,
    subject="container:wiki81-keeper-1",
    expect=[(LEFT, "container:photos81-keeper-1"), (LEFT, "container:books81-keeper-1")],
)
def folders_that_were_meant(box: Box) -> None:
    """A volume where a folder was meant, the home of root, a variable that is not set; the first
    command of the report brings the folder back."""
    install_compose(box)
    _image(box)
    _old_data(box, "/srv/wiki81/data")
    _up(box, "/srv/wiki81", "data", "volumes: {data: {}}\n")
    _old_data(box, "/home/alice/photos")
    _up(box, "/home/alice/photos81", "~/photos")
    _old_data(box, "/srv/books81/library")
    _up(box, "/srv/books81", "${BOOKS}/library")
    command = first_command(box, LEFT, "books81-keeper-1")
    assert command.endswith("--volume=/srv/books81/library:/data | sh"), command


@healthy()
def folders_that_are_meant(box: Box) -> None:
    """Data that was moved into a volume beside the former folder; the sources of a site."""
    install_compose(box)
    _image(box)
    _old_data(box, "/srv/wiki91/data")
    box.sh("docker volume create wiki91_data")
    store = box.docker(
        "volume", "inspect", "--format={{.Mountpoint}}", "wiki91_data"
    ).stdout.strip()
    box.sh(f"cp -a /srv/wiki91/data/. {store}")
    _up(box, "/srv/wiki91", "data", "volumes: {data: {}}\n")
    _old_data(box, "/srv/site91/static")
    _up(box, "/srv/site91", "static", "volumes: {static: {}}\n")


def _run_alone(box: Box, name: str, volume: str) -> None:
    """The program without compose: its image has a file of its own where the data is."""
    load(
        box,
        "keeper:4",
        Recipe(
            {"keeper": (_KEEPER, 0o755), "data/README": (b"put the shop here\n", 0o644)},
            ('ENTRYPOINT ["/keeper"]', "ENV KEEPS=/data"),
        ),
    )
    box.docker(
        "run", "-d", f"--name={name}", "--init", "--memory=64m", "--pids-limit=64",
        "--restart=unless-stopped", f"--volume={volume}:/data", "keeper:4",
    )  # fmt: skip
    _wait_for_data(box, name, "/data")


@fault(LEFT, subject="container:wiki85")
def name_of_a_folder_without_its_path(box: Box) -> None:
    """`docker run -v shop85:/data` was called beside the folder shop85: the name is a volume. The
    first command of the report brings the folder back."""
    _old_data(box, "/srv/wiki84/shop84")
    _run_alone(box, "wiki84", "shop84")
    typed(box, first_command(box, LEFT, "wiki84"))
    assert box.inspect("wiki84")["Mounts"][0]["Source"] == "/srv/wiki84/shop84"
    _old_data(box, "/srv/wiki85/shop85")
    _run_alone(box, "wiki85", "shop85")


@healthy()
def names_of_volumes_that_are_meant(box: Box) -> None:
    """Volumes by `docker run`: no folder has the name, or it has other files, or two have it."""
    _run_alone(box, "wiki86", "shop86")
    box.sh("mkdir -p /srv/wiki87/shop87 && echo x >/srv/wiki87/shop87/notes.txt")
    _run_alone(box, "wiki87", "shop87")
    for folder in ("/srv/wiki88/shop88", "/opt/wiki88/shop88"):
        _old_data(box, folder)
    _run_alone(box, "wiki88", "shop88")


@fault(OUTSIDE, subject="container:reader81")
def mount_at_another_path_than_the_images(box: Box) -> None:
    """A newer image keeps its data in /reader/config, and the mount is at /reader/data; the first
    command of the report brings the data into it."""
    _image(box, "reader:7", "VOLUME /reader/config", "ENV KEEPS=/reader/config")
    run(box, "reader81", "--memory=64m", "-v", "/srv/reader81:/reader/data", "reader:7")
    _wait_for_data(box, "reader81", "/reader/config")
    command = first_command(box, OUTSIDE, "reader81")
    assert "docker cp --archive reader81:/reader/config/. /srv/reader81" in command, command
    assert command.endswith("--volume=/srv/reader81:/reader/config | sh"), command


_KEPT = ("run", "-d", "--memory=64m", "--pids-limit=64", "--restart=unless-stopped")


@fault(
    UNKEPT,
    subject="container:layer81",
    expect=[(UNKEPT, "container:memory81"), (UNKEPT, "container:boot81")],
)
def databases_that_nothing_keeps(box: Box) -> None:
    """A database in the container's layer, in a tmpfs, below /tmp; the first command of the report
    puts two of them into a volume."""
    _image(box)
    keeps = "--env=KEEPS=/app/db"
    for name, *place in (
        ("layer81",),
        ("memory81", "--tmpfs=/app/db"),
        ("boot81", "-v", "/tmp/boot81:/app/db"),
    ):
        box.docker(*_KEPT, f"--name={name}", keeps, *place, "keeper:3")
        _wait_for_data(box, name, "/app/db")
    command = first_command(box, UNKEPT, "layer81")
    assert "docker cp --archive layer81:/app/db/. $(docker volume inspect" in command, command
    assert command.endswith("recreate layer81 -- --volume=layer81-db:/app/db | sh"), command
    command = first_command(box, UNKEPT, "boot81")
    assert command.endswith("--unmount /app/db -- --volume=boot81-db:/app/db | sh"), command


@healthy()
def databases_in_their_places(box: Box) -> None:
    """A database in a volume, a cache in memory, a small database of a program that has a volume,
    and a job that nobody restarts."""
    _image(box)
    box.docker(*_KEPT, "--name=kept91", "--env=KEEPS=/data", "-v", "kept91:/data", "keeper:3")
    box.docker(*_KEPT, "--name=cache91", "--env=KEEPS=/var/cache/app", "--tmpfs=/run", "keeper:3")
    box.docker(*_KEPT[:-1], "--name=job91", "--env=KEEPS=/app/db", "keeper:3")


_SETTINGS = """#!/bin/sh
# writes such files when it starts for the first time, as a program with a page of its own does
mkdir -p "$1" && cd "$1"
shift
for file; do [ -e "$file" ] || echo '{"by": "hand"}' >"$file"; done
exec httpd -f -p 8091
"""


def _with_settings(box: Box, name: str, port: int, *words: str) -> None:
    """A program with a published page that keeps such files: the folder, and the names."""
    load(box, "gateway:9.3", Recipe({"gateway": (_SETTINGS.encode(), 0o755)}))
    box.docker(*_KEPT, f"--name={name}", "-p", f"{port}:8091", "gateway:9.3", "/gateway", *words)
    box.wait_for(
        lambda: words[-1] in box.docker("exec", name, "ls", words[0], check=False).stdout,
        what="the settings",
    )


@fault(UNKEPT, subject="container:zwave83", expect=[(UNKEPT, "container:wiki83")])
def small_settings_that_nothing_keeps(box: Box) -> None:
    """Settings and accounts of a few bytes are in the layer; the first command keeps them."""
    _with_settings(box, "zwave83", 18191, "/usr/src/app/store", "settings.json", "nodes.json")
    _with_settings(box, "wiki83", 18192, "/app/data", "users.json")
    command = first_command(box, UNKEPT, "wiki83")
    assert command.endswith("recreate wiki83 -- --volume=wiki83-data:/app/data | sh"), command


@healthy()
def settings_that_a_start_script_writes(box: Box) -> None:
    """One file of settings is written at each start, and a page has one of its own."""
    _with_settings(box, "shop93", 18193, "/app/config", "settings.json", "app.js")
    _with_settings(box, "page93", 18194, "/usr/share/nginx/html", "config.json", "users.json")


def _mail_server(box: Box, name: str, *options: str) -> None:
    """A program that takes itself for Postfix, with a mail that it could not hand over."""
    queue = "/var/spool/postfix/deferred"
    own = (
        "--memory=64m",
        "--pids-limit=64",
        "--restart=always",
        *MACHINE,
        "-v",
        f"{name}:/var/mail",
    )
    run(box, name, *own, *options, "bb:1.36", "/usr/bin/python3", "-c", _AS_MASTER)
    look = ("exec", name, "cat", f"{queue}/4/4F5A6B7C8D", "/proc/1/comm")
    box.wait_for(lambda: "master" in box.docker(*look, check=False).stdout, what="the queue")


_AS_MASTER = """
import ctypes, os, time
os.makedirs("/var/spool/postfix/deferred/4", exist_ok=True)
open("/var/spool/postfix/deferred/4/4F5A6B7C8D", "w").close()
ctypes.CDLL(None).prctl(15, b"master", 0, 0, 0)
time.sleep(1000)
"""


@fault(UNKEPT, subject="container:mail81", shareable=True)
def mails_that_go_with_their_container(box: Box) -> None:
    """The mailboxes are in a volume, and the queue is not; the commands put it into one."""
    _mail_server(box, "mail81")
    command = first_command(box, UNKEPT, "mail81")
    assert "docker volume create mail81-postfix" in command, command


@healthy(shareable=True)
def mails_in_a_volume(box: Box) -> None:
    """The same with a volume for the queue."""
    _mail_server(box, "mail82", "-v", "mail82-queue:/var/spool/postfix")
