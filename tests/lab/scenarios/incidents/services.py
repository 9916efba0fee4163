"""Compound incidents that begin with a service, its limits or its engine."""

from __future__ import annotations

import signal

from tests.lab import Box
from tests.lab.incident import incident
from tests.lab.scenarios.incidents.helpers import (
    EXITS,
    FORGETFUL,
    GRUMPY,
    LIMITS,
    LOOP,
    MISLED,
    SICK,
    STRANGER,
    all_of,
    forgetful,
    grumpy,
    job,
    misled,
    needs,
    probed,
    service,
    shop,
    stranger,
    wait_exits,
    wait_loops,
    wait_sick,
)

# -- containers that stand on each other ----------------------------------------


CALL = 'said=$(timeout 2 nc db 5432 </dev/null 2>&1) || { echo "db:5432: ${said:-timed out}" >&2; exit 1; }'
"""Asks the database, and names it whatever went wrong, as clients do."""


@incident(
    "container.oom-killed",
    "container:report",
    effects=[*all_of(LOOP, "report", "front")],
    bystander=MISLED,
)
def memory_limit_is_too_small(box: Box) -> None:
    """A service is killed at its memory limit over and over, and one that calls it fails with
    it."""
    shop(box)
    misled(box, "--net=shop")
    box.docker("run", "-d", "--name=report", "--net=shop", "--restart=always", "--memory=16m", "--memory-swap=16m",
               "--pids-limit=64", "hungry:1")  # fmt: skip
    needs(box, "front", "report")
    wait_loops(box, "report", "front")


@incident(
    "container.restarts-exhausted",
    "container:db",
    effects=[*all_of(LOOP, "front", "cart", "mail")],
    bystander=MISLED,
)
def database_was_given_up(box: Box) -> None:
    """A database failed as often as its policy allows; three services that need it loop."""
    shop(box)
    misled(box, "--net=shop")
    box.docker("run", "-d", "--name=db", "--net=shop", "--restart=on-failure:2", *LIMITS, "bb:1.36", "sh", "-c",
               "echo 'data was written by version 12' >&2; exit 1")  # fmt: skip
    box.wait_for(lambda: box.inspect("db")["RestartCount"] == 2, what="two restarts")
    wait_exits(box, "db")
    for name in ("front", "cart", "mail"):
        needs(box, name, "db")
    wait_loops(box, "front", "cart", "mail")


@incident(
    "network.port-allocated",
    "container:api",
    effects=[*all_of(LOOP, "front", "cart")],
    bystander=STRANGER,
)
def port_is_taken_and_others_need_it(box: Box) -> None:
    """A service did not start since its port is taken; two that need it loop."""
    shop(box)
    stranger(box)
    job(box, "blue", "nc -ll -p 80 -e true", "-p", "8085:80", "--net=shop")
    taken = box.docker(
        "run", "-d", "--name=api", "--net=shop", *LIMITS, "-p", "8085:80", "shop:1.4", check=False
    )
    assert "port is already allocated" in taken.stderr
    for name in ("front", "cart"):
        needs(box, name, "api")
    wait_loops(box, "front", "cart")


@incident(
    SICK,
    "container:db",
    effects=[
        *all_of(SICK, "front", "cart"),
        (LOOP, "container:mail"),
        (EXITS, "container:migrate"),
    ],
    bystander=MISLED,
)
def database_hangs_and_refuses(box: Box) -> None:
    """A database's process lives and listens no more: two services are unhealthy for it, one loops,
    a job fails."""
    shop(box)
    misled(box, "--net=shop")
    probed(box, "db", "echo 'recovery has stopped'; exit 1", "--net=shop")
    wait_sick(box, "db")
    for name in ("front", "cart"):
        probed(box, name, "nc -w 2 db 5432 </dev/null", "--net=shop")
    needs(box, "mail", "db")
    job(box, "migrate", CALL, "--net=shop")
    wait_sick(box, "front", "cart")
    wait_exits(box, "migrate")
    wait_loops(box, "mail")
    assert "refused" in box.inspect("front")["State"]["Health"]["Log"][-1]["Output"]


@incident(
    EXITS,
    "container:collector",
    effects=[
        ("logging.driver-blocks-start", "container:db"),
        (LOOP, "container:front"),
        (SICK, "container:cart"),
    ],
    bystander=MISLED,
)
def log_collector_does_not_come_up(box: Box) -> None:
    """After a reboot the log collector fails, so that a database is not started, and those that
    call it fail."""
    shop(box)
    misled(box)
    job(box, "collector", "echo 'unmatched tag in fluent.conf' >&2; exit 1", "-p", "24224:24224")
    wait_exits(box, "collector")
    refused = box.docker(
        *("run", "-d", "--name=db", "--net=shop", *LIMITS, "--log-driver=fluentd"),
        *("bb:1.36", "sh", "-c", "nc -ll -p 5432 -e true"),
        check=False,
    )
    assert "failed to initialize logging driver" in refused.stderr
    needs(box, "front", "db")
    probed(box, "cart", CALL, "--net=shop")
    wait_loops(box, "front")
    wait_sick(box, "cart")


@incident(
    "storage.disk-full",
    "filesystem:/srv/pg",
    effects=[(LOOP, "container:db"), (SICK, "container:cart"), (EXITS, "container:migrate")],
    bystander=FORGETFUL,
)
def database_fills_a_disk_of_its_own(box: Box) -> None:
    """A database loops on its full disk, beside a data root with room; what calls it fails, each in
    its own way."""
    shop(box)
    forgetful(box, "--net=shop")
    box.sh(
        "mkdir /srv/pg; truncate -s 64M /root/pg; mkfs.ext4 -q -m 0 /root/pg; mount -o loop /root/pg /srv/pg"
    )
    box.sh("dd if=/dev/zero of=/srv/pg/base bs=1M 2>/dev/null || true")
    write = "dd if=/dev/zero of=/data/wal bs=1M count=1 || exit 1; nc -ll -p 5432 -e true"
    service(box, "db", write, "--net=shop", "-v", "/srv/pg:/data")
    wait_loops(box, "db")
    assert "No space left" in box.docker("logs", "db").stderr
    job(box, "migrate", CALL, "--net=shop")
    probed(box, "cart", CALL, "--net=shop")
    wait_exits(box, "migrate")
    wait_sick(box, "cart")


# -- limits ----------------------------------------


@incident(
    "resources.pids-exhausted",
    "container:crowd",
    effects=[*all_of(SICK, "crowd")],
    bystander=GRUMPY,
    also=all_of(EXITS, "crowd"),
    newest_too=True,
)
def probe_cannot_fork(box: Box) -> None:
    """A container has as many processes as it may: its own health check cannot start one."""
    grumpy(box)
    script = "for i in 1 2 3 4 5 6 7; do sleep 1000 & done; exec sleep 1000"
    probed(box, "crowd", "(true); (true) | (true)", "--pids-limit=9", script=script)
    wait_sick(box, "crowd")


@incident(
    "resources.cpu-throttled",
    "container:busy",
    effects=[*all_of(SICK, "busy")],
    bystander=FORGETFUL,
)
def probe_gets_no_processor(box: Box) -> None:
    """A container that is held back to a fiftieth of a processor cannot answer its health check in
    time."""
    forgetful(box)
    work = "while :; do :; done & while :; do :; done & while :; do :; done"
    probe = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done"
    probed(box, "busy", probe, "--cpus=0.05", "--health-timeout=2s", script=work)
    wait_sick(box, "busy")


# -- the engine ----------------------------------------


@incident(
    "daemon.containerd-hung",
    "daemon:docker",
    effects=[*all_of(SICK, "api", "cart")],
    bystander=FORGETFUL,
    also=[("daemon.*", "*")],
    newest_too=True,
)
def containerd_hangs(box: Box) -> None:
    """containerd was stopped by a signal: health checks do not end any more."""
    forgetful(box)
    for name in ("api", "cart"):
        probed(box, name, "true", "--health-timeout=2s")
        box.wait_health(name, "healthy")
    box.kill(box.containerd_pid, signal.SIGSTOP)
    wait_sick(box, "api", "cart")


@incident(
    "daemon.config-invalid",
    "daemon:docker",
    effects=[("daemon.not-running", "daemon:docker")],
    bystander=FORGETFUL,
    config={"live-restore": True},
    newest_too=True,
)
def broken_configuration_after_a_crash(box: Box) -> None:
    """The engine ended and cannot start again, for a comma in daemon.json; its containers live
    on."""
    forgetful(box)
    job(box, "shop", "exec sleep 1000")
    pid = box.engine_pid
    box.kill(pid)
    box.wait_for(lambda: not box.alive(pid), what="dockerd to end")
    box.start_engine(config='{"live-restore": true,\n "log-driver": "json-file",,\n}\n', wait=False)
    box.wait_for(lambda: not box.pids_of("dockerd"), what="dockerd to give up")
