"""Programs that object to their data: another version, a lock, a pid file, a mount."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, POSTGRES, logs, run


@fault(
    "container.data-version-mismatch",
    subject="container:orders-db",
    also=["container.exits-at-start"],
    first_command=(
        "heals",
        "the release that wrote the data; the lab has no registry to pull it from",
    ),
)
def database_of_another_major_version(box: Box) -> None:
    """PostgreSQL 15 on data that says it is of version 13; the program and its refusal are real."""
    options = [
        "--network=none", "--user=1000:1000", "--memory=256m", *MACHINE, "-v", "orders:/data",
    ]  # fmt: skip
    make = f"{POSTGRES}/initdb -D /data/pg -A trust >/dev/null && echo 13 > /data/pg/PG_VERSION"
    box.docker(
        "run", "--rm", "--user=0", "-v", "orders:/data", "bb:1.36", "sh", "-c",
        "mkdir /data/pg && chown 1000 /data/pg",
    )  # fmt: skip
    box.docker("run", "--rm", *options, "bb:1.36", "sh", "-c", make)
    run(
        box, "orders-db", *options, "bb:1.36", f"{POSTGRES}/postgres", "-D", "/data/pg", "-k",
        "/tmp",
    )  # fmt: skip
    assert box.wait_state("orders-db", "exited")["State"]["ExitCode"] == 1
    assert "initialized by PostgreSQL version 13" in logs(box, "orders-db")


_LOCK = """
import fcntl, sys, time
file = open("/data/ibdata1", "w")
try:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError as error:
    print("2026-01-02  7:51:18 0 [ERROR] InnoDB: Unable to lock ./ibdata1 error:", error.errno)
    print("2026-01-02  7:51:18 0 [Note] InnoDB: Check that you do not already have another mysqld process using the same files.")
    print("2026-01-02  7:51:19 0 [ERROR] Aborting")
    sys.exit(1)
print("ready for connections")
time.sleep(1000)
"""


@fault(
    "container.data-locked",
    subject="container:mysql-b",
    also=["container.exits-at-start"],
    shareable=True,
)
def two_servers_on_one_volume(box: Box) -> None:
    """A second server on a volume whose file the first one has locked, by a real lock."""
    options = [
        "--network=none", "--memory=64m", "--pids-limit=64", *MACHINE, "-v", "shared:/data",
        "bb:1.36", "/usr/bin/python3",
    ]  # fmt: skip
    run(box, "mysql-a", *options, "-uc", _LOCK)
    box.wait_for(lambda: "ready" in logs(box, "mysql-a"), what="the lock of the first server")
    run(box, "mysql-b", *options, "-uc", _LOCK)
    assert box.wait_state("mysql-b", "exited")["State"]["ExitCode"] == 1


_RAILS = """
pid=/app/server.pid
if [ -s $pid ]; then
  echo "=> Booting Puma"
  echo "A server is already running. Check $pid."
  echo "Exiting"
  exit 1
fi
echo 1 > $pid
kill -KILL -1; exec sleep 1000
"""


@fault(
    "container.pid-file-stale",
    subject="container:rails",
    also=["container.exits-at-start"],
    shareable=True,
)
def pid_file_left_behind(box: Box) -> None:
    """A server that was killed left its pid file in its layer, and does not start again."""
    box.docker(
        "create", "--name=rails", "--user=0", "--memory=64m", "--pids-limit=64", "bb:1.36", "sh",
        "-c", f"mkdir -p /app; {_RAILS}",
    )  # fmt: skip
    box.docker("start", "rails")
    box.wait_state("rails", "running")
    box.docker("kill", "rails")
    box.wait_state("rails", "exited")
    box.docker("start", "rails")
    box.wait_for(lambda: "already running" in logs(box, "rails"), what="the second start to fail")
    box.wait_state("rails", "exited")


@fault("container.mount-unwritable", subject="container:panel", also=["security.*"], shareable=True)
def socket_that_its_user_cannot_open(box: Box) -> None:
    """A dashboard as user 1000 with the engine's socket, whose group it is not in; nothing stands
    in its log."""
    mount = ["-v", "/var/run/docker.sock:/var/run/docker.sock"]
    run(box, "panel", *GOOD, *mount, "bb:1.36", "sleep", "1000")
    box.wait_state("panel", "running")
    done = box.docker("exec", "panel", "sh", "-c", "test -w /var/run/docker.sock", check=False)
    assert done.returncode != 0


@fault(
    "container.data-outside-mount",
    subject="container:keeper",
    shareable=True,
    first_command=("half", "it saves the data; the mount is moved by hand"),
)
def mount_one_level_too_high(box: Box) -> None:
    """The image declares a volume at /data/db, and the user mounts a folder at /data."""
    load(box, "keeper:1", Recipe(changes=("VOLUME /data/db",)))
    run(
        box, "keeper", "--memory=64m", "--pids-limit=64", "-v", "/srv/keeper:/data", "keeper:1",
        "sleep", "1000",
    )  # fmt: skip
    box.wait_state("keeper", "running")
    assert len(box.inspect("keeper")["Mounts"]) == 2


_STORE = b"""#!/bin/sh
# MinIO of 2024 on data of the filesystem mode
case $(cat /data/.minio.sys/format.json) in
*'"format":"xl-single"'*) echo "MinIO Object Storage Server"; exec sleep 1000 ;;
esac
echo "FATAL Unable to use the drive /data: drive not found: Invalid arguments specified."
exit 1
"""


def _store(box: Box, name: str, kind: str) -> None:
    load(box, "minio/minio:latest", Recipe({"minio": (_STORE, 0o755)}, ('ENTRYPOINT ["/minio"]',)))
    box.write(f"/srv/{name}/.minio.sys/format.json", f'{{"version":"1","format":"{kind}"}}\n')
    run(box, name, *GOOD, "-v", f"/srv/{name}:/data", "minio/minio:latest")


@fault(
    "container.data-version-mismatch",
    subject="container:objects71",
    also=["container.exits-at-start"],
    shareable=True,
)
def store_with_data_of_the_old_format(box: Box) -> None:
    """The data is in MinIO's old format, and the log of the new release does not say so."""
    _store(box, "objects71", "fs")
    assert box.wait_state("objects71", "exited")["State"]["ExitCode"] == 1


@healthy(shareable=True)
def store_with_data_of_its_own_format(box: Box) -> None:
    """The same store on data of its own format."""
    _store(box, "objects72", "xl-single")
    box.wait_for(lambda: "Object Storage" in logs(box, "objects72"), what="the store")
