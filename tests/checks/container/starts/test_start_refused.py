"""The checks in checks/container/starts/start_refused.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.bind_mounts import BindSources, PathStatus
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.images.own_users import image_users
from diagnose.model import DAEMON
from tests.checks.container.evidence import UNKNOWN, container_in, items, start_refused
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

PEER = container_in("exited", code=137, name="proxy")


WORDS = [
    (
        f"cannot join network of a non running container: {PEER.id}",
        'container "proxy", which it needs, is not running',
    ),
    (
        f"can't join IPC of container {PEER.id}: container {PEER.id} is not running",
        'container "proxy", which it needs',
    ),
    (
        "Cannot link to a non running container: /proxy AS /web/db",
        'container "proxy", which it needs, is not running',
    ),
    (
        "No such container: 9edcb41dcacbc1b9d300d50c818cbf0bfca28d08",
        'container "9edcb41dcacb", which it needs, no longer',
    ),
    (
        "failed to create task for container: failed to initialize logging driver: journald is not enabled on this host",
        "its log driver  says journald is not enabled on this host",
    ),
    (
        (
            'error evaluating symlinks from mount source "/var/lib/docker/volumes/orders/_data": lstat '
            "/var/lib/docker/volumes/orders: no such file or directory"
        ),
        'the folder of its volume "orders" is gone',
    ),
    ("get media: no such volume", 'its volume "media" no longer exists'),
    (
        (
            "failed to set up container networking: driver failed programming external connectivity on endpoint web "
            "(4a5baf0bcd44): Unable to enable DNAT rule:  (iptables failed: iptables --wait -t nat -A DOCKER -p tcp -d 0/0 "
            "--dport 8123 -j DNAT: iptables: No chain/target/match by that name.\n (exit status 1))"
        ),
        'container "web" did not start: Unable to enable DNAT rule: (iptables failed: iptables --wai ... ',
    ),
    (
        'exec: "docker-init": executable file not found in $PATH',
        'container "web" did not start: the host has no docker-init',
    ),
    (
        (
            "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error (open /run/docker/"
            'moby/1/log.json: no such file or directory): exec: "runc": executable file not found in $PATH: unknown'
        ),
        "the host has no runc",
    ),
    (
        "failed to start shim: start failed: : fork/exec /usr/bin/containerd-shim-runc-v2: no such file or directory: unknown",
        "the host has no /usr/bin/containerd-shim-runc-v2",
    ),
    (
        "unable to find group nosuch: no matching entries in group file",
        'its image has no group "nosuch"',
    ),
    (
        (
            "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount "
            "/srv/no:/var/lib/docker/volumes/data/_data, flags: 0x1000: no such file or directory"
        ),
        '/srv/no, on which its volume "data" stands, does not exist, or the volume\'s own folder is gone',
    ),
    (
        (
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
            "error during container init: something of a later runtime: unknown"
        ),
        'container "web" did not start: something of a later runtime',
    ),
]


@pytest.mark.parametrize(("error", "words"), WORDS)
def test_a_refused_start_is_told_in_the_engines_words(error: str, words: str):
    container = container_in("created", code=128, Path="sleep", State={"Error": error})
    (finding,) = items(
        judge("container.start-refused", containers=of(container, PEER), bind_sources=UNKNOWN)
    )
    assert words in finding.summary
    assert (PEER.subject in finding.calls) == ("proxy" in words)


VOLUME = "/var/lib/docker/volumes/media/_data"


def test_a_folder_of_a_volume_that_came_late():
    error = f"{LOCAL}/srv/nas:{VOLUME}, flags: 0x1000: no such file or directory"
    container = container_in("exited", code=128, State={"Error": error})
    there, gone = PathStatus(type="folder"), PathStatus(failed="missing")
    for device, name in ((there, "came_late"), (gone, "device")):
        sources = BindSources({"/srv/nas": device, VOLUME: there})
        (finding,) = items(
            judge("container.start-refused", containers=of(container), bind_sources=sources)
        )
        assert name in finding.variables


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("input/output error", "refused_path"), ("no space left on device", "retry")],
)
def test_a_disk_that_was_full_refuses_no_path(reason: str, expected: str):
    path = "/var/lib/docker/overlay2/0f0f/merged"
    container = container_in("exited", code=128, State={"Error": f"mkdir {path}: {reason}"})
    (finding,) = items(judge("container.start-refused", containers=of(container)))
    assert expected in finding.variables


@pytest.mark.parametrize(
    "reason", ["read-only file system", "permission denied", "no such device", "file exists"]
)
def test_a_mounted_folder_that_came_late(reason: str):
    error = f"error while creating mount source path '/mnt/nas/media': mkdir /mnt/nas: {reason}"
    container = container_in("exited", code=255, State={"Error": error})
    there, gone = PathStatus(type="folder"), PathStatus(failed="missing")
    for status, came_late in ((there, True), (gone, False)):
        sources = BindSources({"/mnt/nas/media": status})
        (finding,) = items(
            judge("container.start-refused", containers=of(container), bind_sources=sources)
        )
        assert ("it is there now" in finding.summary) == came_late
        assert ("came_late" in finding.variables) == came_late


LOCAL = f"error while mounting volume '{VOLUME}': failed to mount local volume: mount "


@pytest.mark.parametrize(
    ("error", "device"),
    [
        (
            f"{LOCAL}/srv/nas/media:{VOLUME}, flags: 0x1000: no such file or directory",
            "/srv/nas/media",
        ),
        (f"{LOCAL}/srv/my nas:{VOLUME}, flags: 0x1001: no such file or directory", "/srv/my nas"),
        (f"{LOCAL}/dev/sdz1:{VOLUME}: no such file or directory", ""),
        (f"{LOCAL}/srv/f/x/y:{VOLUME}, flags: 0x1001: not a directory", ""),
        (f"{LOCAL}:/srv/nas:{VOLUME}, flags: 0x1, data: addr=192.0.2.80: no such device", ""),
    ],
)
def test_a_volume_that_stands_on_a_folder_that_is_not_there(error: str, device: str):
    (finding,) = start_refused(of(container_in("created", code=128, State={"Error": error})))
    assert finding.variables.get("device", "") == device
    assert (
        f'{device}, on which its volume "media" stands, does not exist' in finding.summary
    ) == bool(device)
    assert (finding.variables.get("folder") == VOLUME) == bool(device)


def test_the_folder_of_a_volume_that_is_gone_is_made_again():
    error = f'error evaluating symlinks from mount source "{VOLUME}": lstat {VOLUME}: no such file'
    (finding,) = start_refused(of(container_in("exited", code=137, State={"Error": error})))
    assert finding.variables == {"container": finding.subject.name, "emptied": VOLUME}


@pytest.mark.parametrize(
    ("driver", "variables"),
    [
        ("nfs", {"forgotten": "media", "volume_driver": "nfs"}),
        ("local", {"removed_volume": "media"}),
    ],
)
def test_a_volume_that_its_driver_does_not_know(driver: str, variables: dict[str, str]):
    refused = container_in(
        "exited",
        code=137,
        State={"Error": "get media: no such volume"},
        Mounts=[{"Type": "volume", "Name": "media", "Driver": driver}],
    )
    (finding,) = start_refused(of(refused))
    assert finding.variables == {"container": finding.subject.name, **variables}
    assert (f'plugin "{driver}" does not know' in finding.summary) == (driver != "local")


def test_a_disk_of_a_volume_that_is_not_there_is_no_folder_to_make():
    error = f"{LOCAL}/dev/sdz1:{VOLUME}: no such file or directory"
    (finding,) = start_refused(of(container_in("created", code=128, State={"Error": error})))
    assert finding.variables == {"container": finding.subject.name, "disk": "/dev/sdz1"}


@pytest.mark.parametrize(
    ("error", "taken"),
    [
        ("Address already in use", True),
        ("failed to set up container networking: Address already in use", True),
        ("something else: bind: Address already in use", False),
    ],
)
def test_a_fixed_address_that_is_taken(error: str, taken: bool):
    on_it = {"NetworkSettings": {"Networks": {"shopnet": {"IPAddress": "172.30.0.5"}}}}
    container = container_in(
        "created", code=128, State={"Error": error}, NetworkSettings={"Networks": {"shopnet": {}}}
    )
    said = list(start_refused(of(container, container_in("running", name="db", **on_it))))
    assert [
        finding.variables.get("network") for finding in said if "fixed address" in finding.summary
    ] == ["shopnet"] * taken
    assert [finding.evidence.get("addresses on shopnet") for finding in said if taken] == [
        ["db 172.30.0.5"]
    ] * taken


def test_who_holds_a_fixed_address_is_named():
    wanted = {"IPAMConfig": {"IPv4Address": "172.30.0.5"}}
    container = container_in(
        "created",
        code=128,
        State={"Error": "Address already in use"},
        NetworkSettings={"Networks": {"shopnet": wanted}},
    )
    on_it = {"NetworkSettings": {"Networks": {"shopnet": {"IPAddress": "172.30.0.5"}}}}
    (finding,) = start_refused(of(container, container_in("running", name="db", **on_it)))
    assert (
        'its address 172.30.0.5 of network "shopnet" is held by container "db"' in finding.summary
    )


@pytest.mark.parametrize(
    ("held", "variables"),
    [
        ({"IPAddress": "172.30.0.5"}, {"by_chance": "db"}),
        (
            {"IPAddress": "172.30.0.5", "IPAMConfig": {"IPv4Address": "172.30.0.5"}},
            {"network": "shopnet"},
        ),
    ],
    ids=["by chance", "as it was made"],
)
def test_who_has_a_fixed_address_by_chance_is_started_later(
    held: dict[str, Any], variables: dict[str, str]
) -> None:
    wanted = {"IPAMConfig": {"IPv4Address": "172.30.0.5"}}
    container = container_in(
        "created",
        code=128,
        State={"Error": "Address already in use"},
        NetworkSettings={"Networks": {"shopnet": wanted}},
    )
    holder = container_in("running", name="db", NetworkSettings={"Networks": {"shopnet": held}})
    (finding,) = start_refused(of(container, holder))
    assert finding.variables == {"container": finding.subject.name, **variables}


HIDDEN = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
    'runc create failed: unable to start container process: error during container init: error mounting "/srv/inner" '
    'to rootfs at "/data/inner": create mountpoint for /data/inner mount: make mountpoint "/data/inner": '
    "mkdirat data/inner: read-only file system: unknown"
)


INNER = [
    {"Type": "bind", "Source": "/srv/outer", "Destination": "/data", "RW": False},
    {"Type": "bind", "Source": "/srv/inner", "Destination": "/data/inner", "RW": True},
]


@pytest.mark.parametrize(("kind", "variable"), [("file", "empty_file"), ("folder", "empty_folder")])
def test_a_mount_below_a_read_only_mount_needs_something_to_lie_on(kind: str, variable: str):
    container = container_in(
        "created", code=128, Path="sleep", Mounts=INNER, State={"Error": HIDDEN}
    )
    sources = BindSources({"/srv/inner": PathStatus(type=kind)})
    result = judge("container.start-refused", containers=of(container), bind_sources=sources)
    (finding,) = items(result)
    assert finding.variables[variable] == "/srv/outer/inner"


def test_only_an_error_without_a_known_cause_is_tried_again():
    unknown = container_in("created", code=128, Path="sleep", State={"Error": "something new"})
    known = container_in(
        "created", code=128, Path="sleep", State={"Error": "Devices: rro is not supported"}
    )
    (first,) = start_refused(of(unknown))
    (second,) = start_refused(of(known))
    assert "retry" in first.variables
    assert "retry" not in second.variables


PATHS = {
    "a folder that is not made": (
        "cannot prepare the container: mkdir /srv/media: required key not available",
        {"refused_path": "/srv/media"},
    ),
    "behind the runtime's last word": (
        "failed to create task: open /srv/app/seccomp: permission denied: unknown",
        {"refused_path": "/srv/app/seccomp"},
    ),
    "a file of the kernel": (
        "cannot prepare the container: write /proc/self/attr/exec: no child processes",
        {"retry": "web"},
    ),
}


@pytest.mark.parametrize(("error", "offered"), PATHS.values(), ids=PATHS)
def test_the_path_of_an_unknown_error_is_looked_at(error: str, offered: dict[str, str]) -> None:
    container = container_in("created", code=128, Path="sleep", State={"Error": error})
    (finding,) = start_refused(of(container))
    assert dict(finding.variables.items() - {("container", "web")}) == offered


GONE = (
    "failed to create shim task: OCI runtime create failed: unable to retrieve OCI runtime error "
    "(open /run/log.json: no such file or directory): fork/exec /usr/libexec/old-runc: "
    "no such file or directory: unknown"
)


@pytest.mark.parametrize(
    ("runtime", "variable"), [("old", "added"), ("runc", "lost_program"), ("", "lost_program")]
)
def test_a_runtime_of_its_own_gives_way_to_the_engines(runtime: str, variable: str):
    container = container_in(
        "exited", code=127, Path="sleep", HostConfig={"Runtime": runtime}, State={"Error": GONE}
    )
    (finding,) = start_refused(of(container))
    assert variable in finding.variables
    assert ("its runtime" in finding.summary) == (variable == "added")


KILLED = "OCI runtime create failed: container init was OOM-killed (memory limit too low?): unknown"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(6 * 2**20, str(64 * 2**20)), (100 * 2**20, str(400 * 2**20)), (0, None)],
    ids=["a tiny limit", "a small limit", "no limit, and none is set"],
)
def test_a_limit_is_raised_and_never_made(limit: int, expected: str | None):
    container = container_in(
        "exited", code=128, Path="x", HostConfig={"Memory": limit}, State={"Error": KILLED}
    )
    (finding,) = start_refused(of(container))
    assert finding.variables.get("memory") == expected


@pytest.mark.parametrize(
    ("error", "touches_engine"),
    [
        ("Address already in use", False),
        ("unable to find user app: no matching entries in passwd file", False),
        ("connection error: dial unix /run/containerd/containerd.sock: connection refused", True),
    ],
)
def test_what_a_sound_engine_refuses_as_well(error: str, touches_engine: bool) -> None:
    refused = container_in("created", State={"Error": error, "ExitCode": 128})
    (finding,) = items(judge("container.start-refused", containers=of(refused)))
    assert (DAEMON in finding.touches) is touches_engine


@pytest.mark.parametrize(
    ("root", "is_snap"),
    [("/var/snap/docker/common/var-lib-docker", True), ("/var/lib/docker", False)],
)
def test_an_engine_in_a_snap_sees_no_folder_outside_home(root: str, is_snap: bool) -> None:
    error = (
        "error while creating mount source path '/srv/app/data': mkdir /srv/app: read-only file "
        "system"
    )
    app = container("app", State={"Status": "created", "Pid": 0, "ExitCode": 128, "Error": error})
    result = judge("container.start-refused", containers=of(app), data_root=DataRoot(root, "info"))
    (finding,) = result.findings
    assert ("installed as a snap" in finding.summary) is is_snap
    assert ("unseen" in finding.variables) is is_snap


OWN_USERS = {
    "of the image": ("bewcloud", "bewcloud", "numbered"),
    "of an option": ("bewcloud", "app", "userless"),
    "of an option, and the image has none": ("bewcloud", "", "userless"),
}


@pytest.mark.parametrize(("user", "of_image", "cure"), OWN_USERS.values(), ids=OWN_USERS)
def test_a_user_that_the_image_does_not_have(user: str, of_image: str, cure: str) -> None:
    error = f"unable to find user {user}: no matching entries in passwd file"
    refused = container_in(
        "created",
        State={"Error": error, "ExitCode": 128},
        Image=f"sha256:{'1' * 64}",
        Config={"User": user},
    )
    host = Made({"api.image": {"Id": refused.image, "Config": {"User": of_image}}})
    users = image_users(host, of(refused))
    (finding,) = items(judge("container.start-refused", containers=of(refused), image_users=users))
    assert finding.variables.keys() & {"numbered", "userless"} == {cure}


AT_A_MOUNT = 'error mounting "/mnt/usb/app.conf" to rootfs at "/etc/app.conf": '
MOUNT_ERRORS = {
    "a file over a folder": ("mount /mnt/usb/app.conf: not a directory", ["is a file"]),
    "a file that came late": ("stat /mnt/usb/app.conf: no such file or directory", []),
    "another path": ("open /proc/self/fd/7: no such file or directory", ["open /proc/self/fd/7"]),
}


@pytest.mark.parametrize(("error", "expected"), MOUNT_ERRORS.values(), ids=MOUNT_ERRORS)
def test_a_mount_whose_source_is_a_file_now(error: str, expected: list[str]):
    refused = container_in("exited", code=127, State={"Error": AT_A_MOUNT + error})
    findings = judge(
        "container.start-refused",
        containers=of(refused),
        bind_sources=BindSources({"/mnt/usb/app.conf": PathStatus(type="file")}),
    ).findings
    summaries = [finding.summary for finding in findings]
    assert len(summaries) == len(expected)
    assert all(words in summary for words, summary in zip(expected, summaries, strict=True))
