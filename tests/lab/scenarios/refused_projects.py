"""Compose files that compose refuses, by compose itself."""

from tests.lab import Box, fault, healthy, images
from tests.lab.programs import install_compose
from tests.lab.scenarios.everyday.helpers import first_command

CHECK = "container.compose-file-refused"
_WEB = """services:
  web:
    image: shop:1.4
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
"""


def _write(box: Box, folder: str, text: str) -> None:
    images.load(box, "shop:1.4")
    install_compose(box)
    box.write(f"/srv/{folder}/compose.yaml", text)


def _compose(box: Box, folder: str, words: str) -> str:
    return box.sh(f"cd /srv/{folder} && docker compose {words} 2>&1 || true", timeout=60)


def _change(box: Box, folder: str, text: str, said: str) -> None:
    """Start a project, change its file, and hear what compose says of it."""
    _write(box, folder, _WEB)
    assert "Started" in _compose(box, folder, "up --detach")
    box.write(f"/srv/{folder}/compose.yaml", text)
    assert said in _compose(box, folder, "up --detach")


@fault(CHECK, subject="container:slip41-web-1", shareable=True)
def key_with_a_slip(box: Box) -> None:
    """A port was added to a running service, with a slip; the first command mends and starts it."""
    text = _WEB + "    prots: ['18441:8080']\n"
    _change(box, "slip41", text, "additional properties 'prots' not allowed")
    box.sh(f"{first_command(box, CHECK, 'slip41-web-1')} 2>&1", timeout=60)
    assert box.inspect("slip41-web-1")["HostConfig"]["PortBindings"]
    _change(box, "slip41", text, "additional properties 'prots' not allowed")


@fault(CHECK, subject="container:indent42-web-1", exit_code=None)
def line_that_is_not_indented_enough(box: Box) -> None:
    """Somebody added a list, one space to the left of its neighbours: the file is not YAML."""
    _change(box, "indent42", _WEB + "   environment:\n    - A=1\n", "yaml: line")


@fault(CHECK, subject="container:env43-web-1", shareable=True)
def env_file_that_was_not_copied(box: Box) -> None:
    """A release names an env file that lies on another machine."""
    _change(box, "env43", _WEB + "    env_file: prod.env\n", "prod.env not found")


@fault(CHECK, subject="host:host", shareable=True)
def network_that_no_proxy_has_made(box: Box) -> None:
    """The first start of a project ends at a network that a proxy elsewhere makes."""
    external = "    networks: [edge44]\nnetworks:\n  edge44:\n    external: true\n"
    _write(box, "edge44", _WEB + external)
    assert "declared as external" in _compose(box, "edge44", "up --detach")


@fault(CHECK, subject="host:host", exit_code=1)
def name_that_another_project_has(box: Box) -> None:
    """Two projects call their database db; compose makes a network for the second, and ends."""
    named = _WEB + "    container_name: db45\n"
    for folder in ("first45", "second45"):
        _write(box, folder, named)
        said = _compose(box, folder, "up --detach")
    assert "is already in use by container" in said
    assert "second45_default" in box.docker("network", "ls").stdout


@fault(CHECK, subject="host:host", exit_code=1)
def name_of_a_container_that_has_ended(box: Box) -> None:
    """A container that somebody ran by hand long ago still has the name of a service."""
    box.docker("run", "--name=db46", "bb:1.36", "true")
    _write(box, "shop46", _WEB + "    container_name: db46\n")
    assert "is already in use by container" in _compose(box, "shop46", "up --detach")
    said = box.diagnose("check", CHECK).joined
    assert "docker rename db46 db46-" in said, said


_SUBNET = """    networks: [backend]
networks:
  backend:
    ipam:
      config:
        - subnet: %s
"""


@fault(CHECK, subject="host:host")
def subnet_that_another_project_has(box: Box) -> None:
    """The subnet of a new project lies in that of another one; the command writes a free one."""
    _write(box, "stock47", _WEB + _SUBNET % "10.147.0.0/20")
    assert "Started" in _compose(box, "stock47", "up --detach")
    for folder in ("blog47", "wiki47"):
        _write(box, folder, _WEB + _SUBNET % "10.147.5.0/24")
        assert "Pool overlaps" in _compose(box, folder, "up --detach")
    said = box.diagnose("check", CHECK, "--format", "json").findings
    for finding in said:
        assert 'overlaps network "stock47_backend"' in finding["summary"], finding
    cure = next(finding for finding in said if "wiki47" in finding["summary"])["fix"][0]["command"]
    box.sh(cure)
    assert "Started" in _compose(box, "wiki47", "up --detach")


@healthy()
def projects_of_which_one_has_the_subnet(box: Box) -> None:
    """Two versions of a project have the same subnet, and only one of them is to run."""
    for folder in ("blue48", "green48"):
        _write(box, folder, _WEB + _SUBNET % "10.148.5.0/24")
    box.sh("touch -d '3 hours ago' /srv/green48/compose.yaml")
    assert "Started" in _compose(box, "blue48", "up --detach")


@healthy()
def files_that_compose_takes(box: Box) -> None:
    """Anchors, long and short forms, quoted numbers, a profile, extensions, an optional env file,
    an override with a part of a service, a project that was never started, and an external network
    that is there."""
    text = """x-common: &common
  image: shop:1.4
  init: true
  mem_limit: 64m
  pids_limit: 64
  restart: "no"
services:
  web:
    <<: *common
    command: ["sleep", "1000"]
    environment: {DEBUG: true, RATE: 1.5, EMPTY: , NAME: "${NAME:-shop}"}
    env_file: [{path: ./none.env, required: false}]
    networks: {default: {aliases: [www]}, edge46: }
    volumes: ["data:/data", {type: tmpfs, target: /run/shop}]
    healthcheck: {test: ["CMD", "true"], interval: 1m30s, retries: 3}
    logging: {driver: json-file, options: {max-size: 10m, max-file: "3"}}
    x-team: shop
  tools:
    <<: *common
    profiles: [tools]
    depends_on: {web: {condition: service_started}, gone: {condition: service_started, required: false}}
volumes:
  data:
networks:
  edge46: {external: true}
"""
    box.docker("network", "create", "edge46")
    _write(box, "well46", text)
    assert "Started" in _compose(box, "well46", "up --detach")
    box.write("/srv/well46/compose.yaml", text + "# changed since\n")
    assert _compose(box, "well46", "config --quiet") == ""
    box.write("/srv/never46/compose.yaml", _WEB)


_SERVICE = _WEB.partition("  web:\n")[2]
_MIGRATED = _WEB + "    depends_on: [migrations]\n  migrations:\n" + _SERVICE
_DB = "  db:\n" + _SERVICE


@fault(CHECK, subject="container:shop49-db-1")
def neighbour_whose_profile_is_off(box: Box) -> None:
    """A job that a service waits for has got a profile; the first command starts both."""
    _write(box, "shop49", "services:\n" + _DB)
    assert "Started" in _compose(box, "shop49", "up --detach")
    text = _MIGRATED + "    profiles: [ci]\n" + _DB
    box.write("/srv/shop49/compose.yaml", text)
    assert "migrations" in _compose(box, "shop49", "up --detach")
    assert "shop49-web-1" not in box.docker("ps", "--all").stdout
    command = first_command(box, CHECK, "shop49-db-1")
    box.sh(f"{command} 2>&1", timeout=60)
    assert box.inspect("shop49-web-1")["State"]["Running"]
    _compose(box, "shop49", "--profile ci rm --stop --force web migrations")


@healthy(advice=None)
def neighbour_whose_profile_is_on(box: Box) -> None:
    """Profiles that `.env` or the caller names, and one that its neighbour can do without."""
    text = _MIGRATED + "    profiles: [ci]\n" + _DB
    for folder, dotenv, option in (
        ("on50", "COMPOSE_PROFILES=ci\n", ""),
        ("on51", "", "--profile ci"),
    ):
        _write(box, folder, text)
        box.write(f"/srv/{folder}/.env", dotenv)
        assert "Started" in _compose(box, folder, f"{option} up --detach")
        box.sh(f"touch /srv/{folder}/compose.yaml")
    optional = text.replace(
        "[migrations]", "{migrations: {condition: service_started, required: false}}"
    )
    _write(box, "on52", optional)
    assert "Started" in _compose(box, "on52", "up --detach")
