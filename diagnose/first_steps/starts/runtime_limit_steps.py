"""Page variables that give the runtime more room, or ask it for less."""

from collections.abc import Mapping

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.limits.kernel_keys import KernelKeys
from diagnose.model import PageVariables

_RULE_OF_RUNC = "c 10:200 rwm"
"""/dev/net/tun: no option asks for it."""


def asked_rule(container: Container, healing: Mapping[str, str]) -> PageVariables:
    """The option that asks for a device which the outer container forbids, if one does.

    The runtime gives devices of its own to each container: runc /dev/net/tun until 1.1.
    """
    config = container.host_config
    if healing.get("rule", "").startswith("a ") and config.privileged:
        return {"limiting": "privileged"}
    is_asked = "rule" in healing and healing["rule"] != _RULE_OF_RUNC and config.devices
    return {"limiting": "device"} if is_asked else {}


def larger_quota(keys: KernelKeys | None) -> PageVariables:
    """The page variables that raise the exhausted quota to ten times its size."""
    quota = keys.used_up[0] if keys is not None and keys.used_up else None
    if quota is None:
        return {}
    prefix = "root_" if quota.uid == 0 else ""
    return {
        "keys": f"kernel.keys.{prefix}maxkeys={10 * quota.max_keys}",
        "key_bytes": f"kernel.keys.{prefix}maxbytes={10 * quota.max_bytes}",
    }
