"""Containers that can do too much to their host, and secrets that lie open."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import healthy_container

SECRET = "M4de-up-f0r-the-lab"
LIMITS = ("--memory=16m", "--pids-limit=16")


@fault("security.privileged", subject="container:priv", shareable=True)
def privileged(box: Box) -> None:
    """A privileged container has the capabilities of the host's root, but for the one that the lab lacks."""
    box.docker("run", "-d", "--name=priv", "--privileged", *LIMITS, "bb:1.36", "sleep", "1000")
    status = box.read(f"/proc/{box.inspect('priv')['State']['Pid']}/status")
    assert int(status.partition("CapEff:")[2].split()[0], 16) >> 21 & 1, "no CAP_SYS_ADMIN"


@fault("security.docker-socket-mounted", subject="container:sock", shareable=True)
def socket_in_a_container(box: Box) -> None:
    """A container that has the socket read-only creates a container through it."""
    box.docker("run", "-d", "--name=sock", *LIMITS, "-v", "/run/docker.sock:/s:ro", "bb:1.36", "sleep", "1000")
    inside = f"/proc/{box.inspect('sock')['State']['Pid']}/root/s"
    made = ["curl", "-sS", "--unix-socket", inside, "-XPOST", "-HContent-Type: application/json"]
    box.run([*made, "-d", '{"Image": "bb:1.36"}', "http://engine/containers/create?name=made-inside"])
    assert box.inspect("made-inside")["State"]["Status"] == "created"


@fault("security.docker-socket-mounted", subject="container:runfolder", shareable=True)
def run_folder_in_a_container(box: Box) -> None:
    """A container that has /run of the host has the socket in it."""
    box.docker("run", "-d", "--name=runfolder", *LIMITS, "-v", "/run:/host/run", "bb:1.36", "sleep", "1000")
    assert "docker.sock" in box.docker("exec", "runfolder", "ls", "/host/run").stdout


@fault("security.secrets-in-env", subject="container:envy", shareable=True)
def secrets_in_env(box: Box) -> None:
    """A password and a URL with one stand in a container's environment."""
    box.docker(
        "run", "-d", "--name=envy", *LIMITS, "-e", f"DB_PASSWORD={SECRET}", "-e", f"QUEUE_URL=amqp://app:{SECRET}@mq/",
        "bb:1.36", "sleep", "1000",
    )  # fmt: skip
    assert SECRET in box.docker("exec", "envy", "env").stdout


@fault("security.root-user", subject="container:rooted", shareable=True)
def root_user(box: Box) -> None:
    """A container's process is root."""
    box.docker("run", "-d", "--name=rooted", *LIMITS, "bb:1.36", "sleep", "1000")
    assert box.docker("exec", "rooted", "id", "-u").stdout.strip() == "0"


@healthy(baseline=False, advice=[])
def names_that_only_look_like_secrets(box: Box) -> None:
    """Variables that are about secrets and hold none, a privileged job that has ended, and a socket of an
    application."""
    options = ["PASSWORD_FILE=/run/secrets/db", "TOKEN_TTL=3600", "PUBLIC_KEY=none", "AUTH_ENABLED=true", "GPG_KEY=A035C8C19219BA82"]
    healthy_container(box, "polite", 8096, *(word for option in options for word in ("-e", option)))
    box.docker("run", "--name=setup", "--privileged", *LIMITS, "bb:1.36", "true")
    box.sh("mkdir -p /srv/app && touch /srv/app/app.sock")
    healthy_container(box, "front", 8097, "-v", "/srv/app:/srv/app")


@healthy(baseline=False, advice=[])
def root_that_drops_itself(box: Box) -> None:
    """An image that starts as root and runs its program as another user."""
    start = ["su", "app", "-c", "exec httpd -f -p 8080 -h /www"]
    healthy = [
        "--read-only",
        "--security-opt=no-new-privileges",
        "--cap-drop=ALL",
        "--cap-add=SETUID",
        "--cap-add=SETGID",
    ]
    box.image("shop:1.4")
    box.docker(
        "run", "-d", "--name=dropper", "--user=0", "--memory=64m", "--cpus=0.5", "--pids-limit=64",
        "--restart=unless-stopped", *healthy, "--health-cmd=true", "shop:1.4", *start,
    )  # fmt: skip
    assert box.docker("top", "dropper", "-eo", "user,comm").stdout.split()[2] in ("1000", "app")
