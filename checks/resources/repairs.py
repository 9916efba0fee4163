"""The smallest repair of the engine's configuration for the host's resources."""

from collections.abc import Sequence

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.questions import Host
from diagnose.registry import repairs
from diagnose.repair.differences import Difference, daemon_keys

OPTION = "native.cgroupdriver="


@repairs("resources.cgroup-driver")
def driver_of_the_init(host: Host, config: DaemonConfig) -> Sequence[Difference]:
    """Removes the option, so that the engine chooses the right driver; other options are
    unchanged."""
    options = config.in_file("exec-opts")
    if not isinstance(options, list):
        return ()
    others = [option for option in options if not str(option).startswith(OPTION)]
    if others == options:
        return ()
    return daemon_keys(config, {"exec-opts": others or None}, host)
