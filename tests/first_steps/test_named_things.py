"""What a line names is looked at first: paths, programs, host names, ports, kernel settings.

diagnose/first_steps/named/named_things.py and the modules that it asks.
"""

from __future__ import annotations

from typing import Any

import pytest

from diagnose import runbooks
from diagnose.first_steps.named.named_things import is_better_looked_at, named_thing_steps
from diagnose.first_steps.named.named_variables import missing_variable_steps
from tests.checks.container.evidence import ON_SHOP, container_in

DATA = {"Type": "bind", "Source": "/srv/shop", "Destination": "/data"}
MOUNTED = {"Config": {"User": "1000:1000"}, "Mounts": [DATA]}
BY_ROOT = {"Config": {"User": ""}, "Mounts": [DATA]}
ON_HOST = {"HostConfig": {"NetworkMode": "host"}}
CONFIG = {"Config": {"Cmd": ["server", "/etc/shop/app.yml"]}}

STEPS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "a refused path of a mount": (
        "Error: EACCES: permission denied, open '/data/cache/a.db'",
        MOUNTED,
        {
            "refused": "/srv/shop/cache/a.db",
            "refused_below": "/srv/shop/cache",
            "run_as": "1000:1000",
        },
    ),
    "the same for root": (
        "sh: can't create /data/f: Operation not permitted",
        BY_ROOT,
        {"refused_to_root": "/srv/shop/f", "refused_below": "/srv/shop"},
    ),
    "a refused path of the image": (
        "mkdir: cannot create directory '/var/lib/shop/cache': Permission denied",
        MOUNTED,
        {
            "refused_inside": "web:/var/lib/shop",
            "refused_name": "shop/cache",
            "run_as": "1000:1000",
        },
    ),
    "a path that is not a file of a container": ("GET /api/v1/items: permission denied", {}, {}),
    "a file whose name is quoted": (
        "Error: file '/opt/app/rules.xml' not found",
        {},
        {"searched": "web", "sought_file": r"(^|/)rules\.xml/?$"},
    ),
    "a version of a library": (
        "/app/gateway: /lib/libc.so.6: version `GLIBC_2.34' not found (required by /app/gateway)",
        {},
        {},
    ),
    "a path of the kernel": ("open /proc/self/attr/exec: permission denied", {}, {}),
    "a setting of the kernel that is refused": (
        "open /proc/sys/net/ipv4/ip_forward: permission denied",
        {},
        {"wanted_setting": "net.ipv4.ip_forward", "set_for": "web"},
    ),
    "an interface that is too old": (
        "client version 1.24 is too old, please upgrade your client to a newer version",
        {},
        {},
    ),
    "a path that leads up": ("open '/data/../../etc/shadow': Permission denied", MOUNTED, {}),
    "a tmpfs": (
        "open '/data/f': Permission denied",
        {"Mounts": [{"Type": "tmpfs", "Source": "", "Destination": "/data"}]},
        {},
    ),
    "a file that a mount lacks": (
        "cat: can't open '/data/conf/app.yml': No such file or directory",
        MOUNTED,
        {"lacking": "/srv/shop/conf", "lacked": "/data/conf/app.yml"},
    ),
    "a file that the image lacks": (
        "Error: open /opt/app/default.tmpl: no such file or directory",
        {},
        {"searched": "web", "sought_file": r"(^|/)default\.tmpl/?$"},
    ),
    "a program of a supervisor, by its version": (
        "spawnerr: can't find command '/usr/sbin/php-fpm7.0'",
        {},
        {"searched": "web", "sought_file": r"(^|/)php-fpm[-.0-9]*/?$"},
    ),
    "a mount that is a folder": (
        "dd: /data: Is a directory",
        MOUNTED,
        {"lacking": "/srv", "lacked": "/data"},
    ),
    "the program that says it": ("/usr/bin/app: line 3: rows not found", {}, {}),
    "a place in the code": ("ValueError at /app/src/main.py:12: user does not exist", {}, {}),
    "a path that nothing is said of": ("Error: /opt/app/rules.yml has a wrong rule", {}, {}),
    "a program": (
        "sh: pg_dump: not found",
        {},
        {"searched": "web", "sought_file": "(^|/)s?bin/pg_dump$"},
    ),
    "a program of the engine's words": (
        'exec: "c++": executable file not found in $PATH',
        {},
        {"searched": "web", "sought_file": r"(^|/)s?bin/c\+\+$"},
    ),
    "a library": (
        "app: error while loading shared libraries: libpq.so.5: cannot open shared object file",
        {},
        {"searched": "web", "sought_file": r"/libpq\.so[-.0-9]*$"},
    ),
    "a module of Node.js": (
        "Error: Cannot find module '@shop/core'",
        {},
        {"searched": "web", "sought_file": "node_modules/@shop/core/package.json$"},
    ),
    "a file of the program's own": ("Error: Cannot find module './routes'", {}, {}),
    "a module of Python": (
        "ModuleNotFoundError: No module named 'psycopg2.extras'",
        {},
        {"searched": "web", "sought_file": r"/psycopg[-.0-9]*(/__init__\.py|\.py|\.[^/]*so)$"},
    ),
    "no room in a mount": (
        "write /data/part: no space left on device",
        MOUNTED,
        {"room": "/srv/shop"},
    ),
    "no room in a container that is down": ("write /tmp/part: no space left on device", {}, {}),
    "the name of a container": (
        'could not translate host name "ledger" to address: Name or service not known',
        ON_SHOP,
        {"unknown_name": "ledger", "own_networks": "shop"},
    ),
    "the name of a domain": (
        "dial tcp: lookup api.lab.test on 127.0.0.11:53: no such host",
        {},
        {"unresolved": "api.lab.test"},
    ),
    "the name of a domain in other words": (
        "ERROR could not resolve shop.lab.test: Try again",
        {},
        {"unresolved": "shop.lab.test"},
    ),
    "a taken port of the host": (
        "listen tcp :53: bind: address already in use",
        ON_HOST,
        {"taken": "sport = :53"},
    ),
    "a time is not a port": ("12:04:53 bind: address already in use", ON_HOST, {}),
    "a taken port of its own": ("listen tcp :53: bind: address already in use", {}, {}),
    "a device": (
        "Failed to set value 'vaapi=va:/dev/dri/renderD128' for option 'init_hw_device'",
        {},
        {"asked_device": "/dev/dri/renderD128", "given_to": "web"},
    ),
    "a file of the working directory": (
        "panic: open config/app.yml: no such file or directory",
        {**MOUNTED, "Config": {"WorkingDir": "/data"}},
        {"lacking": "/srv/shop/config", "lacked": "/data/config/app.yml"},
    ),
    "a folder of the wrong owner": (
        'FATAL: data directory "/data" has wrong ownership',
        MOUNTED,
        {"refused": "/srv/shop", "refused_below": "/srv", "run_as": "1000:1000"},
    ),
    "a database that the line does not name": (
        "sqlite3.OperationalError: attempt to write a readonly database",
        MOUNTED,
        {"refused": "/srv/shop", "refused_below": "/srv", "run_as": "1000:1000"},
    ),
    "a setting of the kernel": (
        "FATAL: net.core.somaxconn is too low",
        {},
        {"wanted_setting": "net.core.somaxconn", "set_for": "web"},
    ),
    "data that another program holds": (
        "java.lang.IllegalStateException: failed to obtain node locks, tried [/srv/data]",
        MOUNTED,
        {"locked_data": "/srv/shop"},
    ),
    "another instance": (
        "Logstash could not be started because there is already another instance using the data",
        {"Mounts": [{**DATA, "Type": "volume", "Name": "logs"}]},
        {"locked_data": "logs"},
    ),
    "data of another version": (
        "cannot downgrade a node from version [8.1.0] to version [7.17.1]",
        {"Config": {"Image": "registry.example:5000/search/node:7.17.1"}},
        {
            "versions_of": "registry.example:5000/search/node",
            "image_now": "registry.example:5000/search/node:7.17.1",
        },
    ),
    "data that is too new": (
        "the version of the data (31.0.1.1) is higher than the docker image version (30.0.0.19)",
        {"Config": {"Image": "nextcloud:30"}},
        {"versions_of": "nextcloud", "image_now": "nextcloud:30"},
    ),
    "data of an older server": (
        "The data was initialized by version 13, which is not compatible with this version 16.2",
        {"Config": {"Image": "postgres:16"}},
        {"versions_of": "postgres", "image_now": "postgres:16"},
    ),
    "a lock of a file": (
        "IO error: While lock file: /cockroach/data/LOCK: Resource temporarily unavailable",
        MOUNTED,
        {"locked_data": "/srv/shop"},
    ),
    "a setting of the kernel by its file": (
        "Set /proc/sys/fs/aio-max-nr to at least 65536",
        {},
        {"wanted_setting": "fs.aio-max-nr", "set_for": "web"},
    ),
    "a file of the data without its folder": (
        "# Fatal: Can't open or create append-only dir appendonlydir: Permission denied",
        MOUNTED,
        {"refused": "/srv/shop", "refused_below": "/srv", "run_as": "1000:1000"},
    ),
    "a port that is refused": ("listen: open failed: bind: permission denied", MOUNTED, {}),
    "an image by its id": (
        "cannot downgrade a node from version [8.1.0] to version [7.17.1]",
        {"Config": {"Image": "sha256:6b1a"}},
        {},
    ),
    "a right without a path": (
        "runtime/cgo: pthread_create failed: Operation not permitted",
        {},
        {"rights_of": "web"},
    ),
    "a program that wants root": (
        "iptables: Permission denied (you must be root)",
        {},
        {"rights_of": "web"},
    ),
    "the memory of a graphics card": (
        "RuntimeError: CUDA out of memory occurred when warming up sampler with 256 dummy requests.",
        {},
        {},
    ),
    "memory": ("fork: Cannot allocate memory", {}, {"memory_of": "web"}),
    "a heap": ("java.lang.OutOfMemoryError: Java heap space", {}, {}),
    "a class of Java": ("java.lang.Error: fs.s3a.impl.Factory()", {}, {}),
    "nothing": ("error: no license", MOUNTED, {}),
}


@pytest.mark.parametrize(("line", "parts", "expected"), STEPS.values(), ids=STEPS)
def test_what_a_line_names(line: str, parts: dict[str, Any], expected: dict[str, str]):
    assert named_thing_steps(container_in("exited", code=1, **parts), line) == expected


NAMING = {name: named for name, (_, _, named) in STEPS.items() if named}


@pytest.mark.parametrize("named", NAMING.values(), ids=NAMING)
def test_the_words_beside_a_look_are_whole(named: dict[str, str]) -> None:
    for id in ("container.exits-at-start", "container.restart-loop", "container.errors-in-log"):
        look = runbooks.confirm(id, {"container": "web", **named}, runbooks.Place())
        assert look is not None
        assert not runbooks.placeholders(look.impact)
        assert any(text in look.text for text in named.values())


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("dd: error writing '/scratch/a/f': No space left on device", "./scratch/a"),
        ("/app: line 3: can't create /tmp/a/f: No space left on device", "./tmp/a"),
        ("mktemp: (null): No space left on device", "."),
    ],
)
def test_a_running_container_is_asked_for_room_as_it_sees_it(line: str, place: str) -> None:
    steps = named_thing_steps(container_in("running"), line)
    assert steps == {"filling": "web", "filled": place}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sh: pg_dump: not found", True),
        ("cat: can't open '/opt/app/a.yml': No such file or directory", True),
        ("lookup api.lab.test on 127.0.0.11:53: no such host", True),
        ("write /tmp/part: no space left on device", True),
        ("lookup ledger on 127.0.0.11:53: no such host", False),
        ("connect ECONNREFUSED 10.0.0.3:5432", False),
    ],
)
def test_another_start_is_no_answer(line: str, expected: bool):
    assert is_better_looked_at(container_in("exited", code=1), line) is expected


ASKED = {
    "a variable": ("Error: API_TOKEN is required", "API_TOKEN"),
    "a key": ("KeyError: 'BOT_TOKEN'", "BOT_TOKEN"),
    "a variable without a value": ("error: please set SHOP_KEY", "SHOP_KEY"),
    "one that it has": ("SHOP_MODE is missing or wrong", ""),
    "a version of a library": ("libc.so.6: version `GLIBC_2.34' not found", ""),
    "an error": ("ERR_MODULE_NOT_FOUND: a module is missing", ""),
    "nothing that is asked for": ("API_TOKEN was read", ""),
}


@pytest.mark.parametrize(("line", "name"), ASKED.values(), ids=ASKED)
def test_a_variable_that_the_line_asks_for(line: str, name: str) -> None:
    env = {"Config": {"Env": ["SHOP_KEY=", "SHOP_MODE=fast"]}}
    steps = missing_variable_steps(container_in("exited", code=1, **env), line)
    assert steps.get("typed", "") == name
