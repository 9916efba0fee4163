"""The script of `diagnose recreate`: each option from inspect, the change, and what is refused."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import Any

import pytest

from diagnose.recreate.change import ContainerChange
from diagnose.recreate.container import _word, script
from diagnose.recreate.options import NoRecreateError

IMAGE = {
    "Config": {
        "Cmd": ["serve"],
        "Entrypoint": ["/init"],
        "User": "web",
        "Labels": {"a": "b"},
        "ExposedPorts": {"80/tcp": {}},
    }
}
SECRET = "<redacted:password:abcdef123456>"


def container(
    config: dict[str, Any] | None = None, host: dict[str, Any] | None = None, **parts: Any
) -> dict[str, Any]:
    """The inspect of a container that is as its image says, but for these keys of Config and
    HostConfig."""
    return {
        "Id": "0123456789ab" + "0" * 52,
        "Name": "/web",
        "Config": {
            "Image": "shop:1.4",
            "Hostname": "0123456789ab",
            "Env": [],
            **IMAGE["Config"],
            **(config or {}),
        },
        "HostConfig": {
            "LogConfig": {"Type": "json-file", "Config": {}},
            "NetworkMode": "default",
            **(host or {}),
        },
        "NetworkSettings": {"Networks": {"bridge": {}}},
        "Mounts": [],
        **parts,
    }


def created(inspect: dict[str, Any], change: ContainerChange | None = None) -> list[str]:
    """The words behind `docker create --name web --env-file FILE`, without the two that stand for
    every container here."""
    text = script(inspect, IMAGE, change or ContainerChange())
    command = re.search(r"docker create (.*?) \|\| back", text, re.DOTALL)
    assert command
    words = shlex.split(command[1].replace("\\\n", " "))[4:]
    return [word for word in words if word not in ("--restart=no", "--log-driver=json-file")]


OPTIONS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "as its image": (container(), ["shop:1.4"]),
    "a command": (container({"Cmd": ["sh", "-c", "a b"]}), ["shop:1.4", "sh", "-c", "a b"]),
    "an entrypoint": (container({"Entrypoint": ["/bin/sh", "-c"], "Cmd": ["x"]}), ["--entrypoint=/bin/sh", "shop:1.4", "-c", "x"]),
    "no entrypoint": (container({"Entrypoint": None, "Cmd": ["x"]}), ["--entrypoint=", "shop:1.4", "x"]),
    "a user": (container({"User": "1000"}), ["--user=1000", "shop:1.4"]),
    "a host name": (container({"Hostname": "shop"}), ["--hostname=shop", "shop:1.4"]),
    "a label": (container({"Labels": {"a": "b", "c": "d e"}}), ["--label=c=d e", "shop:1.4"]),
    "another port": (container({"ExposedPorts": {"80/tcp": {}, "99/udp": {}}}), ["--expose=99/udp", "shop:1.4"]),
    "a published port": (
        container(host={"PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}}),
        ["--publish=127.0.0.1:8080:80/tcp", "shop:1.4"],
    ),
    "a published port over IPv6": (
        container(host={"PortBindings": {"80/tcp": [{"HostIp": "::1", "HostPort": "8080"}]}}),
        ["--publish=[::1]:8080:80/tcp", "shop:1.4"],
    ),
    "an anonymous volume": (
        container(Mounts=[{"Type": "volume", "Name": "6f1c", "Destination": "/data"}]),
        ["--volume=6f1c:/data", "shop:1.4"],
    ),
    "a bind": (container(host={"Binds": ["/srv/a:/a:ro"]}), ["--volume=/srv/a:/a:ro", "shop:1.4"]),
    "a network": (
        container(
            host={"NetworkMode": "front"},
            NetworkSettings={"Networks": {"front": {"Aliases": ["0123456789ab", "www"], "IPAMConfig": {"IPv4Address": "10.0.0.9"}}}},
        ),
        ["--network=front", "--network-alias=www", "--ip=10.0.0.9", "shop:1.4"],
    ),
    "the host's network": (
        container(host={"NetworkMode": "host"}, NetworkSettings={"Networks": {"host": {}}}),
        ["--network=host", "shop:1.4"],
    ),
    "limits": (
        container(host={"Memory": 64, "NanoCpus": 500_000_000, "PidsLimit": 50, "Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}]}),
        ["--memory=64", "--cpus=0.5", "--pids-limit=50", "--ulimit=nofile=1:2", "shop:1.4"],
    ),
    "privileged": (container(host={"Privileged": True, "SecurityOpt": ["label=disable"]}), ["--privileged", "shop:1.4"]),
    "a probe": (
        container({"Healthcheck": {"Test": ["CMD-SHELL", "wget x"], "Interval": 2_000_000_000}}),
        ["--health-cmd=wget x", "--health-interval=2000000000ns", "shop:1.4"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("inspect", "words"), OPTIONS.values(), ids=OPTIONS)
def test_the_options_of_a_container_are_those_it_was_created_with(
    inspect: dict[str, Any], words: list[str]
):
    assert created(inspect) == words


CHANGES: dict[str, tuple[ContainerChange, list[str]]] = {
    "an option": (ContainerChange(("--init",)), ["--cap-add=NET_ADMIN", "--init", "shop:1.4"]),
    "without an option": (ContainerChange(without=frozenset({"cap-add"})), ["shop:1.4"]),
    "an image": (ContainerChange(image="shop:1.5"), ["--cap-add=NET_ADMIN", "shop:1.5"]),
    "a command": (
        ContainerChange(command=("serve", "-f")),
        ["--cap-add=NET_ADMIN", "shop:1.4", "serve", "-f"],
    ),
    "a network": (
        ContainerChange(("--network=none",)),
        ["--cap-add=NET_ADMIN", "--network=none", "shop:1.4"],
    ),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_a_change_appears_among_the_options(change: ContainerChange, words: list[str]):
    assert created(container(host={"CapAdd": ["NET_ADMIN"]}), change) == words


def test_nothing_is_mounted_at_a_path_that_is_left_out():
    mounted = container(
        host={
            "Binds": ["/srv/a:/bin", "data:/data:ro"],
            "Mounts": [{"Type": "volume", "Source": "more", "Target": "/more"}],
            "Tmpfs": {"/run": ""},
        },
        Mounts=[{"Type": "volume", "Name": "abc", "Destination": "/cache"}],
    )
    change = ContainerChange(unmounted=frozenset({"/bin", "/more", "/run", "/cache"}))
    assert created(mounted, change) == ["--volume=data:/data:ro", "shop:1.4"]


@pytest.mark.parametrize(
    "option",
    [
        "--volume=new:/data:ro",
        "-v=new:/data",
        "--mount=type=volume,dst=/data",
        "--tmpfs=/data:size=9",
    ],
)
def test_a_new_mount_takes_the_place_of_the_one_at_its_path(option: str):
    labels = {"com.docker.compose.service": "api"}
    mounted = container(
        {"Labels": labels},
        host={"Binds": ["old:/data", "more:/more"]},
        Mounts=[{"Type": "volume", "Name": "old", "Destination": "/data"}],
    )
    assert "--volume=old:/data" not in created(mounted, ContainerChange((option,)))
    assert "--volume=more:/more" in created(mounted, ContainerChange((option,)))
    notes = script(mounted, IMAGE, ContainerChange((option,)))
    assert "Leave out there: what was mounted at /data" in notes
    assert "Leave out" not in script(mounted, IMAGE, ContainerChange(("--volume=b:/other",)))


def test_podman_is_spoken_to_as_it_understands():
    inspect = container(
        host={
            "Runtime": "oci",
            "Ulimits": [{"Name": "RLIMIT_NOFILE", "Soft": 1, "Hard": 2}],
            "RestartPolicy": {"Name": "always"},
        }
    )
    text = script(inspect, IMAGE, ContainerChange(), "podman")
    assert "docker" not in text
    assert "--runtime" not in text
    assert "--ulimit=nofile=1:2" in text
    assert "podman update --restart no web >/dev/null 2>&1 || true" in text
    assert "sed -i /^HOSTNAME=0123456789ab$/d" in text


@pytest.mark.parametrize(
    ("labels", "docker"),
    [
        (
            {
                "com.docker.compose.service": "web",
                "com.docker.compose.project.working_dir": "/srv\nreboot now",
            },
            "docker",
        ),
        ({"PODMAN_SYSTEMD_UNIT": "/srv\nreboot now"}, "podman"),
    ],
    ids=["compose", "a unit"],
)
def test_what_undoes_the_change_is_said_whatever_a_label_holds(labels: dict[str, str], docker: str):
    """A newline in a label would end the sentence."""
    text = script(container({"Labels": labels}), IMAGE, ContainerChange(), docker)
    assert "reboot" not in shlex.split(text, comments=True)
    last = list(labels)[-1]
    assert f"--label={last}={labels[last]}" in shlex.split(text, comments=True)
    echo, note, to = shlex.split(text.splitlines()[-1])
    assert (echo, to) == ("echo", ">&2")
    assert note.endswith((" may undo the change.", " undoes the change."))


def test_the_change_is_said_in_the_words_of_the_compose_file():
    labels = {
        "com.docker.compose.service": "api",
        "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
    }
    change = ContainerChange(
        ("--env=A=1$x", "--ulimit=nofile=5000:6000"), unset=frozenset({"OLD"}), image="shop:1.5"
    )
    text = script(container({"Labels": labels}), IMAGE, change)
    notes = [shlex.split(line)[1] for line in text.splitlines() if line.startswith("echo ")]
    assert "/srv/shop/compose.yaml" in notes[0]
    assert notes[0].endswith("Below `api:` write:")
    assert notes[1:] == [
        '    image: "shop:1.5"',
        "    environment:",
        '      - "A=1$$x"',
        "    ulimits: {nofile: {soft: 5000, hard: 6000}}",
        "Leave out there: the variable OLD",
    ]


def test_compose_does_not_find_two_containers_of_one_service():
    """It would remove the new one, and start the old one in its place."""
    of_compose = container({"Labels": {"com.docker.compose.service": "web"}})
    assert 'docker rm "$old"' in script(of_compose, IMAGE, ContainerChange())
    assert 'docker rm "$old"' not in script(container(), IMAGE, ContainerChange())


def test_further_networks_are_connected_before_the_start():
    networks = {"front": {}, "back": {"Aliases": ["api"]}}
    text = script(
        container(host={"NetworkMode": "front"}, NetworkSettings={"Networks": networks}),
        IMAGE,
        ContainerChange(),
    )
    assert "docker network connect --alias=api back web || back\ndocker start web" in text


def test_another_image_sets_its_own_variables():
    own = ["PG_MAJOR=18", "PGDATA=/var/lib/postgresql/18/docker"]
    image = {"Config": {**IMAGE["Config"], "Env": [*own, "LANG=C"]}}
    inspect = container({"Env": [*own, "LANG=de_DE", "POSTGRES_USER=shop"]})
    changed = script(inspect, image, ContainerChange(image="postgres:17"))
    assert re.findall(r"sed -i /\^(\w+)=/d", changed) == ["PGDATA", "PG_MAJOR"]
    assert "sed -i" not in script(inspect, image, ContainerChange())


def test_the_environment_is_read_where_the_script_runs():
    text = script(container({"Env": [f"DB_PASSWORD={SECRET}"]}), IMAGE, ContainerChange())
    assert "redacted" not in text
    assert "--env-file" in text


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a task of swarm": (container({"Labels": {"com.docker.swarm.task.id": "x"}}), "task of swarm"),
    "removed when it stops": (container(host={"AutoRemove": True}), "removed as soon as it stops"),
    "a secret in its command": (
        container({"Cmd": ["serve", f"--password={SECRET}"]}),
        "secret in its command line",
    ),
    "some GPUs": (container(host={"DeviceRequests": [{"Count": 2}]}), "GPUs"),
    "a mount with options of a driver": (
        container(
            host={
                "Mounts": [
                    {
                        "Type": "volume",
                        "Target": "/a",
                        "VolumeOptions": {"DriverConfig": {"Name": "local"}},
                    }
                ]
            }
        ),
        "options that are not known",
    ),
}


@pytest.mark.parametrize(("inspect", "why"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_lost_is_refused(inspect: dict[str, Any], why: str):
    with pytest.raises(NoRecreateError, match=why):
        script(inspect, IMAGE, ContainerChange())


BEHIND = {
    "one": (["-p", "8080:80"], ["--publish=8080:80", "shop:1.4"]),
    "more, and a command": (
        ["-d", "--name", "x", "-e", "A=b", "--restart=always", "serve"],
        ["--env=A=b", "--restart=always", "shop:1.4", "serve"],
    ),
}


@pytest.mark.parametrize(("words", "expected"), BEHIND.values(), ids=BEHIND)
def test_options_behind_the_image_become_options(words: list[str], expected: list[str]):
    wrong = container({"Entrypoint": None, "Cmd": words})
    create = created(wrong, ContainerChange(options_from_command=True))
    assert create == ["--entrypoint=", *expected]


@pytest.mark.parametrize(
    "words", [["-x"], ["-p", "5432"], ["-h", "db", "-u", "root"], ["-v"], ["--user=root"]]
)
def test_a_command_without_options_is_refused(words: list[str]):
    with pytest.raises(NoRecreateError, match="does not begin with options"):
        script(
            container({"Entrypoint": None, "Cmd": words}),
            IMAGE,
            ContainerChange(options_from_command=True),
        )


def test_nothing_of_an_entrypoint_that_is_reset_is_left():
    entrypoint = container({"Entrypoint": ["/gone", "-x"], "Cmd": []})
    change = ContainerChange(("--entrypoint=",), command=("serve",))
    assert created(entrypoint, change)[-3:] == ["--entrypoint=", "shop:1.4", "serve"]


FILTER = '{"defaultAction":"SCMP_ACT_ALLOW"}'


def test_a_filter_of_system_calls_is_given_as_a_file():
    """The command line opens what follows `seccomp=`; inspect has the text itself."""
    options = ["no-new-privileges", f"seccomp={FILTER}"]
    text = script(container(host={"SecurityOpt": options}), IMAGE, ContainerChange())
    assert f"cat >\"$profile\" <<'END'\n{FILTER}\nEND\n" in text
    assert '--security-opt=seccomp="$profile"' in text
    assert "--security-opt=no-new-privileges" in text


def test_one_of_several_options_of_a_name_is_left_out():
    options = ["no-new-privileges", f"seccomp={FILTER}"]
    change = ContainerChange(without=frozenset({"security-opt=seccomp"}))
    words = created(container(host={"SecurityOpt": options}), change)
    assert words == ["--security-opt=no-new-privileges", "shop:1.4"]


def test_a_variable_is_left_out():
    text = script(container(), IMAGE, ContainerChange(unset=frozenset({"OLD_LIMIT"})))
    assert 'sed -i /^OLD_LIMIT=/d "$environment"' in text.splitlines()


def test_a_variable_with_another_name_than_shells_take_is_refused():
    with pytest.raises(NoRecreateError):
        script(container(), IMAGE, ContainerChange(unset=frozenset({"a/d;x"})))


def _environment_lines(*options: str) -> list[str]:
    """The lines of the script that change the environment of the old container."""
    lines = script(container(), IMAGE, ContainerChange(options)).splitlines()
    return lines[lines.index("fi") + 1 : lines.index("docker stop web >/dev/null")]


NEW_VALUES = {
    "with a value": (("--env=LIMIT=5",), ['sed -i /^LIMIT=/d "$environment"']),
    "two words": (("-e", "LIMIT=5"), ['sed -i /^LIMIT=/d "$environment"']),
    "another option": (("--label=LIMIT=5",), []),
    "no name of a shell": (("--env=my.limit=5",), []),
}


@pytest.mark.parametrize(("options", "expected"), NEW_VALUES.values(), ids=NEW_VALUES)
def test_a_new_value_replaces_the_former_one(options: tuple[str, ...], expected: list[str]) -> None:
    """The engine would keep both."""
    assert _environment_lines(*options) == expected


def test_a_variable_without_a_value_is_asked_of_the_shell() -> None:
    """Before anything changes: docker would leave the variable out."""
    ask, remove = _environment_lines("--env=LIMIT")
    assert remove == 'sed -i /^LIMIT=/d "$environment"'
    refused = subprocess.run(["sh", "-c", ask], capture_output=True, check=False, env={})
    assert refused.returncode != 0
    assert b"LIMIT" in refused.stderr
    subprocess.run(["sh", "-c", ask], check=True, env={"LIMIT": ""})


HOSTILE = ("\x9b31m\u202e\x07", "a'b\x1b[1m%s\n\\", "x\x1b\n", "\x1b'\"$(id)`", "it's", "a b")


@pytest.mark.parametrize("label", HOSTILE)
def test_a_script_shows_nothing_that_a_terminal_obeys(label: str) -> None:
    """And hands the label over as it is."""
    written = script(container(config={"Labels": {"a": "b", "x": label}}), IMAGE, ContainerChange())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", written)
    word = _word(f"--label=x={label}")
    assert word in written
    said = subprocess.run(["sh", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert said.stdout.decode() == f"--label=x={label}"
