"""Containers without a network that the engine shows as running, and starts that an address, a
mount or a processor forbids."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.network.helpers import QUIET, refused

SLEEPS = ["bb:1.36", "sleep", "1000"]


def run(box: Box, name: str, *options: str) -> None:
    box.docker("run", "-d", f"--name={name}", *QUIET, "--stop-timeout=0", *options, *SLEEPS)


def interfaces(box: Box, name: str) -> list[str]:
    """The names of the interfaces that are up inside a container, as its own tools tell."""
    listed = box.docker("exec", name, "ip", "-o", "link", "show", "up").stdout.splitlines()
    return [line.split(": ")[1].partition("@")[0] for line in listed]


@fault("network.veth-detached", subject="container:torrent", shareable=True)
def joined_network_of_a_former_run(box: Box) -> None:
    """The container whose network another one shares is restarted; the other one stays in the
    network that was."""
    run(box, "tunnel")
    run(box, "torrent", "--network=container:tunnel")
    assert "eth0" in interfaces(box, "torrent")
    box.docker("restart", "-t", "0", "tunnel")
    assert interfaces(box, "torrent") == ["lo"]
    assert "eth0" in interfaces(box, "tunnel")


@fault("network.veth-detached", subject="container:orphan", shareable=True)
def joined_container_was_stopped(box: Box) -> None:
    """The container whose network another one shares is stopped."""
    run(box, "parent1")
    run(box, "orphan", "--network=container:parent1")
    box.docker("stop", "-t", "0", "parent1")
    assert interfaces(box, "orphan") == ["lo"]


@fault("network.veth-detached", subject="container:bereft", shareable=True)
def joined_container_was_made_anew(box: Box) -> None:
    """The container whose network another one shares is replaced by a new one of its name, as
    updaters do."""
    run(box, "updated")
    run(box, "bereft", "--network=container:updated")
    box.docker("rm", "-f", "updated")
    run(box, "updated")
    assert interfaces(box, "bereft") == ["lo"]


@healthy(shareable=True)
def joined_networks_that_are_in_order(box: Box) -> None:
    """One shares the network of a container that was restarted with it, one the host's, one that of
    a container without any."""
    run(box, "pair1")
    run(box, "pair2", "--network=container:pair1")
    box.docker("restart", "-t", "0", "pair1")
    box.docker("restart", "-t", "0", "pair2")
    assert "eth0" in interfaces(box, "pair2")
    run(box, "hostly", "--network=host")
    run(box, "hostly2", "--network=container:hostly")
    run(box, "alone", "--network=none")
    run(box, "alone2", "--network=container:alone")
    box.docker("stop", "-t", "0", "alone")
    assert interfaces(box, "alone2") == ["lo"]


@fault("network.veth-detached", subject="container:ledger", shareable=True)
def disconnected_from_its_only_network(box: Box) -> None:
    """A running container is disconnected from the only network that it is on."""
    box.docker("network", "create", "backnet")
    run(box, "ledger", "--net=backnet")
    box.docker("network", "disconnect", "backnet", "ledger")
    assert interfaces(box, "ledger") == ["lo"]


@fault("network.veth-detached", subject="container:shop-pg-1", shareable=True)
def service_of_compose_without_a_network(box: Box) -> None:
    """A service of compose is disconnected from its project's network, and with it from its
    service's name there."""
    labels = {"project": "shop", "service": "pg"}
    box.docker("network", "create", "shop_default")
    options = [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]
    run(box, "shop-pg-1", "--net=shop_default", "--network-alias=pg", *options)
    box.docker("network", "disconnect", "shop_default", "shop-pg-1")
    assert interfaces(box, "shop-pg-1") == ["lo"]


@fault("network.veth-detached", subject="container:adrift", shareable=True)
def disconnected_from_the_default_network(box: Box) -> None:
    """A running container is disconnected from the engine's default network, and on no other."""
    run(box, "adrift")
    box.docker("network", "disconnect", "bridge", "adrift")
    assert interfaces(box, "adrift") == ["lo"]


@fault(
    "network.veth-detached",
    subject="container:web",
    also=["dns.upstream-unreachable"],
    config={"bridge": "none"},
)
def engine_without_its_default_network(box: Box) -> None:
    """The engine has no default network, and its container asks for no other one."""
    assert interfaces(box, "web") == ["lo"]


@healthy(shareable=True)
def moved_to_another_network(box: Box) -> None:
    """A container was taken off the network that it was created for and put on another; one has no
    network on purpose."""
    box.docker("network", "create", "newnet")
    run(box, "moved")
    box.docker("network", "connect", "newnet", "moved")
    box.docker("network", "disconnect", "bridge", "moved")
    assert "eth1" in interfaces(box, "moved")
    run(box, "calculator", "--network=none")


@fault("container.entrypoint-forbidden", subject="container:scripted", shareable=True)
def program_on_a_noexec_mount(box: Box) -> None:
    """A container's program lies on a file system of the host from which nothing may be
    executed."""
    box.sh("mkdir -p /srv/scripts; mount -t tmpfs -o noexec,mode=0755 scripts /srv/scripts")
    box.write("/srv/scripts/run.sh", "#!/bin/sh\nsleep 1000\n", 0o755)
    volume = "--volume=/srv/scripts:/opt/scripts"
    done = box.docker(
        "run", "-d", "--name=scripted", *QUIET, volume, "bb:1.36", "/opt/scripts/run.sh",
        check=False,
    )  # fmt: skip
    assert "permission denied" in done.stderr
    assert 'exec: "' not in box.inspect("scripted")["State"]["Error"]


@fault("container.entrypoint-forbidden", subject="container:modeless", shareable=True)
def mounted_script_without_its_mode(box: Box) -> None:
    """A container's program is a script of the host that nobody may execute, as after a checkout
    without modes."""
    box.write("/srv/modeless/run.sh", "#!/bin/sh\nsleep 1000\n", 0o644)
    volume = "--volume=/srv/modeless:/opt/modeless"
    done = box.docker(
        "run", "-d", "--name=modeless", *QUIET, volume, "bb:1.36", "/opt/modeless/run.sh",
        check=False,
    )  # fmt: skip
    assert "permission denied" in done.stderr


@fault("container.entrypoint-forbidden", subject="container:beguiled", shareable=True)
def script_behind_a_link_of_the_container(box: Box) -> None:
    """A container's program is a link that leads to another file inside it than on the host: the
    host's own file stays as it is."""
    box.write("/srv/beguiled-own/run.sh", "#!/bin/sh\nsleep 1000\n", 0o644)
    box.write("/srv/secret/run.sh", "#!/bin/sh\n", 0o600)
    box.sh("mkdir -p /srv/beguiled; ln -s /srv/secret/run.sh /srv/beguiled/run.sh")
    volumes = ["--volume=/srv/beguiled:/opt/beguiled", "--volume=/srv/beguiled-own:/srv/secret"]
    done = box.docker(
        "run", "-d", "--name=beguiled", *QUIET, *volumes, "bb:1.36", "/opt/beguiled/run.sh",
        check=False,
    )  # fmt: skip
    assert "permission denied" in done.stderr
    report = box.diagnose("check", "container.entrypoint-forbidden", "--format", "json").report
    named = [found for found in report["findings"] if found["subject"]["name"] == "beguiled"]
    assert "/srv/beguiled/run.sh" in named[0]["summary"]
    assert named[0]["fix"] == []


@fault("container.start-refused", subject="container:second5", shareable=True)
def fixed_address_taken(box: Box) -> None:
    """Two containers are given the same fixed address on a network."""
    box.docker("network", "create", "--subnet=172.25.7.0/24", "fixednet")
    run(box, "first5", "--net=fixednet", "--ip=172.25.7.5")
    assert "Address already in use" in refused(box, "second5", "--net=fixednet", "--ip=172.25.7.5")


@fault(
    "container.start-refused",
    subject="container:player",
    shareable=True,
    also=[("storage.volume-source-missing", "volume:media")],
)
def volume_on_a_missing_folder(box: Box) -> None:
    """A named volume stands on a folder of the host that does not exist, as before its disk is
    mounted."""
    options = ["--opt=type=none", "--opt=o=bind", "--opt=device=/srv/nas/media"]
    box.docker("volume", "create", "--name=media", *options)
    done = box.docker(
        "run", "-d", "--name=player", *QUIET, "--volume=media:/media", *SLEEPS, check=False
    )
    assert "no such file or directory" in done.stderr


@fault("container.runtime-limit-hit", subject="container:wide")
def processors_of_a_larger_host(box: Box) -> None:
    """The engine starts with a container that is bound to processors which the host has no more, as
    after a move."""
    run(box, "wide", "--restart=always", "--cpuset-cpus=0")
    file = f"/var/lib/docker/containers/{box.inspect('wide')['Id']}/hostconfig.json"
    box.stop_engine()
    box.sh(f"""sed -i 's/"CpusetCpus":"0"/"CpusetCpus":"0-1000"/' {file}""")
    box.start_engine(config=dict(BASE_CONFIG))
    assert "numerical result out of range" in box.inspect("wide")["State"]["Error"]
