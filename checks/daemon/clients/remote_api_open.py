"""daemon.remote-api-open: the engine takes commands over TCP without a client certificate."""

import shlex

from diagnose.evidence.engine.config import DaemonConfig, key_of
from diagnose.evidence.engine.daemon import Daemon
from diagnose.model import DAEMON, CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.registry import check


@check("daemon.remote-api-open", severity=Severity.warning)
def remote_api_open(config: DaemonConfig, daemon: Daemon) -> CheckResult:
    """The engine takes commands over TCP from anyone, without a client certificate.

    From the command line of the running engine and its file: `tcp://` without `tlsverify`. On a
    loopback address it is advice: every user and every container on the host's network may be root
    there. A firewall in front is not seen.
    """
    if daemon.processes.engine is None or daemon.is_podman:
        return Skipped("no process of a Docker engine is seen")
    if config.value("tlsverify") is True:
        return None
    hosts = config.value("hosts")
    addresses = hosts if isinstance(hosts, list) else ()
    for host in addresses:
        text = str(host)
        if text.startswith(("unix://", "fd://", "npipe://")):
            continue
        address = text.partition("://")[2] or text
        local = address.startswith(("127.", "localhost", "[::1]"))
        tls = config.value("tls") is True
        encrypted = "encrypted and without a client certificate" if tls else "without TLS"
        yield Finding(
            subject=DAEMON,
            summary=(
                f"the engine's API is open at {text}, {encrypted}: "
                "whoever reaches it is root on this host"
            ),
            evidence={
                config.where("hosts"): text,
                "tlsverify": config.value("tlsverify") or False,
                "tls": tls,
            },
            variables={"address": _callable_address(address), **_without_tcp(config, daemon)},
            discriminator=address,
            severity=Severity.advice if local else None,
        )


def _callable_address(address: str) -> str:
    """The address as a client of this host calls it."""
    return f"localhost{address}" if address.startswith(":") else address


def _without_tcp(config: DaemonConfig, daemon: Daemon) -> PageVariables:
    """The page variables that close the address: a note that the file has it, or a command line
    without it."""
    if config.in_file("hosts"):
        return {"in_file": "daemon.remote-api-open"}
    program = (daemon.installation.program or "").removesuffix(" (deleted)")
    if not program:
        return {}
    words = [program]
    for flag, values in config.flags.items():
        is_address = key_of(flag) == "hosts"
        other_values = [value for value in values if not (is_address and value.startswith("tcp:"))]
        words += [f"--{flag}" if value == "true" else f"--{flag}={value}" for value in other_values]
    return {"command_line": shlex.join(words)}
