"""`diagnose recreate` on real engines: the new container has all that the old one had, and the
change."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import pytest

from tests.lab.box import Box
from tests.lab.cures.proof import BIN, equip
from tests.lab.engines import Engine
from tests.lab.places.test_engine_collectors import PODMAN, needs_podman, serve_podman
from tests.lab.provider import BOX_ADDRESS

RICH = (
    "--restart on-failure:4 -p 127.0.0.1:8080:80 -p 8443:443/udp --expose 99 --memory 64m --memory-swap 128m --cpus 0.5"
    " --pids-limit 50 --user 1000:1000 --workdir /tmp --hostname shop --read-only --tmpfs /scratch:size=1m --cap-drop ALL"
    " --cap-add NET_BIND_SERVICE --security-opt no-new-privileges --ulimit nofile=1024:2048 --shm-size 8m --init --label tier=web"
    " --label com.docker.compose.project=shop --env COLOUR=dark=blue --env EMPTY= --env DB_PASSWORD=Gr33nHorse77"
    " --volume data:/data --volume /srv/conf:/conf:ro --mount type=volume,source=more,target=/more,readonly"
    " --network front --network-alias www --ip 10.77.0.9 --add-host db:10.0.0.9 --dns 192.0.2.53 --dns-search lab.test"
    " --stop-signal SIGINT --stop-timeout 3 --health-interval 2s --health-retries 2 --log-driver json-file --log-opt max-size=5m"
    " --sysctl net.ipv4.ip_unprivileged_port_start=0 --group-add 2000 --device /dev/null:/dev/nothing:r --oom-score-adj 100"
)
CONFIG = (
    "Env", "Cmd", "Entrypoint", "User", "WorkingDir", "Hostname", "Labels", "ExposedPorts",
    "Healthcheck", "StopSignal", "StopTimeout",
)  # fmt: skip
LEFT_OUT = {"ContainerIDFile", "ConsoleSize"}


def _recreated(box: Box, *arguments: str) -> str:
    done = box.diagnose("recreate", *arguments)
    assert done.code == 0, done.err
    box.run(["sh", "-c", done.out], env={"PATH": f"{BIN}:{box.engine.path}"}, timeout=60)
    return done.out


def _is(inspect: Mapping[str, Any]) -> dict[str, Any]:
    """What a container is, without what each of them has for itself."""
    config = {key: inspect["Config"].get(key) for key in CONFIG}
    if config["Hostname"] == inspect["Id"][:12]:
        config["Hostname"] = None
    config["Env"] = sorted(config["Env"])
    host = {
        key: value or None for key, value in inspect["HostConfig"].items() if key not in LEFT_OUT
    }
    networks = {
        name: (
            (endpoint["IPAMConfig"] or {}).get("IPv4Address"),
            sorted({*(endpoint["Aliases"] or ())} - {inspect["Id"][:12]}),
        )
        for name, endpoint in inspect["NetworkSettings"]["Networks"].items()
    }
    host["Binds"] = sorted(host["Binds"] or ())
    mounts = sorted(
        (mount["Type"], mount.get("Name"), mount["Destination"], mount["RW"])
        for mount in inspect["Mounts"]
    )
    return {
        "config": config,
        "host": host,
        "networks": networks,
        "mounts": mounts,
        "image": inspect["Image"],
    }


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        f"{part} {key}": (before[part].get(key), value)
        for part in ("config", "host", "networks")
        for key, value in after[part].items()
        if before[part].get(key) != value
    } | (
        {"mounts": (before["mounts"], after["mounts"])}
        if before["mounts"] != after["mounts"]
        else {}
    )


def test_a_container_is_created_again_as_it_was(engine: Engine) -> None:
    with Box(engine) as box:
        equip(box)
        box.start_engine()
        box.sh("mkdir -p /srv/conf")
        box.docker("network", "create", "--subnet", "10.77.0.0/24", "front")
        box.docker("network", "create", "back")
        box.docker("run", "-d", "--name", "web", *RICH.split(), "--health-cmd", "test -e /conf || exit 1", box.image("bb:1.36"),
                   "sh", "-c", "sleep 1000; echo 'a b'")  # fmt: skip
        box.docker("network", "connect", "--alias", "api", "back", "web")
        before = box.inspect("web")
        text = _recreated(box, "web")
        after = box.inspect("web")
        assert "Gr33nHorse77" not in text
        assert after["Id"] != before["Id"]
        assert after["State"]["Running"]
        assert _differences(_is(before), _is(after)) == {}
        kept = [
            name
            for name in box.docker("ps", "-a", "--format", "{{.Names}}").stdout.split()
            if name.startswith("web-before-")
        ]
        assert len(kept) == 1
        assert box.inspect(kept[0])["HostConfig"]["RestartPolicy"]["Name"] == "no"


def test_the_change_is_made_and_nothing_else(engine: Engine) -> None:
    with Box(engine) as box:
        equip(box)
        box.start_engine()
        box.docker("run", "-d", "--name", "web", "-p", "8080:80", "--privileged=false", "--cap-add", "NET_ADMIN", box.image("bb:1.36"),
                   "sleep", "1000")  # fmt: skip
        before = box.inspect("web")
        _recreated(
            box, "web", "--without", "cap-add", "--command", "sleep 2000", "--",
            "--ulimit=nofile=900:900", "--init",
        )  # fmt: skip
        after = box.inspect("web")
        changed = _differences(_is(before), _is(after))
        assert set(changed) == {"config Cmd", "host CapAdd", "host Ulimits", "host Init"}
        assert after["Config"]["Cmd"] == ["sleep", "2000"]


def test_a_container_that_cannot_be_created_leaves_the_old_one_running(engine: Engine) -> None:
    with Box(engine) as box:
        equip(box)
        box.start_engine()
        box.docker(
            "run", "-d", "--name", "web", "--restart", "always", box.image("bb:1.36"), "sleep",
            "1000",
        )  # fmt: skip
        before = box.inspect("web")
        done = box.diagnose("recreate", "web", "--", "--entrypoint=/nothing")
        failed = box.run(["sh", "-c", done.out], check=False, timeout=60)
        assert failed.returncode == 1
        after = box.inspect("web")
        assert (after["Id"], after["State"]["Running"]) == (before["Id"], True)
        assert after["HostConfig"]["RestartPolicy"]["Name"] == "always"


def test_a_container_in_a_loop_is_created_again(engine: Engine) -> None:
    """Between two runs the runtime refuses to update it: three scripts have to go through."""
    with Box(engine) as box:
        equip(box)
        box.start_engine()
        for name in ("loop1", "loop2", "loop3"):
            loop = (box.image("bb:1.36"), "sh", "-c", "exit 1")
            box.docker("run", "-d", "--name", name, "--restart", "always", *loop)
        for name in ("loop1", "loop2", "loop3"):
            _recreated(box, name, "--command", "sleep 1000")
            after = box.inspect(name)
            assert after["State"]["Status"] == "running"
            assert after["HostConfig"]["RestartPolicy"]["Name"] == "always"


REFUSED = {
    "removed when it stops": (["--rm"], "removed as soon as it stops"),
    "a secret in its command": (
        ["--label", "password=Gr33nHorse77secret"],
        "secret in its command line",
    ),
}


@pytest.mark.parametrize(("options", "why"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_lost_is_refused(engine: Engine, options: list[str], why: str) -> None:
    with Box(engine) as box:
        box.start_engine()
        box.docker("run", "-d", "--name", "web", *options, box.image("bb:1.36"), "sleep", "1000")
        done = box.diagnose("recreate", "web")
        assert done.code == 3
        assert why in done.err


PODMAN_OPTIONS = (
    "--restart on-failure:4 -p 127.0.0.1:8080:80 --memory 64m --pids-limit 50 --user 1000:1000"
    " --workdir /tmp --hostname shop --read-only --tmpfs /scratch:size=1m --cap-drop ALL"
    " --cap-add NET_BIND_SERVICE --security-opt no-new-privileges --ulimit nofile=512:1024"
    " --ulimit nproc=900:1000 --label tier=web --env COLOUR=dark=blue --env DB_PASSWORD=Gr33nHorse77"
    " --volume data:/data --volume /srv/conf:/conf:ro --network front --network-alias www"
    " --add-host db:10.0.0.9 --dns 192.0.2.53 --stop-timeout 3"
)


def _podman_inspect(box: Box) -> dict[str, Any]:
    socket = "curl -sS --unix-socket /run/podman/podman.sock"
    text = box.sh(f"{socket} http://d/v1.40/containers/web/json")
    return dict(json.loads(text))


@needs_podman
def test_podman_creates_a_container_again_by_its_own_command() -> None:
    """The script, the steps of `follow` and the report name `podman`, and the script works."""
    with Box("distro") as box:
        equip(box)
        box.write(f"{BIN}/podman", f'#!/bin/sh\nexec /usr/bin/{shlex.join(PODMAN)} "$@"\n', 0o755)
        box.sh(
            "mkdir -p /srv/conf /tmp/r/bin; cp $(which busybox) /tmp/r/bin/; "
            "for each in httpd sh test; do ln -s busybox /tmp/r/bin/$each; done"
        )
        path = {"PATH": f"{BIN}:{box.engine.path}"}
        box.sh("tar c -C /tmp/r . | podman import - bb:1", env=path)
        serve_podman(box)
        box.sh("podman network create --subnet 10.77.0.0/24 front", env=path)
        box.sh(f"podman run -d --name web {PODMAN_OPTIONS} bb:1 httpd -f -p 8000", env=path)
        before = _podman_inspect(box)
        done = box.diagnose("recreate", "web", "--", "--ulimit=nofile=700:1024")
        assert done.code == 0, done.err
        assert "docker" not in done.out
        assert "Gr33nHorse77" not in done.out
        box.run(["sh", "-c", done.out], env=path, timeout=60)
        after = _podman_inspect(box)
        assert after["Id"] != before["Id"]
        assert after["State"]["Running"]
        assert set(_differences(_is(before), _is(after))) == {"host Ulimits"}
        box.sh("podman pause web", env=path)
        steps = box.diagnose("follow", "container.paused", "--print").out
        assert "podman unpause web" in steps
        assert "docker unpause" not in steps
        assert "podman unpause web" in box.diagnose("check", "container.paused").out
        box.sh("podman unpause web", env=path)


def test_a_task_of_swarm_is_changed_by_its_service(engine: Engine) -> None:
    with Box(engine) as box:
        equip(box)
        box.start_engine(config={"live-restore": False})
        box.image("bb:1.36")
        box.docker("swarm", "init", "--advertise-addr", BOX_ADDRESS, timeout=60)
        options = ("--detach", "--no-resolve-image", "--stop-grace-period=1s", "--name=web")
        box.docker("service", "create", *options, "bb:1.36", "sleep", "1000", timeout=60)

        def tasks() -> list[str]:
            return box.docker("ps", "--quiet", "--filter", "name=web").stdout.split()

        (task,) = box.wait_for(tasks, what="the task")
        _recreated(box, task, "--", "--env=MODE=fast", "--pids-limit=50")

        def is_changed() -> bool:
            found = [box.inspect(id) for id in tasks() if id != task]
            return any("MODE=fast" in container["Config"]["Env"] for container in found)

        box.wait_for(is_changed, what="the new task")
