"""container.errors-in-log: a running container repeats an error that no other check knows."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from checks.container.helpers import setting_evidence
from checks.container.needed_options import needed_options
from checks.container.row_steps import row_steps
from checks.container.server_steps import server_of
from checks.container.unpassed import Unpassed, unpassed
from diagnose.evidence.containers.asked_devices import AskedDevices
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.settings.named_settings import (
    NamedSetting,
    named_setting,
    only_file,
)
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.networks import Networks, is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence, shortened
from diagnose.programs.migrations import WAITING, migration_in
from diagnose.registry import check

SHOWN = 160
"""Characters of the line in the finding's sentence."""
REFUSES = frozenset(
    {
        "acme-unreached",
        "celery-unregistered",
        "database-read-only",
        "gunicorn-timeout",
        "host-refused",
        "laravel-key",
        "mongoose-buffering",
        "nginx-connections",
        "nginx-header",
        "nginx-no-index",
        "nginx-upload",
        "nginx-upstream-plain",
        "nginx-upstream-slow",
        "origin-refused",
        "php-fpm-children",
        "plain-to-tls",
        "proxy-untrusted",
        "redis-full",
        "redis-replica",
        "search-flood",
        "tls-expected",
        "vault-sealed",
    }
)
"""Known failures of a program that runs on and turns its callers away: a warning, not advice."""
MOSTLY = 0.5
"""The share of the last lines from which on it does so to most of its callers. Below, scanners of
the Internet may be those whom it refuses, unless no line comes more often and none tells of a
request that went well."""


@check(
    "container.errors-in-log",
    severity=Severity.advice,
    aloud=("repeats an error in its log", "repeat errors in their logs"),
)
def errors_in_log(
    repeated_errors: RepeatedErrors,
    containers: Containers | None,
    networks: Networks | None,
    info: Info | None,
    processes: Processes | None,
    asked_devices: AskedDevices | None,
    numbers: UserNumbers | None,
) -> CheckResult:
    """A running container repeats an error in its log.

    Its program goes on, and nothing else is wrong that this tool can see. Only the program's author
    knows whether its users notice. It is a warning where the line is known to mean that the program
    turns its callers away, waits for a migration of its database, or misses a variable that its
    container has and cron or php-fpm does not pass on. The last twelve lines of the last five
    minutes are read, or sixty where a stack trace fills them. What tells of somebody of the
    internet who was turned away is no error, and one that stays away is over.
    """
    for error in repeated_errors:
        setting = _setting(error)
        row = _row_variables(error, containers, info)
        server = server_of(error.container, error.failure, containers)
        cut_off = _cut_off_variables(server.get("replica", ""), repeated_errors)
        dropped = unpassed(error, processes)
        finding = Finding.about(
            error.container,
            f"{error.container} {_what(error, cut_off, dropped)}",
            {
                "log": error.line.whole,
                **_meaning(error, dropped),
                **setting_evidence(setting),
                "how often": _often(error),
            },
            severity=Severity.warning if dropped or _refuses(error) else Severity.advice,
            stable=(error.container.life,),
        )
        steps = (
            (dropped.steps if dropped is not None else {})
            or _migration_variables(error)
            or _lacking_variables(error, containers)
            or _trusting_variables(error, networks)
            or _shared_folder_variables(error)
            or server | cut_off
            or row
            or _option_variables(error, asked_devices, numbers)
        )
        yield finding.with_variables(steps or (setting.variables if setting is not None else {}))
    return None


def _option_variables(
    error: RepeatedError, asked_devices: AskedDevices | None, numbers: UserNumbers | None
) -> dict[str, str]:
    """The one option without which the program goes on and does a part of its work.

    All rights are nothing to give a program that works without them.
    """
    failure = error.failure
    if failure is None:
        return {}
    options = needed_options(error.container, failure, asked_devices, numbers)
    option = only(options) or "--privileged"
    return {} if option == "--privileged" else {"needed_option": option}


def _row_variables(
    error: RepeatedError, containers: Containers | None, info: Info | None
) -> dict[str, str]:
    """What the known failure's own remedy needs.

    Nothing where it turns few callers away: scanners ask for any host name and any upload.
    """
    failure = error.failure
    if failure is not None and failure.name in REFUSES and not _refuses(error):
        return {}
    return row_steps(error.container, error.failure, containers, is_running=True, info=info)


def _migration_variables(error: RepeatedError) -> dict[str, str]:
    """The command that brings the program's database to its code, where the line asks for that."""
    failure = error.failure
    if failure is None or failure.name not in WAITING:
        return {}
    return present({"migration": migration_in((failure.line, *error.lines))})


def _lacking_variables(error: RepeatedError, containers: Containers | None) -> dict[str, str]:
    """What this container lacks: a key of its framework, a longer timeout, its callers' image."""
    failure, container = error.failure, error.container
    name = failure.name if failure is not None else ""
    if name == "laravel-key" and not container.config.sets("APP_KEY"):
        return {"keyless": container.name}
    if name == "gunicorn-timeout" and not _has_timeout(container):
        return {"impatient": container.name}
    if name == "plain-to-tls" and error.peers:
        return {"speaker": error.peers[0][1].name}
    if name == "acme-unreached" and failure is not None:
        return {"unreached": failure.values["unreached"]}
    if name == "tls-expected":
        return _unsecured_variables(container)
    if name == "celery-unregistered" and containers is not None:
        image = _newer_build(container, containers)
        return {"behind": container.name, "newer_image": image} if image else {}
    return {}


def _shared_folder_variables(error: RepeatedError) -> dict[str, str]:
    """The folder of a web server that the program behind it lacks at that path.

    Nothing where it lacks none, or several: which one holds the scripts is not known then.
    """
    known = error.failure
    if known is None or known.name != "fastcgi-script":
        return {}
    behind = [peer for address, peer in error.peers if address == known.values.get("address")]
    if len(behind) != 1:
        return {}
    (php,) = behind
    lacking = [
        mount
        for mount in error.container.mounts
        if not _OF_SYSTEM.match(mount.destination) and php.mount_at(mount.destination) is None
    ]
    if len(lacking) != 1:
        return {}
    (mount,) = lacking
    source = mount.name if mount.volumes else mount.source
    at = mount.destination
    return {"scripts": php.name, "scripts_at": at, "scripts_mount": f"{source}:{at}:ro"}


def _cut_off_variables(replica: str, repeated_errors: RepeatedErrors) -> dict[str, str]:
    """The replica of Redis that a program writes to, where its log says that its master is gone.

    Nothing where the master may answer: the program is to write to that one.
    """
    for error in repeated_errors:
        known = error.failure.name if error.failure is not None else ""
        if error.container.name != replica or known != "redis-master-gone":
            continue
        masters = [match[1] for line in error.lines if (match := _MASTER.search(line))]
        return {"cut_off": replica, "master": masters[-1] if masters else "another server"}
    return {}


_SECURED = (
    (LazyPattern(r"elasticsearch"), "xpack.security.enabled=false"),
    (LazyPattern(r"opensearch(?!-dash)"), "DISABLE_SECURITY_PLUGIN=true"),
)
"""Search servers by their images, and the variable that turns TLS and passwords off."""


def _unsecured_variables(container: Container) -> dict[str, str]:
    """What has a search server speak plain HTTP, where only containers reach it."""
    is_open = any(not is_loopback(port.host_ip) for port in container.published_ports)
    if is_open or container.shares_host_network:
        return {}
    image = container.config.image.lower()
    settings = [setting for name, setting in _SECURED if name.search(image)]
    return {"insecure": settings[0]} if settings else {}


def _has_timeout(container: Container) -> bool:
    """Whether gunicorn is given options by the variable already, or a timeout that it does not
    override."""
    config = container.config
    return config.sets("GUNICORN_CMD_ARGS") or any("--timeout" in word for word in config.words)


_OF_SYSTEM = LazyPattern(r"/(?:dev|etc|lib|lib64|proc|run|sys|tmp|usr|var/run)(?:/|$)")
_MASTER = LazyPattern(r"Connecting to MASTER (\S+)")
_HASS = LazyPattern(r"(?:^|/)(?:home-assistant|homeassistant|hassio)\b")
_HASS_FOLDER = "/config"


def _trusting_variables(error: RepeatedError, networks: Networks | None) -> dict[str, str]:
    """The file of Home Assistant, and the network of the proxy that it is to trust.

    The proxy's address alone where it is not on a network of the container's.
    """
    failure, container = error.failure, error.container
    if failure is None or failure.name != "proxy-untrusted":
        return {}
    address = failure.values.get("address", "")
    folder = container.mount_at(_HASS_FOLDER)
    is_hass = _HASS.search(container.config.image.lower())
    if not is_hass or folder is None or not _may_be_ours(address):
        return {}
    attached = networks.of(container) if networks is not None else []
    subnets = [subnet for network in attached for subnet in network.subnets]
    around = [str(subnet) for subnet in subnets if is_within(address, subnet)]
    return {
        "trusting": container.name,
        "trusting_file": f"{folder.source}/configuration.yaml",
        "trusted": around[0] if around else address,
    }


def _may_be_ours(address: str) -> bool:
    """Whether a proxy may have this address: whoever calls from the internet sets headers too."""
    try:
        return not ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _newer_build(container: Container, containers: Containers) -> str:
    """The one other image of the same repository that a container beside it runs."""
    own = container.config.image
    repository, networks = _repository(own), container.endpoints.keys()
    near = [other for other in containers.running if other.endpoints.keys() & networks]
    images = {other.config.image for other in near} - {own}
    builds = [image for image in images if repository and _repository(image) == repository]
    return only(builds) or ""


def _repository(image: str) -> str:
    """The name of an image without its tag; "" where it has none, or a digest.

    A colon before the last slash is that of a registry's port.
    """
    name, _, tag = image.rpartition(":")
    return "" if "/" in tag or "@" in name else name


def _setting(error: RepeatedError) -> NamedSetting | None:
    """The setting that the line names, or the one mounted file in which its cure is made."""
    cure = error.failure.cure if error.failure is not None else ""
    return named_setting(error.container, error.line) or only_file(error.container, cure)


def _refuses(error: RepeatedError) -> bool:
    """Whether the program is known to turn its callers away, and prints little else.

    One that waits for a migration does so whatever else it prints.
    """
    failure = error.failure
    if failure is None:
        return False
    is_alone = error.times >= error.most and not error.serves
    is_most = is_alone or error.times >= MOSTLY * error.of
    if _migration_variables(error):
        return is_most or failure.name == "data-older"
    is_of_known = failure.name in REFUSES or bool(_shared_folder_variables(error))
    return is_most and is_of_known


def _what(error: RepeatedError, cut_off: Mapping[str, str], dropped: Unpassed | None) -> str:
    """The line, or what it means where that is known to harm; and who is behind its addresses."""
    if dropped is not None:
        lacks = f"a program in it does not get the container's variable {dropped.variable}"
        return sentence(f"runs, but {lacks} ({_often(error)})", dropped.why)
    behind = [f"{address} is {peer}" for address, peer in error.peers]
    if shared := _shared_folder_variables(error):
        behind.append(f'container "{shared["scripts"]}" does not have {shared["scripts_at"]}')
    if cut_off:
        master = f"a replica of {cut_off['master']}, which does not answer"
        behind.append(f'container "{cut_off["cut_off"]}" is {master}')
    failure = error.failure
    often = _often(error)
    if failure is not None and _refuses(error):
        return sentence(f"runs, but {failure.cause} ({often})", *behind)
    line = shortened(error.line.text, SHOWN)
    return sentence(f"repeats an error ({often}): {line}", *behind)


def _often(error: RepeatedError) -> str:
    return f"{error.times} of its last {error.of} lines"


def _meaning(error: RepeatedError, dropped: Unpassed | None) -> dict[str, object]:
    """What the line means and what fixes it, where the failure is known."""
    if error.failure is None or dropped is not None:
        return {}
    return {"this means": error.failure.cause, "what fixes it": error.failure.cure}
