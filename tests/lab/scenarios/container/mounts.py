"""Mounts whose source is missing, forbidden, or replaced."""

from __future__ import annotations

import sys

from tests.lab import Box, fault
from tests.lab.images import Recipe, load
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.container.helpers import GOOD, LAX, run
from tests.lab.scenarios.everyday.helpers import first_command


@fault(
    "container.mount-source-missing",
    subject="container:misfiled",
    shareable=True,
    first_command=("half", "the file has to be put there"),
)
def folder_over_a_file(box: Box) -> None:
    """`-v` named a file that does not exist: the engine made a folder, which cannot lie over a
    file."""
    run(
        box, "misfiled", *GOOD, "-v=/srv/misfiled/app.conf:/etc/passwd", "bb:1.36", "sleep",
        "1000",
        check=False,
    )  # fmt: skip
    assert box.path("/srv/misfiled/app.conf").is_dir()
    assert box.inspect("misfiled")["State"]["ExitCode"] == 127


@fault("container.mount-source-missing", subject="container:relay61", shareable=True)
def folder_over_the_program_of_a_newer_image(box: Box) -> None:
    """A newer image has its program where the older one had a folder of data, which is mounted."""
    files = {"app/relay": (b"#!/bin/sh\nexec sleep 1000\n", 0o755)}
    load(box, "relay61:2", Recipe(files=files, changes=("WORKDIR /app", 'CMD ["./relay"]')))
    volume = "-v=/srv/relay61/data:/app/relay"
    run(box, "relay61", *GOOD, volume, "relay61:2", check=False)
    assert box.inspect("relay61")["State"]["ExitCode"] == 127
    command = first_command(box, "container.mount-source-missing", "relay61")
    assert command == "diagnose recreate relay61 --unmount /app/relay | sh", command


@fault(
    "container.mount-source-missing",
    subject="container:sourceless",
    shareable=True,
    first_command=("half", "the file has to be put there"),
)
def source_gone_before_the_start(box: Box) -> None:
    """The source of a `--mount` was removed between create and start."""
    box.write("/srv/sourceless/app.conf", "x")
    mount = "type=bind,source=/srv/sourceless/app.conf,target=/app.conf"
    box.docker("create", "--name=sourceless", *GOOD, "--mount", mount, "bb:1.36", "sleep", "1000")
    box.sh("rm /srv/sourceless/app.conf")
    assert "does not exist" in box.docker("start", "sourceless", check=False).stderr


@fault("container.mount-source-missing", subject="container:shelved", shareable=True)
def file_moved_aside(box: Box) -> None:
    """Somebody moved a mounted file aside, and the engine made a folder of its name."""
    box.write("/srv/shelved/app.conf", "x")
    mount = "-v=/srv/shelved/app.conf:/etc/app.conf"
    run(box, "shelved", *GOOD, mount, "bb:1.36", "sleep", "1000")
    box.sh("mv /srv/shelved/app.conf /srv/shelved/app.conf.bak")
    box.docker("restart", "-t", "0", "shelved", check=False)
    assert box.path("/srv/shelved/app.conf").is_dir()
    command = first_command(box, "container.mount-source-missing", "shelved")
    assert (
        "mv --no-clobber --no-target-directory /srv/shelved/app.conf.bak /srv/shelved/app.conf"
        in command
    )


@fault("container.start-refused", subject="container:unlinked", shareable=True)
def folder_moved_from_behind_a_link(box: Box) -> None:
    """A folder was moved aside, and a link to nothing took its place."""
    box.write("/srv/unlinked/keys/key", "x")
    mount = "-v=/srv/unlinked/keys/key:/etc/key"
    run(box, "unlinked", *GOOD, mount, "bb:1.36", "sleep", "1000")
    box.sh("cd /srv/unlinked; mv keys keys.old; ln -s /nowhere/keys keys")
    refused = box.docker("restart", "-t", "0", "unlinked", check=False).stderr
    assert "file exists" in refused
    command = first_command(box, "container.start-refused", "unlinked")
    assert (
        "mv --no-clobber --no-target-directory /srv/unlinked/keys.old /srv/unlinked/keys" in command
    )


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
        box, "locked-out", *GOOD, "-v=/srv/private:/data", "bb:1.36", "sh", "-c",
        "exec cat /data/key",
    )  # fmt: skip
    assert box.wait_state("locked-out", "exited")["State"]["ExitCode"] == 1
    assert "Permission denied" in box.docker("logs", "locked-out").stderr


@fault("container.mount-unwritable", subject="container:kiosk81", shareable=True)
def site_that_its_user_cannot_read(box: Box) -> None:
    """A site is mounted read-only, belongs to root alone, and is served by another user."""
    box.sh("mkdir -m 700 /srv/kiosk81; echo hello >/srv/kiosk81/index.html")
    serve = ("httpd", "-f", "-p", "8080", "-h", "/")
    run(box, "kiosk81", *GOOD, "-v=/srv/kiosk81:/site:ro", "bb:1.36", *serve)
    seen = box.docker("exec", "kiosk81", "ls", "/site/index.html", check=False)
    assert "Permission denied" in seen.stderr
    command = first_command(box, "container.mount-unwritable", "kiosk81")
    assert command == "chown -R 1000:1000 /srv/kiosk81", command


@fault(
    "container.mount-unwritable",
    subject="container:uploads82",
    also=["container.errors-in-log"],
    shareable=True,
)
def uploads_that_their_folder_refuses(box: Box) -> None:
    """A program runs on and says of each upload that it may not make its folder."""
    box.sh("mkdir -m 755 /srv/uploads82")
    refused = "echo \"Error: EACCES: permission denied, mkdir '/data/$n'\""
    work = f"while sleep 1; do n=$((n + 1)); mkdir /data/$n 2>/dev/null || {refused}; done"
    run(box, "uploads82", *GOOD, "-v=/srv/uploads82:/data", "bb:1.36", "sh", "-c", work)
    box.wait_for(
        lambda: box.docker("logs", "uploads82").stdout.count("EACCES") > 4, what="refusals"
    )
    command = first_command(box, "container.mount-unwritable", "uploads82")
    assert command.startswith("chown 1000:1000 /srv/uploads82"), command


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
    first_command=("half", "the file has to be put there"),
)
def empty_folder_for_a_file(box: Box) -> None:
    """`-v` named a secret that does not exist, where the image has nothing: the program finds an
    empty folder."""
    secret = "/run/secrets/db_password"
    # below a tmpfs no folder stays behind in the container's layer, where no file could be mounted
    # any more
    options = [*GOOD, "--tmpfs=/run", f"-v=/srv/secrets/db_password:{secret}"]
    run(
        box, "secretless", *options, "bb:1.36", "sh", "-c",
        f"dd if={secret} of=/dev/null && exec sleep 1000",
    )  # fmt: skip
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
    (finding,) = [finding for finding in findings if finding["subject"]["name"] == "archive9"]
    assert "recreate archive9 --unmount /data" in finding["fix"][0]["command"], finding


_LOCKED = "/var/lib/docker/volumes/{name}/_data"


def _writer(box: Box, name: str, program: str) -> None:
    """A container whose program ends when it may not write to its volume."""
    options = ("--memory=64m", "--pids-limit=64", "--restart=always", f"--volume={name}:/data")
    run(box, name, *options, "bb:1.36", "sh", "-c", program)


@fault("container.mount-forbidden", subject="container:locked3", also=["container.restart-loop"])
def file_that_nobody_may_change(box: Box) -> None:
    """A settings file was made immutable, and the program, which is root, cannot save it."""
    box.docker("volume", "create", "locked3")
    file = f"{_LOCKED.format(name='locked3')}/settings.yml"
    box.sh(f"echo a: 1 >{file}; chattr +i {file}")
    _writer(box, "locked3", "echo b: 2 >>/data/settings.yml && exec sleep 1000")
    box.wait_for(lambda: box.inspect("locked3")["RestartCount"] > 2, what="the restarts")
    assert "Operation not permitted" in box.docker("logs", "locked3").stderr
    command = first_command(box, "container.mount-forbidden", "locked3")
    assert command.startswith(f"chattr -i {file}\n"), command
    box.sh(f"chattr -i {file}")
    box.wait_state("locked3", "running", 70)
    box.sh(f"chattr +i {file}; docker restart locked3")
    box.wait_for(lambda: box.inspect("locked3")["RestartCount"] > 2, what="the restarts")


@fault("container.mount-forbidden", subject="container:locked4", also=["container.restart-loop"])
def folder_that_only_grows(box: Box) -> None:
    """A log is append-only, and the program begins it anew at each start."""
    box.docker("volume", "create", "locked4")
    file = f"{_LOCKED.format(name='locked4')}/app.log"
    box.sh(f"echo old >{file}; chattr +a {file}")
    _writer(box, "locked4", "echo new >/data/app.log && exec sleep 1000")
    box.wait_for(lambda: box.inspect("locked4")["RestartCount"] > 2, what="the restarts")
    assert first_command(box, "container.mount-forbidden", "locked4").startswith(
        f"chattr -a {file}"
    )


@fault(
    "container.mount-forbidden",
    subject="container:intake63",
    also=["container.errors-in-log"],
    shareable=True,
)
def program_that_runs_on_without_its_folder(box: Box) -> None:
    """A folder is mounted read-only. The program continues, and says so each second."""
    box.sh("mkdir -p /srv/intake63")
    job = 'while :; do echo "job" >/inbox/last; sleep 1; done'
    run(
        box, "intake63", *GOOD, "-v=/srv/intake63:/inbox:ro", "bb:1.36", "sh", "-c", job,
        check=False,
    )  # fmt: skip
    said = "Read-only file system"
    box.wait_for(
        lambda: box.docker("logs", "intake63").stderr.count(said) > 3, what="its complaints"
    )
    command = first_command(box, "container.mount-forbidden", "intake63")
    assert "--unmount /inbox -- --volume=/srv/intake63:/inbox" in command, command


_FUSE = """
import ctypes, os, time
fd = os.open("/dev/fuse", os.O_RDWR)
options = b"fd=%d,rootmode=40000,user_id=1000,group_id=1000" % fd
ctypes.CDLL(None).mount(b"made-up", b"/srv/closed62", b"fuse.made-up", 6, options)
time.sleep(1000)
"""


@fault("container.start-refused", subject="container:closed62")
def fuse_mount_of_one_user(box: Box) -> None:
    """A user has mounted a FUSE file system without allow_other: root may not even look at it."""
    box.sh("mkdir -p /srv/closed62")
    box.spawn([sys.executable, "-c", _FUSE])
    box.wait_for(lambda: "fuse.made-up" in box.sh("cat /proc/mounts"), what="the mount")
    volume = "-v=/srv/closed62:/data"
    run(box, "closed62", *GOOD, volume, "bb:1.36", "sleep", "1000", check=False)
    assert "file exists" in box.inspect("closed62")["State"]["Error"]
    (finding,) = box.diagnose("check", "container.start-refused", "--format", "json").findings
    assert "without allow_other" in finding["summary"], finding
