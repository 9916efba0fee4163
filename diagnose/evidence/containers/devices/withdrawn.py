"""GPUs that a container was given, and that its control group no longer lets it open."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unexamined
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text
from diagnose.registry import evidence

_LOST = LazyPattern(r"Failed to initialize NVML: Unknown Error")
"""nvidia-smi says this where the kernel refuses it a device that is there (EPERM)."""
_DEVICES_GROUP = LazyPattern(r"(?m)^\d+:devices:(?P<path>/.*)$")
_CGROUPS = "/sys/fs/cgroup/devices"
_ALLOWED = LazyPattern(r"(?m)^(?:a \*:\*|c (?:195|\*):\S+ r)")
"""A rule that lets a container open NVIDIA's devices (major 195)."""
_GIVEN = LazyPattern(r"^/dev/nvidia")


class WithdrawnDevice(msgspec.Struct, frozen=True):
    """A GPU that a running container was given and can no longer open."""

    container: Container
    line: str
    """The line in the container's log."""
    rules: str
    """The device rules of its control group, in cgroup v1; "" in v2, where they are a program of
    the kernel that cannot be read."""
    times: int


class WithdrawnDevices(Items[WithdrawnDevice], frozen=True):
    """The withdrawn devices, one for each container."""

    unread: tuple[Unexamined, ...] = ()


@evidence
def withdrawn_devices(
    host: Host, containers: Containers, recent_logs: RecentLogs, clock: Clock
) -> WithdrawnDevices:
    """The withdrawn devices, looked up where a container with a GPU reports that it is unusable."""
    items = []
    with_gpu = [container for container in containers.running if _has_gpu(container)]
    for container in with_gpu:
        lines = recent_logs.repeated(container, _tells_of_loss, clock, least=1)
        if not lines:
            continue
        rules = _rules(host, container)
        if not _ALLOWED.search(rules):
            items.append(WithdrawnDevice(container, lines[-1].text, rules, len(lines)))
    return WithdrawnDevices(tuple(items), recent_logs.left_out(with_gpu))


def _tells_of_loss(text: str) -> bool:
    return _LOST.search(text) is not None


def _has_gpu(container: Container) -> bool:
    """Whether a container was given a GPU of NVIDIA, by a path, a request or a variable."""
    config = container.host_config
    paths = [device.path_in_container for device in config.devices or ()]
    is_named = any(_GIVEN.search(path) for path in paths)
    return bool(config.device_requests) or is_named or config.runtime == "nvidia"


def _rules(host: Host, container: Container) -> str:
    membership = file_text(host, f"/proc/{container.state.pid}/cgroup")
    group = _DEVICES_GROUP.search(membership)
    if group is None:
        return ""
    return file_text(host, f"{_CGROUPS}{group['path']}/devices.list")
