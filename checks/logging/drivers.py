"""Log drivers that keep a container from starting, from writing, or its log from being read."""

import re
from collections.abc import Iterator, Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_config import LogConfig
from diagnose.evidence.containers.logs.writers import WATCHED_S, LogWriter, LogWriters
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Skipped
from diagnose.phrases import sentence
from diagnose.registry import check

_UNRESOLVED = LazyPattern(
    r"\blookup ([\w.-]{1,253})\b.{0,80}: (?:no such host|server misbehaving|i/o timeout"
    r"|Temporary failure in name resolution)"
)
"""Go's error for a name without an address, where the engine looks it up."""
_ADDRESS = LazyPattern(r"\b(?:tcp|udp|unix|unixgram) ([\w.:\[\]/-]+?):? ")


@check(
    "logging.driver-blocks-start",
    severity=Severity.critical,
    caused_by=[
        "container.entrypoint-missing",
        "container.exec-format",
        "container.mount-source-missing",
        "container.network-gone",
        "container.oom-killed",
        "dns.host-broken",
        "network.port-allocated",
        "network.port-held-by-process",
    ],
    observed=True,
)
def driver_blocks_start(containers: Containers) -> CheckResult:
    """A container did not start because its log driver could not reach its receiver.

    Such a start fails for all containers with that driver at once, and no restart policy tries
    again. A driver that refuses its options, or is not to be had on this host, is a matter of
    `container.start-refused`. Seen on engines
    20.10.24, 26.1.5 and 28.5.2 with fluentd and syslog: "failed to initialize logging driver", exit
    code 128.
    """
    for container in containers:
        if not container.lacks_log_receiver:
            continue
        config = container.host_config.log_config
        error = container.state.error
        address = _configured_address(config)
        takers: Sequence[Container] = ()
        address_match = _ADDRESS.search(error)
        if address_match is not None:
            address = address_match[1]
            takers = _takers(address, containers)
        receiver = f"its receiver at {address}" if address else "its receiver"
        name_match = _UNRESOLVED.search(error)
        name_clause = ""
        if name_match is not None:
            name_clause = f"the name {name_match[1]} does not resolve on this host"
        yield Finding.about(
            container,
            sentence(
                f"{container} did not start: its log driver {config.type} did not reach {receiver}",
                name_clause,
                *_taker_clauses(takers),
            ),
            {
                "State.Error": error,
                "State.Status": container.state.status,
                "HostConfig.LogConfig": {"Type": config.type},
            },
            calls=tuple(taker.subject for taker in takers),
            signs=signs(error),
            variables={"driver": config.type, **_taker_variables(container, takers)},
        )


def _takers(address: str, containers: Containers) -> Sequence[Container]:
    """The containers that are configured to publish the port of the address, and so to receive the
    log."""
    port = address.rpartition(":")[2]
    if not port.isdecimal():
        return ()
    return [container for container in containers if container.wants_port(int(port))]


def _taker_clauses(takers: Sequence[Container]) -> Iterator[str]:
    """The state of the containers that should take the log, each as a clause."""
    for taker in takers:
        state = "runs now" if taker.is_running else "is not running"
        yield f"{taker}, which publishes that port, {state}"


def _taker_variables(container: Container, takers: Sequence[Container]) -> PageVariables:
    """The page variables that start a container, where one container of this host takes the log."""
    taker = only(takers)
    if taker is None:
        return {}
    return {"late": container.name} if taker.is_running else {"receiver": taker.name}


def _configured_address(config: LogConfig) -> str:
    """The address to which the driver's options send the log; "" where they have none."""
    return next(
        (value for name, value in config.options.items() if name.endswith(("-address", "-url"))), ""
    )


@check("logging.driver-unreadable", severity=Severity.advice)
def driver_unreadable(containers: Containers) -> CheckResult:
    """A container's logs cannot be read back on this host.

    Its driver sends them away, and the engine's own cache of them (from 20.10 on) is switched off.
    The driver none is somebody's decision.
    """
    for container in containers:
        if not container.writes_to_its_log:
            continue
        config = container.host_config.log_config
        if not config.is_local and config.has_no_cache:
            yield Finding.about(
                container,
                f"`docker logs` of {container} is refused: its logs go to {config.type} only",
                {"HostConfig.LogConfig": {"Type": config.type, "cache-disabled": "true"}},
            )


@check("logging.backpressure", severity=Severity.warning, causes=["container.unhealthy"])
def backpressure(writers: LogWriters) -> CheckResult:
    """A container is blocked because nobody takes what it writes.

    In blocking mode, the default, the pipe between container and engine is full as long as the
    receiver takes nothing. A writer that continues, however slowly, is not meant. The engine hands
    the same output to each client that is attached (`docker attach`, `docker run` without -d): one
    that does not read, as in a stopped or paused terminal, blocks the container too.
    """
    if not len(writers) and not writers.unexamined:
        return Skipped("no running container sends its output to another host or program")
    for writer in writers:
        config = writer.container.host_config.log_config
        if not writer.is_at_a_pipe:
            continue
        if config.is_local:
            yield _attached_finding(writer)
        elif config.options.get("mode") != "non-blocking":
            yield _driver_finding(writer)


def _driver_finding(writer: LogWriter) -> Finding:
    container = writer.container
    config = writer.container.host_config.log_config
    return Finding.about(
        container,
        f"{container} is blocked: its log driver {config.type} takes no more of what it prints",
        {**_waits(writer), "HostConfig.LogConfig": {"Type": config.type, "mode": "blocking"}},
        recheck=(container.run,),
        variables={"driver": config.type},
    )


def _attached_finding(writer: LogWriter) -> Finding:
    """A finding about a client that is attached and does not read.

    Where the client is a process of this host, its command line names the container.
    """
    container = writer.container
    name = re.escape(container.name)
    return Finding.about(
        container,
        f"{container} is blocked: a client that is attached to it (docker attach, or docker run "
        "without -d) does not read what it prints",
        {**_waits(writer), "Config.AttachStdout": container.config.attach_stdout},
        recheck=(container.run,),
        variables={
            "client": rf"^(\S*/)?docker (.* )?(attach|run|start) (.*[ =])?({name}|{container.id[:12]})( |$)"
        },
    )


def _waits(writer: LogWriter) -> dict[str, Json]:
    pid = writer.container.state.pid
    return {f"/proc/{pid}/wchan": f"{writer.waits_in}, not left for {WATCHED_S} s"}
