"""Images whose program cannot start: another format, no interpreter, no file, no permission."""

from __future__ import annotations

import os
import struct

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.container.helpers import GOOD, LAX, run
from tests.lab.scenarios.everyday.helpers import first_command

VFS_CAP_REVISION_2, VFS_CAP_EFFECTIVE = 0x02000000, 1
"""Of the header of a file's capabilities (linux/capability.h)."""


@fault(
    "container.exec-format",
    subject="container:foreign",
    expect=[("container.exits-at-start", "container:foreign")],
    shareable=True,
    first_command=(
        "decides",
        "a pull shows whether there is an image for this machine; the lab's has no registry",
    ),
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
    first_command=(
        "decides",
        "a pull shows whether there is an image for this machine; the lab's has no registry",
    ),
)
def built_for_another_machine_and_restarted(box: Box) -> None:
    """A program for another architecture under a restart policy: the loop began before its last
    end."""
    run(box, "looped", "--restart=always", *GOOD, "foreign:1", check=False)
    box.wait_for(lambda: box.inspect("looped")["RestartCount"] >= 5, what="five restarts")


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
    "container.exec-format",
    subject="container:marked",
    also=["container.exits-at-start"],
    shareable=True,
)
def script_with_a_byte_order_mark(box: Box) -> None:
    """An editor of Windows saved the script as UTF-8 with a mark, and the kernel sees no `#!`."""
    run(box, "marked", *LAX, "marked:1", check=False)
    box.wait_for(
        lambda: "exec format error" in box.docker("logs", "marked").stderr,
        what="the kernel's refusal",
    )


def _mended_in_a_copy(box: Box, check: str, name: str) -> None:
    """The first command mends a copy on the host, and the container starts with it."""
    command = first_command(box, check, name)
    assert f"recreate {name} -- --volume=/root/{name}-" in command, command


@fault(
    "container.exec-format",
    subject="container:bare2",
    also=["container.exits-at-start"],
    shareable=True,
)
def script_without_interpreter_line_on_a_read_only_root(box: Box) -> None:
    """The script does not say what runs it, and nothing can be copied into the container."""
    run(box, "bare2", *GOOD, "noshebang:1", check=False)
    box.wait_for(
        lambda: "exec format error" in box.docker("logs", "bare2").stderr,
        what="the kernel's refusal",
    )
    _mended_in_a_copy(box, "container.exec-format", "bare2")


@fault("container.entrypoint-forbidden", subject="container:noexec2", shareable=True)
def program_without_execute_bit_on_a_read_only_root(box: Box) -> None:
    """The program has no x bit, and nothing can be copied into the container."""
    run(box, "noexec2", *GOOD, "noexecbit:1", check=False)
    assert box.inspect("noexec2")["State"]["ExitCode"] == 126
    _mended_in_a_copy(box, "container.entrypoint-forbidden", "noexec2")


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
    first_command=("decides", "a pull shows whether the image was mended under its tag"),
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
    first_command=("decides", "a pull shows whether the image was mended under its tag"),
)
def script_whose_interpreter_env_does_not_find(box: Box) -> None:
    """A script has /usr/bin/env look for an interpreter that the image does not have."""
    run(box, "viaenv", *GOOD, "viaenv:1", check=False)
    box.wait_for(
        lambda: "can't execute 'python3'" in box.docker("logs", "viaenv").stderr,
        what="the words of env",
    )


@fault(
    "container.entrypoint-missing",
    subject="container:noentry",
    shareable=True,
    first_command=("decides", "a pull shows whether the image was mended under its tag"),
)
def program_that_is_not_there(box: Box) -> None:
    """The image does not have the program that it names."""
    run(box, "noentry", *GOOD, "noentry:1", check=False)
    assert box.inspect("noentry")["State"]["ExitCode"] == 127


@fault("container.entrypoint-missing", subject="container:bashless", shareable=True)
def shell_that_the_image_does_not_have(box: Box) -> None:
    """The command calls bash, and the image has another shell."""
    run(box, "bashless", *GOOD, "bb:1.36", "bash", "-c", "sleep 1000", check=False)
    assert box.inspect("bashless")["State"]["ExitCode"] == 127


@fault("container.entrypoint-forbidden", subject="container:argued", shareable=True)
def folder_in_the_place_of_a_command(box: Box) -> None:
    """A folder was to be the argument of the image's program, and became the command: the image
    has no entrypoint."""
    server = b'#!/bin/sh\ncd "$1" && exec sleep 1000\n'
    load(box, "store:1", Recipe({"serve": (server, 0o755)}, ('CMD ["/serve"]',)))
    run(box, "argued", *GOOD, "--volume=/srv/argued:/data", "store:1", "/data", check=False)
    assert box.inspect("argued")["State"]["ExitCode"] == 126
    command = first_command(box, "container.entrypoint-forbidden", "argued")
    assert command == "diagnose recreate argued --command '/serve /data' | sh", command


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
    first_command=("half", "it says by hand that the program belongs in the image"),
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
        box, "capable", *GOOD, "-v=capable:/tools", "bb:1.36", "/tools/busybox", "sleep", "1000",
        check=False,
    )  # fmt: skip
    box.wait_for(
        lambda: "not permitted" in box.docker("logs", "capable").stderr, what="the kernel's refusal"
    )


@fault("container.entrypoint-missing", subject="container:covered", shareable=True)
def program_hidden_by_a_mount(box: Box) -> None:
    """An empty folder lies over the one that holds the program."""
    run(box, "covered", *GOOD, "--tmpfs=/bin", "bb:1.36", "/bin/sleep", "1000", check=False)
    assert box.inspect("covered")["State"]["ExitCode"] == 127


@fault(
    "container.entrypoint-missing",
    subject="container:game",
    also=[("container.exits-at-start", "container:game")],
    shareable=True,
)
def server_that_was_not_downloaded(box: Box) -> None:
    """A start script changes to a mounted folder, and calls a server by a relative path that an
    installation was to put there."""
    box.write("/srv/game/start.sh", "#!/bin/sh\ncd /game || exit 1\n./Server.sh\n")
    box.sh("chmod +x /srv/game/start.sh")
    run(box, "game", *GOOD, "-v=/srv/game:/game", "bb:1.36", "/game/start.sh", check=False)
    box.wait_for(lambda: box.inspect("game")["State"]["ExitCode"] == 127, what="the end")
    assert "./Server.sh: not found" in box.docker("logs", "game").stderr
    out = " ".join(box.diagnose("check", "container.entrypoint-missing").out.split())
    assert "there is no /game/Server.sh in what is mounted at /game, nor in its image" in out, out
    assert "--unmount" not in out, out


_TOOL = Recipe({"app/job": (b"#!/bin/sh\necho done\n", 0o755)}, ('CMD ["sleep","1000"]',))
_EACH_SECOND = ("sh", "-c", "while /app/job; do sleep 1; done")


@fault(
    "container.files-lost",
    subject="container:rinsed",
    also=["container.restart-loop", "security.*"],
    shareable=True,
)
def program_deleted_by_hand(box: Box) -> None:
    """Somebody deletes a program in a container, and restarts it; its image still has it."""
    load(box, "jobs:1", _TOOL)
    run(box, "rinsed", *LAX, "--restart=unless-stopped", "jobs:1", *_EACH_SECOND)
    box.docker("exec", "--user=0", "rinsed", "rm", "/app/job")
    box.docker("restart", "-t", "0", "rinsed")
    box.wait_for(lambda: box.inspect("rinsed")["RestartCount"] >= 3, what="the restarts")
    assert "not found" in box.docker("logs", "rinsed").stderr
    command = first_command(box, "container.files-lost", "rinsed")
    assert command == "diagnose recreate rinsed | sh", command


@fault(
    "container.files-lost", subject="container:numbed", also=["container.unhealthy"], shareable=True
)
def program_of_the_probe_without_its_mode(box: Box) -> None:
    """A health check calls a program that somebody has made unusable in the container."""
    load(box, "jobs:1", _TOOL)
    probe = ("--health-cmd=/app/job", "--health-interval=0.3s", "--health-retries=2")
    run(box, "numbed", *LAX, *probe, "jobs:1")
    box.docker("exec", "--user=0", "numbed", "chmod", "000", "/app/job")
    box.wait_health("numbed", "unhealthy")


@healthy(shareable=True)
def file_deleted_that_nobody_misses(box: Box) -> None:
    """A file of the image was deleted in a container, and its program does not need it."""
    load(box, "jobs:1", _TOOL)
    run(box, "pruned8", *LAX, "jobs:1")
    box.docker("exec", "--user=0", "pruned8", "rm", "/app/job")
    assert "D /app/job" in box.docker("diff", "pruned8").stdout
