"""Log options of the daemon that a container does not have."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.registry import check

DEFAULT_DRIVER = "json-file"


@check(
    "logging.opts-not-applied", severity=Severity.advice, caused_by=["daemon.config-not-applied"]
)
def opts_not_applied(containers: Containers, config: DaemonConfig) -> CheckResult:
    """A container is older than the daemon's log options and runs without them.

    At create the engine copies each default that the container does not set itself, if the driver
    is the same; so an option that is missing was not in force then. An option that differs was
    chosen and is left out.
    """
    defaults = config.value("log-opts")
    if not isinstance(defaults, dict) or not defaults:
        return Skipped("the daemon has no log options of its own")
    driver = str(config.value("log-driver") or DEFAULT_DRIVER)
    for container in containers:
        log_config = container.host_config.log_config
        missing = sorted({str(name) for name in defaults} - set(log_config.options))
        if log_config.type == driver and missing and container.writes_to_its_log:
            yield Finding.about(
                container,
                f"{container} runs without the daemon's log options: {', '.join(missing)}",
                {
                    f"{config.where('log-opts')} log-opts": sorted(str(name) for name in defaults),
                    "HostConfig.LogConfig.Config": log_config.options,
                    "Created": container.created,
                },
            )
