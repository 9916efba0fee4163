"""Containers broken for real: killed, looping, refused by the kernel, unhealthy."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.everyday import first_command

GOOD = [
    "--memory=64m",
    "--pids-limit=64",
    "--user=1000:1000",
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]
LAX = [option for option in GOOD if option != "--read-only"]
"""For containers that the page repairs by writing into them."""
EATER = 'i=0; held=; while [ $i -lt 13 ]; do i=$((i+1)); held="$held$(head -c 1000000 /dev/zero | tr "\\0" x)"; done'
"""A shell that needs about 28 MB in the end: more than 16, less than 32 (measured with busybox
1.35)."""
VFS_CAP_REVISION_2, VFS_CAP_EFFECTIVE = 0x02000000, 1
"""Of the header of a file's capabilities (linux/capability.h)."""


def run(box: Box, name: str, *words: str, check: bool = True) -> Any:
    """A detached container with a memory limit, which takes no privilege it does not need."""
    return box.docker("run", "-d", f"--name={name}", *words, check=check)


def events_of(box: Box, name: str, action: str) -> int:
    """How often the engine says that this happened to a container."""
    listed = box.run(
        [
            "docker",
            "events",
            "--since=1h",
            "--until=0s",
            f"--filter=container={name}",
            f"--filter=event={action}",
        ]
    )
    return len(listed.stdout.splitlines())


@fault(
    "container.oom-killed",
    subject="container:hungry",
    also=["container.exits-at-start"],
    shareable=True,
)
def killed_for_memory(box: Box) -> None:
    """A container reaches its memory limit and the kernel kills its only process."""
    options = ["--memory=16m", "--memory-swap=16m", "--pids-limit=64"]
    run(box, "hungry", *options, "bb:1.36", "sh", "-c", f"{EATER}; sleep 1000")
    # 20.10 loses the flag now and then when the container dies at once
    assert box.wait_state("hungry", "exited")["State"]["ExitCode"] == 137
    assert box.inspect("hungry")["Id"] in box.sh("dmesg | grep oom-kill:")


@fault("container.oom-killed", subject="container:helped")
def killed_for_memory_and_started_again(box: Box) -> None:
    """A container was killed for memory and started again, which erases the engine's flag from 26.1
    on.

    Alone: beside many others events and kernel lines of it are soon pushed out.
    """
    script = f"[ -e /tmp/second ] && exec sleep 1000; touch /tmp/second; {EATER}"
    run(box, "helped", "--memory=16m", "--memory-swap=16m", "bb:1.36", "sh", "-c", script)
    assert box.wait_state("helped", "exited")["State"]["ExitCode"] == 137
    box.docker("start", "helped")
    assert box.wait_state("helped", "running")["State"]["OOMKilled"] in (
        False,
        box.engine.major < 26,
    )


@fault("container.oom-killed", subject="container:parent", shareable=True)
def child_killed_for_memory(box: Box) -> None:
    """The kernel kills a child of a container, whose first process goes on."""
    script = f"(exec sh -c '{EATER}'); sleep 1000"
    run(box, "parent", "--memory=16m", "--memory-swap=16m", "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: events_of(box, "parent", "oom"), what="the kernel to kill the child")
    assert box.inspect("parent")["State"]["Running"]


@fault(
    "container.oom-killed",
    subject="container:report2",
    expect=[("container.restart-loop", "container:report2")],
    shareable=True,
)
def killed_for_memory_over_and_over(box: Box) -> None:
    """A container with a restart policy is killed for memory each time."""
    options = ["--restart=always", "--memory=16m", "--memory-swap=16m", "--pids-limit=64"]
    run(box, "report2", *options, "bb:1.36", "sh", "-c", f"{EATER}; sleep 1000")
    box.wait_for(
        lambda: box.inspect("report2")["RestartCount"] >= 3, timeout=20, what="three restarts"
    )


@fault("container.restart-loop", subject="container:loop", shareable=True)
def fails_over_and_over(box: Box) -> None:
    """A container that fails at once is restarted without end."""
    script = (
        "[ -e /etc/app/db.url ] && exec sleep 1000; echo 'config: no such key: db.url' >&2; exit 3"
    )
    run(
        box,
        "loop",
        "--restart=always",
        *GOOD,
        "-v=/srv/loop:/etc/app",
        "bb:1.36",
        "sh",
        "-c",
        script,
    )
    box.wait_for(lambda: box.inspect("loop")["RestartCount"] >= 4, timeout=20, what="four restarts")


@fault("container.restart-loop", subject="container:ticker", shareable=True)
def succeeds_over_and_over(box: Box) -> None:
    """A job that ends with exit code 0 under a policy that starts it again."""
    run(box, "ticker", "--restart=always", *GOOD, "bb:1.36", "true")
    box.wait_for(
        lambda: box.inspect("ticker")["RestartCount"] >= 4, timeout=20, what="four restarts"
    )


@fault(
    "container.restart-loop",
    subject="container:api.1.*",
    also=["swarm.*", "image.registry-unreachable"],
    baseline=False,
)
def swarm_task_replaced_over_and_over(box: Box) -> None:
    """The task of a swarm service fails at once; swarm makes a new container each time, so no count
    rises."""
    box.image("bb:1.36")
    box.docker("swarm", "init", f"--advertise-addr={BOX_ADDRESS}")
    options = ["--detach", "--no-resolve-image", "--restart-delay=100ms", "--limit-memory=64m"]
    fails = ["sh", "-c", "echo 'no such table: orders' >&2; exit 3"]
    box.docker("service", "create", "--name=api", *options, "bb:1.36", *fails)
    box.wait_for(
        lambda: len(box.api("/containers/json?all=1")) >= 4,
        timeout=60,
        what="four containers of the task",
    )
    assert all(
        box.inspect(container["Id"])["RestartCount"] == 0
        for container in box.api("/containers/json?all=1")
    )
    found = box.diagnose("check", "container.restart-loop", "--format", "json").findings[0]
    (held,) = found["fix"]
    assert held["command"] == "docker service scale --detach api=0", (
        "an update of the task would change nothing"
    )
    box.sh(held["command"])
    box.wait_for(lambda: not box.api("/containers/json"), timeout=30, what="the service to be held")
    box.docker("service", "scale", "--detach", "api=1")
    box.wait_for(
        lambda: len(box.api("/containers/json?all=1")) >= 4,
        timeout=60,
        what="four containers of the task again",
    )


@healthy(baseline=False)
def swarm_service_updated_over_and_over(box: Box) -> None:
    """Three updates within a minute: swarm ends each task with SIGTERM, which the program answers
    with 143.

    It asks for the image each time, which no registry gives here; nothing keeps failing.
    """
    box.image("bb:1.36")
    box.docker("swarm", "init", f"--advertise-addr={BOX_ADDRESS}")
    serves = ["sh", "-c", "trap 'exit 143' TERM; sleep 100000 & wait"]
    box.docker(
        "service", "create", "--detach", "--name=web", "--no-resolve-image", "bb:1.36", *serves
    )
    for updates in range(1, 4):
        _serves_with(box, "web", ended=updates - 1)
        box.docker("service", "update", "--detach", "--force", "--no-resolve-image", "web")
    _serves_with(box, "web", ended=3)


def _serves_with(box: Box, service: str, *, ended: int) -> None:
    """Wait until one task of a service runs, after so many that were replaced."""
    filters = json.dumps({"label": [f"com.docker.swarm.service.name={service}"]})

    def settled() -> bool:
        states = [
            container["State"]
            for container in box.api(f"/containers/json?all=1&filters={quote(filters)}")
        ]
        return states.count("running") == 1 and states.count("exited") == ended

    box.wait_for(settled, timeout=60, what=f"{service} to run after {ended} updates")


@fault("container.restarts-exhausted", subject="container:given-up", shareable=True)
def given_up(box: Box) -> None:
    """A container has failed as often as its policy allows; now its cause is gone, and a start
    would do."""
    script = "echo x >>/tmp/n; [ $(wc -l </tmp/n) -ge 4 ] && exec sleep 1000; echo 'no licence file'; exit 4"
    run(box, "given-up", "--restart=on-failure:2", *LAX, "bb:1.36", "sh", "-c", script)
    box.wait_for(
        lambda: box.inspect("given-up")["RestartCount"] == 2, timeout=20, what="two restarts"
    )
    assert box.wait_state("given-up", "exited")["State"]["ExitCode"] == 4


@fault("container.exits-at-start", subject="container:early", shareable=True)
def exits_at_once(box: Box) -> None:
    """A program ends with an error as soon as it is started; the second start would succeed."""
    script = "[ -e /tmp/n ] && exec sleep 1000; touch /tmp/n; echo 'listen: bad address in config' >&2; exit 1"
    run(box, "early", *LAX, "bb:1.36", "sh", "-c", script)
    assert box.wait_state("early", "exited")["State"]["ExitCode"] == 1


@fault(
    "container.exec-format",
    subject="container:foreign",
    expect=[("container.exits-at-start", "container:foreign")],
    shareable=True,
)
def built_for_another_machine(box: Box) -> None:
    """The program in the image is an ELF file for another architecture."""
    run(box, "foreign", *GOOD, "foreign:1", check=False)
    box.wait_for(
        lambda: "exec format error" in box.docker("logs", "foreign").stderr,
        what="the kernel's refusal",
    )


@fault(
    "container.exec-format",
    subject="container:looped",
    also=["container.restart-loop"],
    shareable=True,
)
def built_for_another_machine_and_restarted(box: Box) -> None:
    """A program for another architecture under a restart policy: the loop began before its last
    end."""
    run(box, "looped", "--restart=always", *GOOD, "foreign:1", check=False)
    box.wait_for(
        lambda: box.inspect("looped")["RestartCount"] >= 5, timeout=20, what="five restarts"
    )


@fault(
    "container.exec-format",
    subject="container:bare",
    also=["container.exits-at-start"],
    shareable=True,
)
def script_without_interpreter_line(box: Box) -> None:
    """The program in the image is a script that does not say what runs it."""
    run(box, "bare", *LAX, "noshebang:1", check=False)
    box.wait_for(
        lambda: "exec format error" in box.docker("logs", "bare").stderr,
        what="the kernel's refusal",
    )


@fault(
    "container.interpreter-missing",
    subject="container:dos",
    also=["container.exits-at-start"],
    shareable=True,
)
def script_with_dos_line_ends(box: Box) -> None:
    """The `#!` line of a script ends in a carriage return."""
    run(box, "dos", *LAX, "crlf:1", check=False)
    box.wait_for(
        lambda: "no such file" in box.docker("logs", "dos").stderr, what="the kernel's refusal"
    )


@fault(
    "container.interpreter-missing",
    subject="container:snake",
    also=["container.exits-at-start"],
    shareable=True,
)
def script_for_a_missing_interpreter(box: Box) -> None:
    """A script needs an interpreter that the image does not have."""
    run(box, "snake", *GOOD, "nointerp:1", check=False)
    box.wait_for(
        lambda: "no such file" in box.docker("logs", "snake").stderr, what="the kernel's refusal"
    )


@fault(
    "container.interpreter-missing",
    subject="container:viaenv",
    also=["container.exits-at-start"],
    shareable=True,
)
def script_whose_interpreter_env_does_not_find(box: Box) -> None:
    """A script has /usr/bin/env look for an interpreter that the image does not have."""
    run(box, "viaenv", *GOOD, "viaenv:1", check=False)
    box.wait_for(
        lambda: "can't execute 'python3'" in box.docker("logs", "viaenv").stderr,
        what="the words of env",
    )


@fault("container.entrypoint-missing", subject="container:noentry", shareable=True)
def program_that_is_not_there(box: Box) -> None:
    """The image does not have the program that it names."""
    run(box, "noentry", *GOOD, "noentry:1", check=False)
    assert box.inspect("noentry")["State"]["ExitCode"] == 127


@fault("container.entrypoint-missing", subject="container:bashless", shareable=True)
def shell_that_the_image_does_not_have(box: Box) -> None:
    """The command calls bash, and the image has another shell."""
    run(box, "bashless", *GOOD, "bb:1.36", "bash", "-c", "sleep 1000", check=False)
    assert box.inspect("bashless")["State"]["ExitCode"] == 127


@fault("container.entrypoint-missing", subject="container:oneword", shareable=True)
def line_in_the_place_of_a_program(box: Box) -> None:
    """A whole command line is given as one word."""
    run(box, "oneword", *GOOD, "bb:1.36", "sleep 1000", check=False)
    assert box.inspect("oneword")["State"]["ExitCode"] == 127


@fault("container.entrypoint-missing", subject="container:behind", shareable=True)
def options_behind_the_image(box: Box) -> None:
    """Options of `docker run` are given behind the image's name."""
    options = ["-e", "MODE=fast", "--restart=no"]
    run(box, "behind", *GOOD, "shop:1.4", *options, check=False)
    assert box.inspect("behind")["State"]["ExitCode"] == 127


@fault("container.entrypoint-missing", subject="container:foreigncmd", shareable=True)
def command_that_the_image_does_not_have(box: Box) -> None:
    """The container was given another command than its image has, and the image lacks it."""
    run(box, "foreigncmd", *GOOD, "shop:1.4", "/opt/none", check=False)
    assert box.inspect("foreigncmd")["State"]["ExitCode"] == 127


@fault("container.entrypoint-forbidden", subject="container:noexec", shareable=True)
def program_without_execute_bit(box: Box) -> None:
    """The program in the image may not be executed."""
    run(box, "noexec", *LAX, "noexecbit:1", check=False)
    assert box.inspect("noexec")["State"]["ExitCode"] == 126


@fault(
    "container.entrypoint-missing",
    subject="container:underinit",
    also=["container.exits-at-start"],
    shareable=True,
)
def program_that_is_not_there_below_an_init(box: Box) -> None:
    """The image does not have the program that an init is to start: the engine sees no failed
    start."""
    run(box, "underinit", *GOOD, "--init", "bb:1.36", "/opt/app/serve", check=False)
    box.wait_for(
        lambda: "No such file" in box.docker("logs", "underinit").stderr,
        what="the init's last words",
    )


@fault(
    "container.entrypoint-forbidden",
    subject="container:closed",
    also=["container.exits-at-start"],
    shareable=True,
)
def interpreter_that_the_user_may_not_reach(box: Box) -> None:
    """A script's interpreter lies in a folder of root's, and the container runs as another user."""
    box.sh("mkdir -m 700 /srv/closed; cp /bin/busybox /srv/closed/sh")
    run(box, "closed", *GOOD, "-v=/srv/closed:/closed", "closed:1", check=False)
    box.wait_for(
        lambda: "permission denied" in box.docker("logs", "closed").stderr,
        what="the kernel's refusal",
    )


@fault(
    "container.entrypoint-forbidden",
    subject="container:capable",
    also=["container.exits-at-start"],
    shareable=True,
)
def program_with_capabilities_that_were_dropped(box: Box) -> None:
    """A program carries CAP_NET_BIND_SERVICE, as setcap gives it, and its container was created
    without."""
    box.docker("volume", "create", "capable")
    program = "/var/lib/docker/volumes/capable/_data/busybox"
    box.sh(f"cp /bin/busybox {program}")
    bind_service = struct.pack("<IIIII", VFS_CAP_REVISION_2 | VFS_CAP_EFFECTIVE, 1 << 10, 0, 0, 0)
    os.setxattr(box.path(program), "security.capability", bind_service)
    run(
        box,
        "capable",
        *GOOD,
        "-v=capable:/tools",
        "bb:1.36",
        "/tools/busybox",
        "sleep",
        "1000",
        check=False,
    )
    box.wait_for(
        lambda: "not permitted" in box.docker("logs", "capable").stderr, what="the kernel's refusal"
    )


def _unhealthy(
    box: Box,
    name: str,
    probe: str,
    *options: str,
    runs: Sequence[str] = ("bb:1.36", "sleep", "1000"),
) -> None:
    health = [f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=2", *options]
    run(box, name, *GOOD, *health, *runs)
    box.wait_for(
        lambda: box.inspect(name)["State"]["Health"]["Status"] == "unhealthy",
        what=f"{name} to be unhealthy",
    )


@fault("container.unhealthy", subject="container:sick", shareable=True)
def probe_fails(box: Box) -> None:
    """The application does not answer its health check; a restart would help it."""
    probe = (
        "test -e /tmp/alive || { echo 'connect to 127.0.0.1:9: Connection refused' >&2; exit 1; }"
    )
    health = [f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=2"]
    run(
        box,
        "sick",
        *GOOD,
        "--tmpfs=/tmp",
        *health,
        "bb:1.36",
        "sh",
        "-c",
        "touch /tmp/alive; exec sleep 1000",
    )
    box.wait_for(
        lambda: box.inspect("sick")["State"]["Health"]["Status"] == "healthy",
        what="sick to be healthy",
    )
    box.docker("exec", "sick", "rm", "/tmp/alive")
    box.wait_for(
        lambda: box.inspect("sick")["State"]["Health"]["Status"] == "unhealthy",
        what="sick to be unhealthy",
    )


@fault("container.unhealthy", subject="container:drowsy", shareable=True)
def probe_takes_too_long(box: Box) -> None:
    """The health check does not end within its timeout."""
    _unhealthy(box, "drowsy", "sleep 9", "--health-timeout=1s")
    assert box.inspect("drowsy")["State"]["Health"]["Log"][-1]["ExitCode"] == -1
    command = first_command(box, "container.unhealthy", "drowsy")
    assert command == "diagnose recreate drowsy -- --health-timeout=30s | sh", command


@fault("container.unhealthy", subject="container:forgotten", exit_code=2)
def record_of_the_runtime_removed(box: Box) -> None:
    """A program that cleans /run has removed the runtime's record of a container that runs."""
    health = ["--health-cmd=true", "--health-interval=1s", "--health-retries=2"]
    run(box, "forgotten", *GOOD, *health, "bb:1.36", "sleep", "1000")
    box.wait_health("forgotten", "healthy")
    box.sh(f"rm -r /run/docker/runtime-*/moby/{box.inspect('forgotten')['Id']}")
    box.wait_health("forgotten", "unhealthy")
    assert "does not exist" in box.inspect("forgotten")["State"]["Health"]["Log"][-1]["Output"]


@fault("container.unhealthy", subject="container:unprobed", shareable=True)
def probe_cannot_run(box: Box) -> None:
    """The image does not have the tool that the health check calls; the server is well."""
    _unhealthy(box, "unprobed", "curl -f http://localhost:8080/", runs=["shop:1.4"])
    assert box.inspect("unprobed")["State"]["Health"]["Log"][-1]["ExitCode"] == 127


@fault("container.mount-source-missing", subject="container:misfiled", shareable=True)
def folder_over_a_file(box: Box) -> None:
    """`-v` named a file that does not exist: the engine made a folder, which cannot lie over a
    file."""
    run(
        box,
        "misfiled",
        *GOOD,
        "-v=/srv/misfiled/app.conf:/etc/passwd",
        "bb:1.36",
        "sleep",
        "1000",
        check=False,
    )
    assert box.path("/srv/misfiled/app.conf").is_dir()
    assert box.inspect("misfiled")["State"]["ExitCode"] == 127


@fault("container.mount-source-missing", subject="container:sourceless", shareable=True)
def source_gone_before_the_start(box: Box) -> None:
    """The source of a `--mount` was removed between create and start."""
    box.write("/srv/sourceless/app.conf", "x")
    mount = "type=bind,source=/srv/sourceless/app.conf,target=/app.conf"
    box.docker("create", "--name=sourceless", *GOOD, "--mount", mount, "bb:1.36", "sleep", "1000")
    box.sh("rm /srv/sourceless/app.conf")
    assert "does not exist" in box.docker("start", "sourceless", check=False).stderr


@fault(
    "container.mount-forbidden",
    subject="container:locked-out",
    also=["container.exits-at-start"],
    shareable=True,
)
def folder_of_another_user(box: Box) -> None:
    """A mounted folder belongs to root alone, and the container runs as another user."""
    box.sh("mkdir -m 700 /srv/private; echo x >/srv/private/key")
    run(
        box,
        "locked-out",
        *GOOD,
        "-v=/srv/private:/data",
        "bb:1.36",
        "sh",
        "-c",
        "exec cat /data/key",
    )
    assert box.wait_state("locked-out", "exited")["State"]["ExitCode"] == 1
    assert "Permission denied" in box.docker("logs", "locked-out").stderr


def _shut_out(box: Box, name: str, mount: str, work: str) -> str:
    """What the tool says, on one line, of a container that ended because its user was denied
    something in a mount."""
    run(box, name, *GOOD, f"-v={mount}", "bb:1.36", "sh", "-c", work)
    box.wait_state(name, "exited")
    assert "Permission denied" in box.docker("logs", name).stderr
    return " ".join(box.diagnose("check", "container.mount-forbidden").out.split())


@fault(
    "container.mount-forbidden",
    subject="container:keyless",
    also=["container.exits-at-start"],
    shareable=True,
)
def file_of_another_user_below_an_open_folder(box: Box) -> None:
    """A mounted folder is open to all, and the key in it belongs to root alone."""
    box.sh("mkdir -m 755 /srv/conf; echo x >/srv/conf/key.pem; chmod 600 /srv/conf/key.pem")
    said = _shut_out(box, "keyless", "/srv/conf:/conf", "exec cat /conf/key.pem")
    assert '"keyless" cannot read /conf/key.pem' in said, said
    assert "0:0 with mode 600" in said, said


@fault(
    "container.mount-forbidden",
    subject="container:logless",
    also=["container.exits-at-start"],
    shareable=True,
)
def folder_that_may_be_read_alone(box: Box) -> None:
    """A program creates a file in a mounted folder that its user may only read."""
    box.sh("mkdir -m 755 /srv/logs")
    said = _shut_out(box, "logless", "/srv/logs:/logs", "echo x >/logs/app.log")
    assert '"logless" cannot create or remove files in /logs:' in said, said


@fault("container.exits-at-start", subject="container:grouped", shareable=True)
def folder_of_a_group_that_was_added(box: Box) -> None:
    """A folder is open to a group that the container was given; what its program was refused lay
    elsewhere."""
    box.sh("mkdir -m 770 /srv/gd; chown 0:50 /srv/gd")
    user = ["--user=1000", "--group-add=50", *(option for option in LAX if "user" not in option)]
    work = "[ -e /tmp/n ] && exec sleep 1000; touch /tmp/n; echo x >/gd/new && echo /gd/new: Permission denied >&2; exit 1"
    run(box, "grouped", *user, "-v=/srv/gd:/gd", "bb:1.36", "sh", "-c", work)
    box.wait_state("grouped", "exited")
    assert box.path("/srv/gd/new").exists()


@fault(
    "container.mount-source-missing",
    subject="container:secretless",
    also=["container.exits-at-start"],
    shareable=True,
)
def empty_folder_for_a_file(box: Box) -> None:
    """`-v` named a secret that does not exist, where the image has nothing: the program finds an
    empty folder."""
    secret = "/run/secrets/db_password"
    # below a tmpfs no folder stays behind in the container's layer, where no file could be mounted
    # any more
    options = [*GOOD, "--tmpfs=/run", f"-v=/srv/secrets/db_password:{secret}"]
    run(
        box,
        "secretless",
        *options,
        "bb:1.36",
        "sh",
        "-c",
        f"dd if={secret} of=/dev/null && exec sleep 1000",
    )
    assert box.wait_state("secretless", "exited")["State"]["ExitCode"] == 1
    assert "Is a directory" in box.docker("logs", "secretless").stderr


def _remapped(box: Box) -> None:
    """An engine to which root in a container is user 100000 of the host."""
    box.sh(
        "echo dockremap:x:990:990::/:/bin/false >>/etc/passwd; echo dockremap:x:990: >>/etc/group"
    )
    box.sh("for each in uid gid; do echo dockremap:100000:65536 >/etc/sub$each; done")
    box.start_engine(config={**BASE_CONFIG, "userns-remap": "default"})


@fault(
    "container.mount-forbidden",
    subject="container:uprooted",
    also=["container.exits-at-start"],
    engine_started=False,
    baseline=False,
)
def root_that_is_not_the_hosts(box: Box) -> None:
    """The engine remaps users, and root of a container writes where the host's root alone may."""
    _remapped(box)
    box.sh("mkdir -m 755 /srv/up")
    run(box, "uprooted", "--memory=64m", "-v=/srv/up:/up", "bb:1.36", "sh", "-c", "echo x >/up/new")
    box.wait_state("uprooted", "exited")
    assert "Permission denied" in box.docker("logs", "uprooted").stderr
    said = " ".join(box.diagnose("check", "container.mount-forbidden").out.split())
    assert "its user is root (100000 on the host)" in said, said


@fault("container.exits-at-start", subject="container:mapped", engine_started=False, baseline=False)
def folder_of_the_remapped_user(box: Box) -> None:
    """The engine remaps users, and a folder belongs to the container's user as the host knows
    it."""
    _remapped(box)
    box.sh("mkdir -m 700 /srv/mapped; chown 101000:101000 /srv/mapped")
    work = "echo x >/mapped/new && echo '/mapped/new: Permission denied' >&2; exit 1"
    run(box, "mapped", *GOOD, "-v=/srv/mapped:/mapped", "bb:1.36", "sh", "-c", work)
    box.wait_state("mapped", "exited")
    assert box.path("/srv/mapped/new").stat().st_uid == 101000


@fault("container.mount-stale", subject="container:certless", shareable=True)
def mounted_file_replaced(box: Box) -> None:
    """A mounted file is replaced by rename, as editors and certbot do: the container keeps the old
    one."""
    box.write("/srv/certless/cert.pem", "old")
    run(
        box, "certless", *GOOD, "-v=/srv/certless/cert.pem:/cert.pem:ro", "bb:1.36", "sleep", "1000"
    )
    box.sh("echo new >/srv/certless/next; mv /srv/certless/next /srv/certless/cert.pem")
    assert box.docker("exec", "certless", "cat", "/cert.pem").stdout == "old"


@fault("container.dead", subject="container:undead")
def removal_fails(box: Box) -> None:
    """A file of a container may not be deleted, so its removal fails half-way."""
    run(box, "undead", *GOOD, "bb:1.36", "sleep", "1000")
    folder = f"/var/lib/docker/containers/{box.inspect('undead')['Id']}"
    box.sh(f"chattr +i {folder}/hostname")
    box.docker("rm", "-f", "undead", check=False)
    assert box.inspect("undead")["State"]["Status"] == "dead"


@fault(
    "container.shim-lost",
    subject="container:orphan",
    # without containerd no container starts again
    also=["daemon.*", "container.unhealthy", "container.start-refused"],
)
def shim_killed_while_containerd_was_down(box: Box) -> None:
    """containerd and a container's shim are killed; the container's process lives on."""
    run(box, "orphan", *GOOD, "bb:1.36", "sleep", "1000")
    inside = box.inspect("orphan")
    shim = next(
        pid
        for pid in box.pids_of("containerd-shim-runc-v2")
        if inside["Id"] in _arguments(box, pid)
    )
    box.kill(box.engine_pid, signal.SIGSTOP)
    box.kill(box.containerd_pid, signal.SIGKILL)
    box.kill(shim, signal.SIGKILL)
    box.kill(box.engine_pid, signal.SIGCONT)
    box.wait_for(lambda: not box.alive(shim), what="the shim to end")
    assert box.alive(inside["State"]["Pid"])


def _arguments(box: Box, pid: int) -> str:
    return box.path(f"/proc/{pid}/cmdline").read_bytes().decode()


@fault("container.paused", subject="container:frozen", shareable=True)
def paused_and_forgotten(box: Box) -> None:
    """A container was paused."""
    run(box, "frozen", *GOOD, "bb:1.36", "sleep", "1000")
    box.docker("pause", "frozen")
    assert box.inspect("frozen")["State"]["Status"] == "paused"


@fault("container.zombies", subject="container:undertaker", shareable=True)
def children_not_reaped(box: Box) -> None:
    """A first process that reaps nothing has inherited children that ended."""
    script = "i=0; while [ $i -lt 25 ]; do (sleep 1 &); i=$((i+1)); done; exec sleep 1000"
    run(box, "undertaker", *GOOD, "bb:1.36", "sh", "-c", script)

    def zombies() -> int:
        """A state may have more letters: N says that the box runs at a low priority."""
        return sum(line.startswith("Z") for line in box.sh("ps -eo stat,comm").splitlines())

    box.wait_for(lambda: zombies() >= 20, timeout=30, what="twenty zombies")


@fault("container.ignores-stop-signal", subject="container:deaf", exit_code=0)
def killed_after_its_grace_period(box: Box) -> None:
    """A first process without a handler for SIGTERM waits out its grace period."""
    box.docker("run", "-d", "--name=deaf", "--stop-timeout=1", *GOOD, "bb:1.36", "sleep", "1000")
    box.docker("stop", "deaf")
    assert box.inspect("deaf")["State"]["ExitCode"] == 137


@fault("container.device-missing", subject="container:blind", shareable=True)
def device_that_is_not_there(box: Box) -> None:
    """A container asks for a device that the host does not have."""
    run(box, "blind", *GOOD, "--device=/dev/video9", "bb:1.36", "sleep", "1000", check=False)
    assert box.inspect("blind")["State"]["ExitCode"] == 128


@fault("container.device-missing", subject="container:trainer", shareable=True)
def gpu_without_driver(box: Box) -> None:
    """A container asks for GPUs on a host without their driver."""
    run(box, "trainer", *GOOD, "--gpus=all", "bb:1.36", "sleep", "1000", check=False)
    assert box.inspect("trainer")["State"]["ExitCode"] == 128


@fault("container.runtime-limit-hit", subject="container:narrow", shareable=True)
def too_few_files_to_start(box: Box) -> None:
    """A ulimit so low that the runtime itself cannot work under it."""
    run(box, "narrow", *GOOD, "--ulimit=nofile=6:6", "bb:1.36", "sleep", "1000", check=False)
    assert "too many open files" in box.inspect("narrow")["State"]["Error"]


@fault(
    "container.runtime-limit-hit",
    subject="container:crowded",
    also=["container.exits-at-start"],
    shareable=True,
)
def too_few_processes_for_its_user(box: Box) -> None:
    """A ulimit on processes, which counts what its user runs in other containers."""
    options = [*(option for option in GOOD if "user" not in option), "--user=1777:1777"]
    run(box, "many", *options, "bb:1.36", "sh", "-c", "sleep 1000 & sleep 1000 & wait")
    box.wait_for(
        lambda: "sleep" in str(box.api("/containers/many/top")), what="two processes of that user"
    )
    run(box, "crowded", *options, "--ulimit=nproc=2:2", "bb:1.36", "sleep", "1000", check=False)
    box.wait_for(
        lambda: "temporarily" in box.docker("logs", "crowded").stderr, what="the kernel's refusal"
    )


@fault("container.start-refused", subject="container:sidecar", shareable=True)
def joined_container_does_not_run(box: Box) -> None:
    """A container shares the network of another one that has ended."""
    run(box, "front", *GOOD, "bb:1.36", "sleep", "1000")
    run(box, "sidecar", *GOOD, "--network=container:front", "bb:1.36", "sleep", "1000")
    box.docker("kill", "front", "sidecar")
    assert "non running container" in box.docker("start", "sidecar", check=False).stderr


@fault("container.start-refused", subject="container:nobodys", shareable=True)
def user_that_the_image_does_not_have(box: Box) -> None:
    """A container is to run as a user whose name its image does not know."""
    run(box, "nobodys", *GOOD, "--user=postgres", "bb:1.36", "sleep", "1000", check=False)
    assert "unable to find user postgres" in box.inspect("nobodys")["State"]["Error"]


@fault("container.start-refused", subject="container:initless", shareable=True)
def init_that_the_host_does_not_have(box: Box) -> None:
    """The host lost its docker-init for a while, and a container asked for it."""
    box.sh("path=$(command -v docker-init); mv $path $path.away")
    run(box, "initless", *GOOD, "--init", "bb:1.36", "sleep", "1000", check=False)
    box.sh("path=$(command -v docker-init.away); mv $path ${path%.away}")
    assert '"docker-init": executable file not found' in box.inspect("initless")["State"]["Error"]


@fault("container.start-refused", subject="container:overlaid", shareable=True)
def file_over_a_folder(box: Box) -> None:
    """A file of the host is to be mounted over a folder of the image."""
    box.write("/srv/overlaid.conf", "x")
    run(
        box,
        "overlaid",
        *GOOD,
        "-v=/srv/overlaid.conf:/data",
        "bb:1.36",
        "sleep",
        "1000",
        check=False,
    )
    assert "not a directory" in box.inspect("overlaid")["State"]["Error"]


@fault("container.crashed", subject="container:lease", shareable=True)
def service_that_ended_after_it_had_worked(box: Box) -> None:
    """A service without a restart policy works for some seconds and fails; the second run would
    not."""
    script = "[ -e /tmp/n ] && exec httpd -f -p 80; touch /tmp/n; sleep 11; echo 'lost the lease' >&2; exit 1"
    run(box, "lease", *LAX, "--publish=8391:80", "bb:1.36", "sh", "-c", script)
    assert box.wait_state("lease", "exited", timeout=20)["State"]["ExitCode"] == 1


def _crash(box: Box) -> str:
    """What is said of the one container that crashed."""
    (finding,) = box.diagnose("check", "container.crashed", "--format", "json").findings
    return str(finding["summary"])


@fault("container.crashed", subject="container:fallen")
def service_that_fell_with_the_engine(box: Box) -> None:
    """The engine was restarted: a service without a restart policy ended well, and is not there any
    more. The package manager's log says why."""
    script = "trap 'exit 0' TERM; touch /tmp/ready; sleep 1000 & wait"
    run(
        box,
        "fallen",
        *LAX,
        "--init",
        "--stop-timeout=10",
        "--publish=8393:80",
        "bb:1.36",
        "sh",
        "-c",
        script,
    )
    box.wait_for(
        lambda: not box.docker("exec", "fallen", "ls", "/tmp/ready", check=False).returncode,
        what="its trap",
    )
    engine = box.engine_pid
    box.kill(engine, signal.SIGTERM)
    box.wait_for(lambda: not box.alive(engine), 40, "the engine to end")
    ended = box.sh("date '+%F %T'").strip()
    box.start_engine()
    box.sh("rm -f /var/log/dpkg.log")
    assert "upgrade" not in _crash(box)
    # as dpkg writes it, when the engine's package is upgraded at night
    box.write("/var/log/dpkg.log", f"{ended} upgrade docker.io:amd64 28.5.1+dfsg-1 28.5.2+dfsg-1\n")
    assert "when an upgrade (docker.io 28.5.1 to 28.5.2) restarted the engine" in _crash(box)
    assert box.inspect("fallen")["State"]["ExitCode"] == 0
    box.wait_health("web", "healthy")


@fault("container.entrypoint-missing", subject="container:covered", shareable=True)
def program_hidden_by_a_mount(box: Box) -> None:
    """An empty folder lies over the one that holds the program."""
    run(box, "covered", *GOOD, "--tmpfs=/bin", "bb:1.36", "/bin/sleep", "1000", check=False)
    assert box.inspect("covered")["State"]["ExitCode"] == 127


@fault("container.network-gone", subject="container:stranded", shareable=True)
def network_removed(box: Box) -> None:
    """The network of a stopped container was removed."""
    box.docker("network", "create", "strandednet")
    run(box, "stranded", *GOOD, "--network=strandednet", "bb:1.36", "sleep", "1000")
    box.docker("kill", "stranded")
    box.docker("network", "rm", "strandednet")
    assert "not found" in box.docker("start", "stranded", check=False).stderr


@fault("container.no-restart-policy", subject="container:fragile", shareable=True, exit_code=0)
def service_without_policy(box: Box) -> None:
    """A service with a health check and no restart policy."""
    run(box, "fragile", *GOOD, "--health-cmd=true", "bb:1.36", "sleep", "1000")


@healthy(shareable=True)
def had_its_limit_raised(box: Box) -> None:
    """A container was killed for memory, got more of it, and runs."""
    script = f"[ -e /tmp/second ] && exec sleep 1000; touch /tmp/second; {EATER}"
    run(
        box,
        "raised",
        "--memory=16m",
        "--memory-swap=16m",
        "--pids-limit=64",
        "bb:1.36",
        "sh",
        "-c",
        script,
    )
    box.wait_state("raised", "exited")
    box.docker("update", "--memory=64m", "--memory-swap=64m", "raised")
    box.docker("start", "raised")
    box.wait_state("raised", "running")


@healthy(shareable=True)
def killed_by_hand(box: Box) -> None:
    """A container was killed with SIGKILL by its user: exit 137, and no OOM."""
    run(box, "shot", *GOOD, "bb:1.36", "sleep", "1000")
    box.docker("kill", "shot")
    assert box.wait_state("shot", "exited")["State"]["ExitCode"] == 137


@healthy()
def service_stopped_by_hand_that_ends_with_an_error(box: Box) -> None:
    """A service was stopped and ends with exit code 1, and the engine was started again since: its
    events are lost."""
    script = "trap 'exit 1' TERM; sleep 1000 & wait"
    run(box, "polite", *GOOD, "--init", "--publish=8392:80", "bb:1.36", "sh", "-c", script)
    time.sleep(11)  # long enough to have worked
    box.docker("stop", "-t", "5", "polite")
    assert box.inspect("polite")["State"]["ExitCode"] == 1
    box.stop_engine()
    box.start_engine()
    box.docker("start", "web")


@healthy(shareable=True)
def jobs_that_failed_in_the_foreground(box: Box) -> None:
    """A one-shot command failed before the eyes of who ran it, and a one-off run of compose did."""
    box.docker("run", "--name=grep", *GOOD, "bb:1.36", "false", check=False)
    label = "--label=com.docker.compose.oneoff=True"
    run(box, "oneoff", *GOOD, label, "bb:1.36", "false")
    box.wait_state("oneoff", "exited")


@fault("container.unhealthy", subject="container:misprobed", shareable=True)
def probe_of_another_port(box: Box) -> None:
    """The probe calls port 3000, and the server listens on 8080: the report says that nothing
    listens there."""
    options = [
        "--health-interval=1s",
        "--health-retries=2",
        "--health-cmd=wget -qO- http://127.0.0.1:3000/ || exit 1",
    ]
    server = ["bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www"]
    box.docker(
        "run", "-d", "--name=misprobed", "--memory=64m", "--pids-limit=64", *options, *server
    )
    box.wait_health("misprobed", "unhealthy")
    words = ["check", "container.unhealthy", "--container", "misprobed", "--format", "json"]
    (finding,) = box.diagnose(*words).findings
    assert any(socket.endswith(":8080") for socket in finding["evidence"]["TCP sockets inside"])


@fault("container.record-damaged", subject="container:*", shareable=True)
def record_emptied_by_a_power_cut(box: Box) -> None:
    """A record of a container lies empty in the data root, as after a power cut and a start."""
    made = box.docker("create", "--name=emptied9", "--volume=emptied9:/data", "bb:1.36", "true")
    folder, lost = "/var/lib/docker/containers", "5eed" * 16
    box.sh(
        f"cp -a {folder}/{made.stdout.strip()} {folder}/{lost}; : >{folder}/{lost}/config.v2.json"
    )
    finding = next(
        item
        for item in box.diagnose("check", "container.record-damaged", "--format", "json").findings
        if item["subject"]["name"] == lost[:12]
    )
    assert "it used emptied9" in finding["summary"], finding


@fault("container.data-left-behind", subject="container:archive9", shareable=True)
def made_again_without_its_volume(box: Box) -> None:
    """A container with a volume that nobody named was removed and made again."""
    limits = ["--memory=64m", "--pids-limit=64", "--restart=unless-stopped", "--volume=/data"]
    script = "cd /data; [ -e 1 ] || mkdir 1 2 3 4 5; exec sleep 1000"
    words = ("run", "-d", "--name=archive9", *limits, "bb:1.36", "sh", "-c", script)
    box.docker(*words)
    box.docker("exec", "archive9", "ls", "/data/5")
    box.docker("rm", "-f", "archive9")
    box.docker(*words)
    findings = box.diagnose("check", "container.data-left-behind", "--format", "json").findings
    (finding,) = [item for item in findings if item["subject"]["name"] == "archive9"]
    assert "recreate archive9 --unmount /data" in finding["fix"][0]["command"], finding
