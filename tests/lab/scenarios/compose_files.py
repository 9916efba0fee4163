"""What compose makes of its files in other ways than their authors think, by compose itself."""

from __future__ import annotations

from tests.lab import Box, fault, healthy, images
from tests.lab.images import Recipe
from tests.lab.programs import install_compose
from tests.lab.scenarios.everyday.helpers import first_command

_SAFE = """    mem_limit: 64m
    pids_limit: 64
    user: "1000"
    cap_drop: [ALL]
    security_opt: ["no-new-privileges"]
"""
_WEB = f"  web:\n    image: shop:1.4\n{_SAFE}"
_MIGRATE = b"#!/bin/sh\necho applying 3 migrations\necho done\n"
_SERVE = b"#!/bin/sh\necho serving\nexec httpd -f -p 8080 -h /www\n"


def _write(box: Box, folder: str, services: str, name: str = "compose.yaml") -> None:
    box.sh(f"mkdir -p {folder}")
    box.write(f"{folder}/{name}", services)


def _compose(box: Box, folder: str, words: str) -> str:
    return box.sh(f"cd {folder} && docker compose {words} 2>&1 </dev/null || true")


def _prepare(box: Box) -> None:
    images.load(box, "shop:1.4")
    install_compose(box)


@fault("network.port-allocated", subject="container:twice61-web-*")
def two_containers_of_a_service_with_one_port(box: Box) -> None:
    """A service was scaled to two, and its file names one port; the command keeps the first."""
    _prepare(box)
    _write(box, "/srv/twice61", f"services:\n{_WEB}    ports: ['18061:8080']\n")
    said = _compose(box, "/srv/twice61", "up --detach --scale web=2")
    assert "port is already allocated" in said
    listed = ["ps", "--all", "--filter=status=created", "--format={{.Names}}"]
    second = box.docker(*listed).stdout.strip()
    assert first_command(box, "network.port-allocated", second) == f"docker rm {second}"


@fault("network.port-allocated", subject="container:added62-web-1")
def ports_of_an_override_file(box: Box) -> None:
    """An override file was to replace a port, and compose adds it to the first one."""
    _prepare(box)
    _write(box, "/srv/other62", f"services:\n{_WEB}    ports: ['18062:8080']\n")
    _compose(box, "/srv/other62", "up --detach")
    _write(box, "/srv/added62", f"services:\n{_WEB}    ports: ['18062:8080']\n")
    override = "services:\n  web:\n    ports: ['18063:8080']\n"
    _write(box, "/srv/added62", override, "compose.override.yaml")
    assert "port is already allocated" in _compose(box, "/srv/added62", "up --detach")


@fault(
    "container.command-without-shell",
    subject="container:joined63-api-1",
    also=["container.daemonized", "container.restart-loop"],
)
def command_that_compose_cuts(box: Box) -> None:
    """`command: migrate && serve`: the server is never started, and the migration runs again and
    again. The command of the report gives it a shell."""
    install_compose(box)
    files = {"usr/bin/migrate": (_MIGRATE, 0o755), "usr/bin/serve": (_SERVE, 0o755)}
    images.load(box, "api63:2", Recipe(files=files))
    service = f"  api:\n    image: api63:2\n{_SAFE}    restart: unless-stopped\n"
    more = "    command: migrate && serve\n    ports: ['18064:8080']\n"
    _write(box, "/srv/joined63", f"services:\n{service}{more}")
    _compose(box, "/srv/joined63", "up --detach")
    name = "joined63-api-1"
    box.wait_for(lambda: box.inspect(name)["RestartCount"] > 3, what="the service to loop")


@fault("storage.volume-options-outdated", subject="volume:moved64_data")
def options_of_a_volume_that_was_there(box: Box) -> None:
    """The folder of a volume was changed in the file; the command of the report brings it."""
    _prepare(box)
    box.sh("mkdir -p /srv/old64 /srv/new64; echo old >/srv/old64/page; echo new >/srv/new64/page")
    _write(box, "/srv/moved64", _with_volume("/srv/old64"))
    _compose(box, "/srv/moved64", "up --detach")
    box.sh("touch --date='-1 hour' /srv/moved64/compose.yaml")
    _write(box, "/srv/moved64", _with_volume("/srv/new64"))
    box.sh("touch --date='+1 minute' /srv/moved64/compose.yaml")
    _compose(box, "/srv/moved64", "up --detach")
    assert box.docker("exec", "moved64-web-1", "cat", "/data/page").stdout == "old\n"


@fault("network.port-not-published", subject="container:job66-web-run-*")
def service_that_compose_runs_once(box: Box) -> None:
    """A service was started with `docker compose run`: its port is published by nobody."""
    _prepare(box)
    _write(box, "/srv/job66", f"services:\n{_WEB}    ports: ['18067:8080']\n")
    _compose(box, "/srv/job66", "run --detach web")
    assert "18067" not in box.docker("ps", "--format={{.Ports}}").stdout


@healthy(advice=None)
def commands_that_compose_runs_once(box: Box) -> None:
    """Jobs beside a service that runs, one with the service's ports, and a service without any."""
    _prepare(box)
    _write(
        box,
        "/srv/job67",
        f"services:\n{_WEB}    ports: ['18068:8080']\n{_WEB.replace('web', 'quiet')}",
    )
    _compose(box, "/srv/job67", "up --detach web")
    _compose(box, "/srv/job67", "run --detach web sleep 1000")
    _compose(box, "/srv/job67", "run --detach quiet sleep 1000")
    _write(box, "/srv/job68", f"services:\n{_WEB}    ports: ['18069:8080']\n")
    _compose(box, "/srv/job68", "run --detach --service-ports web")
    assert len(box.docker("ps", "--quiet", "--filter=name=-run-").stdout.split()) == 3


def _with_volume(device: str) -> str:
    options = f"{{type: none, o: bind, device: {device}}}"
    volumes = f"volumes:\n  data:\n    driver_opts: {options}\n"
    return f"services:\n{_WEB}    volumes: ['data:/data']\n{volumes}"


@healthy(advice=None)
def files_that_mean_what_they_say(box: Box) -> None:
    """A service in two containers with a range of ports, a command in a shell, a job that is done,
    a volume as its file has it, and an override that replaces."""
    _prepare(box)
    job = f"  job:\n    image: shop:1.4\n{_SAFE}    command: sh -c 'true && echo done'\n"
    range_ = f"{_WEB}    ports: ['18065-18066:8080']\n"
    volume = "    volumes: ['data:/data']\n"
    options = "volumes:\n  data:\n    driver_opts: {type: none, o: bind, device: /srv/kept65}\n"
    box.sh("mkdir -p /srv/kept65")
    _write(box, "/srv/plain65", f"services:\n{job}{range_}{volume}{options}")
    _compose(box, "/srv/plain65", "up --detach --scale web=2")
    box.sh("touch --date='+1 minute' /srv/plain65/compose.yaml")
    assert box.docker("ps", "--quiet", "--filter=name=plain65-web").stdout.count("\n") == 2
