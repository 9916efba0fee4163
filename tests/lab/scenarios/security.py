"""Containers that can do too much to their host, and secrets that lie open."""

from __future__ import annotations

from tests.lab import Box, fault, healthy, images
from tests.lab.images import Recipe
from tests.lab.runner import healthy_container

SECRET = "M4de-up-f0r-the-lab"
LIMITS = ("--memory=16m", "--pids-limit=16")
KEEPS = {"live-restore": True}
TIDY = {
    "user": "--user=1000:1000",
    "rootfs": "--read-only",
    "capabilities": "--cap-drop=ALL",
    "privileges": "--security-opt=no-new-privileges",
}
"""Good practice, by what is left out to break it."""


def start(box: Box, name: str, *options: str, without: str = "", image: str = "shop:1.4") -> None:
    """Start a container that follows every good practice but one."""
    tidy = [option for practice, option in TIDY.items() if practice != without]
    box.docker("run", "-d", f"--name={name}", *LIMITS, *tidy, *options, image, "sleep", "1000")


def status(box: Box, name: str, field: str) -> str:
    """A line of /proc/PID/status of a container's first process."""
    text = box.read(f"/proc/{box.inspect(name)['State']['Pid']}/status")
    return text.partition(f"{field}:")[2].split()[0]


@fault("security.privileged", subject="container:priv", shareable=True)
def privileged(box: Box) -> None:
    """A privileged container has the capabilities of the host's root, but for the one that the lab
    lacks."""
    box.docker("run", "-d", "--name=priv", "--privileged", *LIMITS, "bb:1.36", "sleep", "1000")
    assert int(status(box, "priv", "CapEff"), 16) >> 21 & 1, "no CAP_SYS_ADMIN"


@fault("security.docker-socket-mounted", subject="container:sock", shareable=True)
def socket_in_a_container(box: Box) -> None:
    """A container that has the socket read-only creates a container through it."""
    box.docker(
        "run", "-d", "--name=sock", *LIMITS, "-v", "/run/docker.sock:/s:ro", "bb:1.36", "sleep",
        "1000",
    )  # fmt: skip
    inside = f"/proc/{box.inspect('sock')['State']['Pid']}/root/s"
    made = ["curl", "-sS", "--unix-socket", inside, "-XPOST", "-HContent-Type: application/json"]
    box.run(
        [
            *made,
            "-d",
            '{"Image": "bb:1.36", "Cmd": ["true"]}',
            "http://engine/containers/create?name=made-inside",
        ]
    )
    assert box.inspect("made-inside")["State"]["Status"] == "created"


@fault("security.docker-socket-mounted", subject="container:runfolder", shareable=True)
def run_folder_in_a_container(box: Box) -> None:
    """A container that has /run of the host has the socket in it."""
    box.docker(
        "run", "-d", "--name=runfolder", *LIMITS, "-v", "/run:/host/run", "bb:1.36", "sleep", "1000"
    )
    assert "docker.sock" in box.docker("exec", "runfolder", "ls", "/host/run").stdout


@fault("security.secrets-in-env", subject="container:envy", shareable=True)
def secrets_in_env(box: Box) -> None:
    """A password and a URL with one are in a container's environment."""
    box.docker(
        "run", "-d", "--name=envy", *LIMITS, "-e", f"DB_PASSWORD={SECRET}", "-e", f"QUEUE_URL=amqp://app:{SECRET}@mq/",
        "bb:1.36", "sleep", "1000",
    )  # fmt: skip
    assert SECRET in box.docker("exec", "envy", "env").stdout


@fault("security.secrets-in-env", subject="container:talker", shareable=True)
def secret_in_arguments(box: Box) -> None:
    """A password stands among the arguments of a container's program, for every user of the host to
    see."""
    box.docker(
        "run", "-d", "--name=talker", *LIMITS, "bb:1.36", "sh", "-c", "exec sleep 1000",
        f"--password={SECRET}",
    )  # fmt: skip
    assert SECRET in " ".join(box.inspect("talker")["Args"])


@fault("security.unconfined", subject="container:unmasked", shareable=True)
def unmasked_paths(box: Box) -> None:
    """The paths of /proc that the engine hides from containers are open to one."""
    start(box, "unmasked", "--security-opt=systempaths=unconfined")
    assert box.inspect("unmasked")["HostConfig"]["MaskedPaths"] == []


@fault("security.root-user", subject="container:rooted", shareable=True)
def root_user(box: Box) -> None:
    """A container's process is root."""
    box.docker("run", "-d", "--name=rooted", *LIMITS, "bb:1.36", "sleep", "1000")
    assert box.docker("exec", "rooted", "id", "-u").stdout.strip() == "0"


@healthy(baseline=False, advice=["daemon.live-restore-off"])
def names_that_only_look_like_secrets(box: Box) -> None:
    """Variables that are about secrets and hold none, a privileged job that has ended, and a socket
    of an application."""
    options = [
        "PASSWORD_FILE=/run/secrets/db", "TOKEN_TTL=3600", "PUBLIC_KEY=none", "AUTH_ENABLED=true",
        "GPG_KEY=A035C8C19219BA82",
    ]  # fmt: skip
    healthy_container(box, "polite", 8096, *(word for option in options for word in ("-e", option)))
    box.docker("run", "--name=setup", "--privileged", *LIMITS, "bb:1.36", "true")
    box.sh("mkdir -p /srv/app && touch /srv/app/app.sock && chown -R 1000:1000 /srv/app")
    healthy_container(box, "front", 8097, "-v", "/srv/app:/srv/app")


@healthy(baseline=False, advice=["daemon.live-restore-off"])
def root_that_drops_itself(box: Box) -> None:
    """An image that starts as root and runs its program as another user."""
    start = ["su", "app", "-c", "exec httpd -f -p 8080 -h /www"]
    healthy = [
        "--read-only", "--security-opt=no-new-privileges", "--cap-drop=ALL", "--cap-add=SETUID",
        "--cap-add=SETGID",
    ]  # fmt: skip
    box.image("shop:1.4")
    box.docker(
        "run", "-d", "--name=dropper", "--user=0", "--memory=64m", "--cpus=0.5", "--pids-limit=64",
        "--restart=unless-stopped", *healthy, "--health-cmd=true", "shop:1.4", *start,
    )  # fmt: skip
    assert box.docker("top", "dropper", "-eo", "uid,pid,comm").stdout.split()[3] == "1000"


@fault("security.capabilities", subject="container:forger", shareable=True)
def default_capabilities(box: Box) -> None:
    """A container keeps the engine's default capabilities."""
    start(box, "forger", without="capabilities")
    assert int(status(box, "forger", "CapBnd"), 16) >> 13 & 1, "no CAP_NET_RAW"


@fault("security.capabilities", subject="container:mighty", shareable=True)
def dangerous_capability(box: Box) -> None:
    """A container was given SYS_ADMIN."""
    start(box, "mighty", "--cap-add=SYS_ADMIN", "--user=0")
    assert int(status(box, "mighty", "CapEff"), 16) >> 21 & 1


@fault("security.new-privileges", subject="container:riser", shareable=True)
def privileges_may_grow(box: Box) -> None:
    """A container may gain privileges through set-uid programs."""
    start(box, "riser", without="privileges")
    assert status(box, "riser", "NoNewPrivs") == "0"


@fault("security.writable-rootfs", subject="container:writer", shareable=True)
def writable_root(box: Box) -> None:
    """A container replaces a program of its own."""
    start(box, "writer", "--user=0", without="rootfs")
    box.docker("exec", "writer", "sh", "-c", "echo changed >/bin/new-tool")


@fault("security.host-namespace", subject="container:hostly", shareable=True)
def host_namespaces(box: Box) -> None:
    """A container shares the host's PID and network namespaces."""
    start(box, "hostly", "--net=host", "--pid=host")
    assert "dockerd" in box.docker("exec", "hostly", "ps").stdout


@fault("security.host-path", subject="container:mounter", shareable=True)
def host_folder(box: Box) -> None:
    """A container may write to the host's /etc."""
    start(box, "mounter", "-v", "/etc:/host/etc", "--user=0")
    assert "root:" in box.docker("exec", "mounter", "cat", "/host/etc/shadow").stdout


@fault("security.unconfined", subject="container:unbound", shareable=True)
def without_seccomp(box: Box) -> None:
    """A container runs without seccomp."""
    start(box, "unbound", "--security-opt=seccomp=unconfined")
    assert status(box, "unbound", "Seccomp") == "0"


@fault(
    "security.secrets-in-image",
    subject="image:leaky:1",
    shareable=True,
    first_command=("half", "the secret has to be changed too"),
)
def secret_in_an_image(box: Box) -> None:
    """A token given as a build argument stays in the image's history."""
    box.image("shop:1.4")
    steps = f"FROM shop:1.4\nARG NPM_TOKEN\nRUN true\nENV API_PASSWORD={SECRET}\n"
    box.docker("build", "-q", "-t", "leaky:1", f"--build-arg=NPM_TOKEN={SECRET}", "-", stdin=steps,
               env={"DOCKER_BUILDKIT": "0"}, timeout=60)  # fmt: skip
    start(box, "leaker", image="leaky:1")
    assert (
        SECRET in box.docker("history", "--no-trunc", "--format={{.CreatedBy}}", "leaky:1").stdout
    )


@fault(
    "security.insecure-registry",
    subject="daemon:docker",
    config={"insecure-registries": ["registry.lab.test:5000", "10.0.0.0/8"]},
    first_command=("heals", "it trusts the certificate; the entry has to go as well"),
)
def insecure_registry(box: Box) -> None:
    """The daemon takes images of a registry without TLS."""
    assert "registry.lab.test:5000" in box.docker("info").stdout


@fault("security.socket-world-writable", subject="daemon:docker")
def socket_for_everyone(box: Box) -> None:
    """Someone answered "permission denied" with chmod 666: any user may command the engine."""
    box.sh("chmod 666 /run/docker.sock")
    said = box.run(
        ["curl", "-s", "--unix-socket", "/run/docker.sock", "http://engine/_ping"], user="nobody"
    )
    assert said.stdout == "OK"


@healthy(
    advice=[], config=KEEPS, flags=("--no-new-privileges", "--insecure-registry=127.0.0.1:5000")
)
def what_only_looks_lax(box: Box) -> None:
    """no-new-privileges for all, a loopback registry, an exporter with /proc read-only, an image
    with names about secrets."""
    start(box, "covered", without="privileges")
    start(
        box, "exporter", "-v", "/proc:/host/proc:ro", "-v", "/sys:/host/sys:ro", "-v",
        "/etc/localtime:/etc/localtime:ro",
    )  # fmt: skip
    assert status(box, "covered", "NoNewPrivs") == "1"
    labels = images.RECIPES["shop:1.4"].changes
    images.load(
        box,
        "named:1",
        Recipe(
            changes=(
                *labels,
                "ENV PASSWORD_FILE=/run/secrets/x TOKEN_TTL=60 GPG_KEY=A035C8C19219BA82",
            )
        ),
    )
    start(box, "named", image="named:1")


@healthy(advice=["security.secrets-in-image"], baseline=False, config=KEEPS)
def secret_of_the_image_is_not_named_twice(box: Box) -> None:
    """A secret that the image itself brings is the image's problem, not each container's."""
    labels = images.RECIPES["shop:1.4"].changes
    images.load(box, "baked:1", Recipe(changes=(*labels, f"ENV DB_PASSWORD={SECRET}")))
    tidy = ("--cpus=0.5", "--restart=unless-stopped", "--health-cmd=true")
    for number in range(3):
        start(box, f"baked{number}", *tidy, image="baked:1")
