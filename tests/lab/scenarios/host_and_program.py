"""Programs that fail for something of the host which their log names: a file that a mount lacks, a
volume of another user, a read-only root below a supervisor, a device that is not plugged in."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.programs.helpers import GOOD, logs, run

_READER = b"""#!/bin/sh
[ -e config/config.yml ] && exec sleep 1000
echo 'time="2026-01-02T10:01:48Z" level=info msg="Starting the portal"'
echo "panic: failed to load config from yaml: open config/config.yml: no such file or directory" >&2
exit 2
"""


@fault(
    "container.mount-source-missing",
    subject="container:portal31",
    also=["container.exits-at-start"],
    shareable=True,
)
def file_that_a_mounted_folder_lacks(box: Box) -> None:
    """A program reads config/config.yml of its working directory, and the mounted folder has only
    the example."""
    load(
        box,
        "portal31:1",
        Recipe({"app/start": (_READER, 0o755)}, ("WORKDIR /app", 'CMD ["/app/start"]')),
    )
    box.write("/srv/portal31/config.example.yml", "port: 8080\n")
    run(box, "portal31", *GOOD, "-v", "/srv/portal31:/app/config", "portal31:1")
    assert box.wait_state("portal31", "exited")["State"]["ExitCode"] == 2


_NPM = b"""#!/bin/sh
echo '> vite --host'
PATH=$PWD/node_modules/.bin:$PATH exec sh -c 'exec vite --host'
"""


@fault(
    "container.mount-source-missing",
    subject="container:ui42",
    also=["container.exits-at-start"],
    shareable=True,
)
def modules_that_a_mount_hides(box: Box) -> None:
    """The image has its modules in /app/node_modules, and a project that was never installed is
    mounted over /app."""
    files = {
        "usr/bin/npm": (_NPM, 0o755),
        "app/node_modules/.bin/vite": (b"#!/bin/sh\nexec sleep 1000\n", 0o755),
    }
    load(box, "ui42:dev", Recipe(files, ("WORKDIR /app", 'CMD ["/usr/bin/npm", "run", "dev"]')))
    box.write("/srv/ui42/package.json", "{}\n")
    run(box, "ui42", *GOOD, "-v", "/srv/ui42:/app", "ui42:dev")
    assert box.wait_state("ui42", "exited")["State"]["ExitCode"] == 127


_STORE = b"""#!/bin/sh
grep -q '"format":"fs"' /data/.minio.sys/format.json || exec sleep 1000
[ "$RELEASE" = old ] && exec sleep 1000
echo 'ERROR Unable to use the drive /data: Drive /data: found backend type fs, expected xl or xl-single - to migrate to a supported backend visit https://min.io/docs: Invalid arguments specified' >&2
exit 1
"""


@fault(
    "container.data-version-mismatch",
    subject="container:store42",
    also=["container.exits-at-start"],
    shareable=True,
)
def store_of_an_older_release(box: Box) -> None:
    """A release of MinIO that no longer reads the format of its data; the release that does is the
    same program with another variable."""
    for tag, release in (("RELEASE.2022-10-24T18-35-07Z", "old"), ("RELEASE.2023-01-31", "new")):
        recipe = Recipe({"start": (_STORE, 0o755)}, (f"ENV RELEASE={release}", 'CMD ["/start"]'))
        load(box, f"minio/minio:{tag}", recipe)
    box.write("/srv/store42/.minio.sys/format.json", '{"version":"1","format":"fs"}\n')
    run(box, "store42", *GOOD, "-v", "/srv/store42:/data", "minio/minio:RELEASE.2023-01-31")
    assert box.wait_state("store42", "exited")["State"]["ExitCode"] == 1


_WRITER = b"""#!/bin/sh
mkdir /home/node/.data/log && exec sleep 1000
exit 1
"""


@fault(
    "container.mount-forbidden",
    subject="container:gateway31",
    also=["container.exits-at-start"],
    shareable=True,
)
def volume_of_root_for_a_user_by_name(box: Box) -> None:
    """The image names its user, and a volume at a place that the image lacks is of root."""
    passwd = b"root:x:0:0:root:/root:/bin/sh\nnode:x:1031:1031::/home/node:/bin/sh\n"
    load(
        box,
        "gateway31:1",
        Recipe(
            {"start": (_WRITER, 0o755), "etc/passwd": (passwd, 0o644)},
            ("USER node", 'CMD ["/start"]'),
        ),
    )
    options = ["--memory=64m", "--pids-limit=64", "--cap-drop=ALL"]
    options += ["--security-opt=no-new-privileges", "-v", "data31:/home/node/.data"]
    run(box, "gateway31", *options, "gateway31:1")
    assert box.wait_state("gateway31", "exited")["State"]["ExitCode"] == 1


_KEEPER = b"""#!/bin/sh
now() { date -u '+%Y-%m-%d %H:%M:%S,500'; }
echo "$(now) INFO spawned: 'nginx' with pid 12"
mkdir /var/lib/nginx/body && exec sleep 1000
echo 'nginx: [emerg] mkdir() "/var/lib/nginx/body" failed (30: Read-only file system)'
echo "$(now) INFO exited: nginx (exit status 1; not expected)"
echo "$(now) INFO gave up: nginx entered FATAL state, too many start retries too quickly"
while :; do sleep 100; done
"""


@fault(
    "container.option-missing",
    subject="container:paste31",
    also=["container.failing-inside"],
    shareable=True,
)
def read_only_root_below_a_supervisor(box: Box) -> None:
    """A supervisor runs on, and has given up a server that cannot make a folder on the read-only
    root file system. The kernel refuses it; the supervisor's words are supervisord's."""
    files = {"usr/bin/supervisord": (_KEEPER, 0o755), "var/lib/nginx/keep": (b"", 0o644)}
    load(box, "paste31:1", Recipe(files, ('CMD ["/usr/bin/supervisord"]',)))
    run(box, "paste31", *GOOD, "--read-only", "paste31:1")
    box.wait_for(lambda: "gave up" in logs(box, "paste31"), what="it to give up")


_ADAPTER = """
[ -c /dev/ttyACM31 ] && exec sleep 1000
echo "zigbee:info  Starting zigbee-herdsman..."
echo "zigbee:error Failed to start zigbee"
echo "zigbee:error Error: No such file or directory, cannot open /dev/ttyACM31"
exit 1
"""


@fault(
    "container.device-missing",
    subject="container:zigbee31",
    also=["container.exits-at-start"],
    shareable=True,
)
def adapter_that_is_not_plugged_in(box: Box) -> None:
    """A program cannot open its serial adapter, and the host has none."""
    run(box, "zigbee31", *GOOD, "bb:1.36", "sh", "-c", _ADAPTER)
    assert box.wait_state("zigbee31", "exited")["State"]["ExitCode"] == 1


_STICKS = "/dev/shm/sticks41"
"""The folder of this host's serial adapters, on a file system of its own: the boxes share /dev."""
_STICK = """
echo "COM: --dev: /dev/ttyACM41"
while :; do
    (: </dev/ttyACM41) && echo ready
    sleep 2
done
"""


@fault(
    "container.device-missing",
    subject="container:deconz41",
    also=["container.errors-in-log", "container.failing-inside"],
)
def stick_that_was_plugged_in_again(box: Box) -> None:
    """A program runs on while its serial adapter is unplugged, and plugged in again under another
    number."""
    _plug_in(box, "ttyACM41", minor=41)
    device = f"--device={_STICKS}/ttyACM41:/dev/ttyACM41"
    run(box, "deconz41", *GOOD, device, "bb:1.36", "sh", "-c", _STICK)
    box.sh(f"rm {_STICKS}/ttyACM41; mknod {_STICKS}/ttyACM42 c 166 42")
    box.wait_for(lambda: "No such" in logs(box, "deconz41"), what="it to fail")


@healthy()
def stick_that_is_plugged_in(box: Box) -> None:
    """A program waits at its serial adapter, and beside it another one has a folder of devices."""
    _plug_in(box, "ttyACM43", minor=43)
    device = f"--device={_STICKS}/ttyACM43:/dev/stick"
    run(box, "deconz43", *GOOD, device, "bb:1.36", "sleep", "1000")
    run(box, "sticks43", *GOOD, f"--device={_STICKS}", "bb:1.36", "sleep", "1000")


def _plug_in(box: Box, name: str, *, minor: int) -> None:
    """Make the file of a serial adapter."""
    box.sh(f"mount -t tmpfs sticks /dev/shm; mkdir {_STICKS}; mknod {_STICKS}/{name} c 166 {minor}")
