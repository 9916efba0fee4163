"""Compose files that say another thing than what runs, by compose itself."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy, images
from tests.lab.programs import install_compose
from tests.lab.scenarios.everyday.helpers import first_command

NUMBER, ABSENT, OVERRIDE, OUTDATED, LAYER = (
    "container.number-misread",
    "container.service-not-started",
    "container.override-unused",
    "container.settings-outdated",
    "container.data-in-own-layer",
)
_SERVICE = """  {name}:
    image: shop:1.4
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
"""


def _write(box: Box, folder: str, text: str, name: str = "compose.yaml") -> None:
    images.load(box, "shop:1.4")
    install_compose(box)
    box.write(f"/srv/{folder}/{name}", text)


def _compose(box: Box, folder: str, words: str) -> str:
    return box.sh(f"cd /srv/{folder} && docker compose {words} 2>&1", timeout=60)


def _service(name: str, *lines: str) -> str:
    return _SERVICE.format(name=name) + "".join(f"    {line}\n" for line in lines)


_IDLE = 'command: ["sleep", "1000"]'
_CALLS = 'command: ["sh", "-c", "while :; do wget -q -O- http://worker:8080/; sleep 1; done"]'


def _alarm(pin: str) -> str:
    variables = ("environment:", f"  ALARM_PIN: {pin}", "  UMASK: 022 # of the host", "  RATE: 1.0")
    return "services:\n" + _service("alarm", _IDLE, *variables)


@fault(NUMBER, subject="container:codes1-alarm-1", shareable=True)
def number_with_a_leading_zero(box: Box) -> None:
    """A PIN and a mask without quotes are octal numbers; the first command puts them in quotes."""
    _write(box, "codes1", _alarm("0123456"))
    _compose(box, "codes1", "up --detach")
    variables = box.inspect("codes1-alarm-1")["Config"]["Env"]
    assert "ALARM_PIN=42798" in variables
    assert "UMASK=18" in variables
    box.sh(f"{first_command(box, NUMBER, 'codes1-alarm-1')} 2>&1", timeout=60)
    variables = box.inspect("codes1-alarm-1")["Config"]["Env"]
    assert "ALARM_PIN=0123456" in variables
    assert "UMASK=022" in variables
    _write(box, "codes1", _alarm("0123456"))
    _compose(box, "codes1", "up --detach")


@healthy(shareable=True)
def number_in_quotes(box: Box) -> None:
    """The same values in quotes, in a list, and as numbers that mean the same."""
    quoted = ("environment:", '  PIN: "0123456"', "  RATE: 1.0", "  SIZE: 0x1F", "  COUNT: 1_000")
    listed = ("environment:", "  - PIN=0123456", "  - UMASK=022")
    text = _service("alarm", _IDLE, *quoted) + _service("door", _IDLE, *listed)
    _write(box, "codes2", f"services:\n{text}")
    _compose(box, "codes2", "up --detach")
    assert "PIN=0123456" in box.inspect("codes2-alarm-1")["Config"]["Env"]


def _with_worker(profile: str = "profiles: [full]") -> str:
    worker = _service("worker", 'command: ["httpd", "-f", "-p", "8080"]', profile)
    return "services:\n" + _service("web", _CALLS) + worker


@fault(ABSENT, subject="container:jobs1-worker-1", exit_code=2)
def profile_that_is_off(box: Box) -> None:
    """A service calls another one whose profile nobody has switched on; the command starts it."""
    for folder in ("jobs0", "jobs1"):
        _write(box, folder, _with_worker())
        _compose(box, folder, "up --detach")
        _wait_for_bad_address(box, f"{folder}-web-1")
        if folder == "jobs0":
            box.sh(f"{first_command(box, ABSENT, 'jobs0-worker-1')} 2>&1", timeout=60)
            assert box.inspect("jobs0-worker-1")["State"]["Running"]
            _compose(box, folder, "--profile full down --timeout 1")


def _wait_for_bad_address(box: Box, name: str) -> None:
    box.wait_for(
        lambda: box.docker("logs", "--since=3s", name).stderr.count("bad address") >= 2,
        what="the name to fail",
    )


@fault(ABSENT, subject="container:jobs2-worker-1", exit_code=2)
def service_that_only_its_neighbour_of_the_command_line_has(box: Box) -> None:
    """`docker compose up web` has started one service of two."""
    _write(box, "jobs2", _with_worker("tty: false"))
    _compose(box, "jobs2", "up --detach web")
    _wait_for_bad_address(box, "jobs2-web-1")


@healthy(advice=None)
def profile_that_nobody_needs(box: Box) -> None:
    """A profile for tools is off, and another service has the name that is called."""
    tools = _service("tools", _IDLE, "profiles: [debug]")
    spare = _service("worker", _IDLE, "profiles: [spare]")
    other = _service(
        "queue",
        'command: ["httpd", "-f", "-p", "8080"]',
        "networks: {default: {aliases: [worker]}}",
    )
    _write(box, "jobs3", "services:\n" + _service("web", _CALLS) + other + tools + spare)
    _compose(box, "jobs3", "up --detach")
    assert "jobs3-tools-1" not in box.docker("ps", "--all").stdout


_CPUS_OF_64 = "cpus: '64.0'"


@fault(ABSENT, subject="container:cpus4-worker-1", exit_code=1)
def more_cpus_than_the_host_has(box: Box) -> None:
    """The engine refuses the service that somebody has added: it asks for more CPUs."""
    text = "services:\n" + _service("web", _IDLE)
    _write(box, "cpus4", text)
    _compose(box, "cpus4", "up --detach")
    box.write("/srv/cpus4/compose.yaml", text + _service("worker", _IDLE, _CPUS_OF_64))
    said = box.sh("cd /srv/cpus4 && docker compose up --detach 2>&1 || true", timeout=60)
    assert "CPUs" in said, said
    assert box.inspect("cpus4-web-1")["State"]["Running"]


@fault(ABSENT, subject="container:bytes5-worker-1", exit_code=1)
def memory_without_its_unit(box: Box) -> None:
    """Somebody wrote 512 where 512m is meant, and the engine refuses the container."""
    worker = _service("worker", _IDLE).replace("mem_limit: 64m", "mem_limit: 512")
    _write(box, "bytes5", "services:\n" + _service("web", _IDLE) + worker)
    _compose(box, "bytes5", "up --detach web")
    said = box.sh("cd /srv/bytes5 && docker compose up --detach 2>&1 || true", timeout=60)
    assert "6MB" in said, said


@healthy(advice=None)
def limits_that_nobody_meets(box: Box) -> None:
    """A service for large hosts has a profile that is off, another one was left out by the names of
    those to start, and one asks for all CPUs."""
    cpus = box.sh("nproc").strip()
    large = _service("train", _IDLE, _CPUS_OF_64, "profiles: [large]")
    all_cpus = _service("web", _IDLE, f"cpus: '{cpus}'")
    _write(box, "cpus6", "services:\n" + all_cpus + large)
    _compose(box, "cpus6", "up --detach")
    assert box.inspect("cpus6-web-1")["State"]["Running"]
    _write(box, "cpus7", "services:\n" + all_cpus + _service("train", _IDLE, _CPUS_OF_64))
    _compose(box, "cpus7", "up --detach web")
    assert box.inspect("cpus7-web-1")["State"]["Running"]


_OVER = (
    "services: {web: {ports: ['18391:8080'], environment: {BASE_URL: 'https://shop.example'}}}\n"
)


@fault(OVERRIDE, subject="container:over1-web-1", exit_code=0)
def override_that_a_script_leaves_out(box: Box) -> None:
    """An update script names its one file; the first command applies the override too."""
    _write(box, "over1", "services:\n" + _service("web"), "docker-compose.yml")
    _write(box, "over1", _OVER, "docker-compose.override.yml")
    _compose(box, "over1", "-f docker-compose.yml up --detach")
    assert not box.inspect("over1-web-1")["HostConfig"]["PortBindings"]
    box.sh(f"{first_command(box, OVERRIDE, 'over1-web-1')} 2>&1", timeout=60)
    assert box.inspect("over1-web-1")["HostConfig"]["PortBindings"]
    _compose(box, "over1", "-f docker-compose.yml up --detach")


@healthy(advice=None)
def override_for_development(box: Box) -> None:
    """An override that shows the sources is left out; another project reads its own."""
    _write(box, "over2", "services:\n" + _service("web"), "docker-compose.yml")
    _write(
        box,
        "over2",
        "services: {web: {volumes: ['.:/src'], ports: ['18392:8080']}}\n",
        "docker-compose.override.yml",
    )
    _compose(box, "over2", "-f docker-compose.yml up --detach")
    _write(box, "over3", "services:\n" + _service("web"), "docker-compose.yml")
    _write(box, "over3", _OVER, "docker-compose.override.yml")
    _compose(box, "over3", "up --detach")
    assert box.inspect("over3-web-1")["HostConfig"]["PortBindings"]


@healthy(advice=None)
def overrides_of_developers(box: Box) -> None:
    """Production names its one file; the overrides beside it are for development."""
    for number, text in enumerate(
        (
            "environment: {NODE_ENV: development}, ports: ['18395:9229']",
            "command: npm run dev, ports: ['18396:9229']",
            "environment: [FLASK_DEBUG=1], ports: ['18397:5678']",
        )
    ):
        name = f"over{number + 4}"
        _write(box, name, "services:\n" + _service("web"), "docker-compose.yml")
        override = f"services: {{web: {{{text}}}}}\n"
        _write(box, name, override, "docker-compose.override.yml")
        _compose(box, name, "-f docker-compose.yml up --detach")
        run = box.diagnose("check", OVERRIDE, "--format", "json")
        assert not run.findings, run.findings


@fault(ABSENT, subject="container:given1-queue-1")
def container_that_the_engine_refuses(box: Box) -> None:
    """`docker compose up` was refused one container of three, and has started none."""
    _write(
        box,
        "given1",
        "services:\n"
        + _service("web")
        + _service("db", _IDLE)
        + _service("queue", _IDLE, "volumes: ['q:/data']", "depends_on: [web, db]"),
    )
    _compose(box, "given1", "up --detach || true")
    states = box.docker("ps", "--all", "--format={{.Names}} {{.State}}", "--filter=name=given1")
    assert "queue" not in states.stdout
    assert states.stdout.count(" created") == 2
    box.sh("sleep 31", timeout=60)
    command = first_command(box, ABSENT, "given1-queue-1")
    assert "mount path must be absolute" in box.sh(f"{command} 2>&1 || true", timeout=60)


@healthy(advice=None)
def project_that_is_only_created(box: Box) -> None:
    """A project was created to be started later, and a job of it has its profile off."""
    tools = _service("tools", _IDLE, "profiles: [debug]")
    _write(box, "given2", "services:\n" + _service("web") + _service("db", _IDLE) + tools)
    _compose(box, "given2", "create")
    box.sh("sleep 31", timeout=60)


@healthy(advice=None)
def profile_that_a_variable_names(box: Box) -> None:
    """A tool is off by its profile; a variable has its address, and nobody has missed it."""
    _write(
        box,
        "jobs4",
        "services:\n"
        + _service("web", "environment: {TRACES: 'http://tracer:4317'}")
        + _service("tracer", _IDLE, "profiles: [debug]"),
    )
    _compose(box, "jobs4", "up --detach")
    out = box.diagnose("all", env={"COLUMNS": "80"}).out
    assert out.startswith("OK")
    assert "never started" not in out.split("\nDocker ")[0]


@fault(OUTDATED, subject="container:ports1-web-1")
def restart_after_a_new_port(box: Box) -> None:
    """A port and a mount went into the file, and the service was only restarted."""
    _write(box, "ports1", "services:\n" + _service("web", "ports: ['18393:8080']"))
    _compose(box, "ports1", "up --detach")
    box.sh("sleep 7")
    more = (
        "ports: ['18393:8080', '127.0.0.1:18394:8080/tcp']",
        "volumes: ['./html:/www/extra:ro']",
    )
    _write(box, "ports1", "services:\n" + _service("web", *more))
    _compose(box, "ports1", "restart --timeout 1")
    (finding,) = box.diagnose("check", OUTDATED, "--format", "json").findings
    assert "port 127.0.0.1:18394:8080/tcp" in finding["summary"], finding["summary"]
    assert "port 18393:8080" not in finding["summary"], finding["summary"]
    box.sh(f"{finding['fix'][0]['command']} 2>&1", timeout=60)
    assert "18394" in str(box.inspect("ports1-web-1")["HostConfig"]["PortBindings"])
    box.docker("rm", "-f", "ports1-web-1")
    _write(box, "ports1", "services:\n" + _service("web", "ports: ['18393:8080']"))
    _compose(box, "ports1", "up --detach")
    box.sh("sleep 7")
    _write(box, "ports1", "services:\n" + _service("web", *more))
    _compose(box, "ports1", "restart --timeout 1")


@healthy(advice=None)
def restart_after_a_change_of_other_lines(box: Box) -> None:
    """All forms of ports and mounts, of which the file has the same after a comment was added."""
    parts = (
        "ports: ['18395:8080', {target: 8081, published: '18396'}, '8082', '18397-18398:8083-8084']",
        "volumes: ['./a:/a', 'data:/b', '/srv/forms/c:/c:ro', {type: volume, source: data, target: /d}, '/e']",
        "tmpfs: [/f]",
    )
    text = "services:\n" + _service("web", *parts) + "volumes: {data: {}}\n"
    _write(box, "forms", text)
    _compose(box, "forms", "up --detach")
    box.sh("sleep 7")
    _write(box, "forms", f"# reviewed\n{text}")
    _compose(box, "forms", "restart --timeout 1")


_ANCHOR = """x-app: &app
  image: shop:1.4
  init: true
  mem_limit: 64m
  pids_limit: 64
  user: "0"
  restart: unless-stopped
  volumes: ["opdata:/var/assets"]
services:
  web:
    <<: *app
    command: ["sh", "-c", "mkdir -p /var/assets && echo x >/var/assets/export.xls && sleep 1000"]
    volumes: ["{0}"]
  worker:
    <<: *app
    command: ["sleep", "1000"]
volumes: {{opdata: {{}}, public: {{}}}}
"""


@fault(LAYER, subject="container:merge1-web-1")
def list_that_replaces_that_of_its_anchor(box: Box) -> None:
    """A service has one volume of its own, and so loses that of the anchor that it merges."""
    _write(box, "merge1", _ANCHOR.format("public:/app/public"))
    _compose(box, "merge1", "up --detach")
    box.wait_for(
        lambda: "/var/assets/export.xls" in box.docker("diff", "merge1-web-1").stdout,
        what="a file in its writable layer",
    )
    command = first_command(box, LAYER, "merge1-web-1")
    assert command.endswith("merge1-web-1 -- --volume=merge1_opdata:/var/assets | sh"), command


@healthy(advice=None)
def list_that_has_the_volume_of_its_anchor_too(box: Box) -> None:
    """The service's own list names the volume of the anchor."""
    _write(box, "merge2", _ANCHOR.format('public:/app/public", "opdata:/var/assets'))
    _compose(box, "merge2", "up --detach")
    assert len(box.inspect("merge2-web-1")["Mounts"]) == 2


OVERRULED = "container.variable-overruled"
_KEYED = 'environment: {SHOP_REGION: "${SHOP_REGION}", STAGE: live}'


def _overruled(box: Box, folder: str, own: str) -> None:
    """A project whose .env has another region than /etc/environment, which its caller has."""
    _write(box, folder, "services:\n" + _service("web", _IDLE, _KEYED))
    box.write(f"/srv/{folder}/.env", f"SHOP_REGION={own}\n")
    box.write("/etc/environment", "LANG=C\nSHOP_REGION=north\n")
    box.sh(f"cd /srv/{folder} && SHOP_REGION=north docker compose up --detach 2>&1", timeout=60)


@fault(OVERRULED, subject="container:region1-web-1")
def variable_of_the_caller(box: Box) -> None:
    """The caller's environment has an old value; the first command applies that of .env."""
    _overruled(box, "region1", "south")
    assert "SHOP_REGION=north" in box.inspect("region1-web-1")["Config"]["Env"]
    box.sh(f"{first_command(box, OVERRULED, 'region1-web-1')} 2>&1", timeout=60)
    assert "SHOP_REGION=south" in box.inspect("region1-web-1")["Config"]["Env"]
    _overruled(box, "region1", "south")


@healthy()
def variable_of_the_caller_with_the_same_value(box: Box) -> None:
    """Both places have the same value."""
    _overruled(box, "region2", "north")
    assert "SHOP_REGION=north" in box.inspect("region2-web-1")["Config"]["Env"]


_RELAY = """configs:
  relay:
    content: |
      host ${SMTP_HOST}
"""
_COPIED = "configs: [{source: relay, target: /etc/msmtprc}]"


def _relayed(box: Box, folder: str, host: str) -> str:
    """A project with a config that names the variable of `.env`; the copied file."""
    if not box.path(f"/srv/{folder}").exists():
        _write(box, folder, "services:\n" + _service("mail", _IDLE, _COPIED) + _RELAY)
    box.write(f"/srv/{folder}/.env", f"SMTP_HOST={host}\n")
    _compose(box, folder, "up --detach")
    return box.docker("exec", f"{folder}-mail-1", "cat", "/etc/msmtprc").stdout


@fault(OUTDATED, subject="container:relay1-mail-1")
def content_of_a_config_that_a_restart_keeps(box: Box) -> None:
    """`.env` has changed, and neither `up` nor a restart carries it into the copied file."""
    assert "old.lan" in _relayed(box, "relay1", "old.lan")
    time.sleep(6)
    assert "old.lan" in _relayed(box, "relay1", "new.lan")
    _compose(box, "relay1", "restart")
    box.sh(f"{first_command(box, OUTDATED, 'relay1-mail-1')} 2>&1", timeout=60)
    assert "new.lan" in box.docker("exec", "relay1-mail-1", "cat", "/etc/msmtprc").stdout
    time.sleep(6)
    box.write("/srv/relay1/.env", "SMTP_HOST=newer.lan\n")
    _compose(box, "relay1", "restart")


@healthy()
def content_of_a_config_that_is_current(box: Box) -> None:
    """Another variable of `.env` has changed, and the file has what it is to have."""
    assert "old.lan" in _relayed(box, "relay2", "old.lan")
    time.sleep(6)
    box.write("/srv/relay2/.env", "SMTP_HOST=old.lan\nOTHER=1\n")
    _compose(box, "relay2", "restart")


NEVER = "container.never-started"


@fault(NEVER, subject="container:closed1-mail-1")
def config_of_a_read_only_service(box: Box) -> None:
    """Compose copies no content into a read-only container, and leaves it as it was created."""
    text = "services:\n" + _service("mail", _IDLE, _COPIED, "read_only: true") + _RELAY
    _write(box, "closed1", text)
    box.write("/srv/closed1/.env", "SMTP_HOST=mail.lan\n")
    said = box.sh("cd /srv/closed1 && docker compose up --detach 2>&1 || true", timeout=60)
    assert "read-only" in said
    assert box.inspect("closed1-mail-1")["State"]["Status"] == "created"
    (finding,) = box.diagnose("check", NEVER, "--format", "json").findings
    assert 'compose cannot copy config "relay" into it' in finding["summary"], finding


@healthy()
def file_of_a_read_only_service(box: Box) -> None:
    """A config from a file is mounted, and its service starts."""
    config = "configs: {relay: {file: ./relay.conf}}\n"
    text = "services:\n" + _service("mail", _IDLE, _COPIED, "read_only: true") + config
    _write(box, "closed2", text)
    box.write("/srv/closed2/relay.conf", "host mail.lan\n")
    _compose(box, "closed2", "up --detach")
    assert box.inspect("closed2-mail-1")["State"]["Running"]


PASSED = "image.newer-passed-over"


def _deployed(box: Box, folder: str, tag: str) -> None:
    """A service of release 1; then a deployment brings release 2, and the file names this tag."""
    for number, name in enumerate(("till:latest", "till:0.1.15")):
        page = {"www/index.html": (f"release {number}".encode(), 0o644)}
        images.load(box, name, images.Recipe(page, ('CMD ["sleep", "1000"]',)))
        time.sleep(1.5)
    text = "services:\n" + _service("web", _IDLE).replace("shop:1.4", f"till:{tag}")
    _write(box, folder, text)
    _compose(box, folder, "up --detach --force-recreate")


@fault(PASSED, subject="container:till1-web-1", exit_code=0)
def deployment_that_names_another_tag(box: Box) -> None:
    """The version was pulled, and the compose file has `latest`, which is older."""
    _deployed(box, "till1", "latest")
    assert box.inspect("till1-web-1")["Config"]["Image"] == "till:latest"


@healthy(advice=None)
def deployment_that_names_its_version(box: Box) -> None:
    """The compose file has the version that was pulled; the older image is unused."""
    _deployed(box, "till2", "0.1.15")
    assert box.inspect("till2-web-1")["Config"]["Image"] == "till:0.1.15"
