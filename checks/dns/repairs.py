"""The smallest repair of the engine's configuration for name resolution."""

import json
from collections.abc import Sequence

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.model import Finding
from diagnose.questions import Host
from diagnose.registry import repairs
from diagnose.repair.differences import Difference, daemon_keys


@repairs("dns.upstream-unreachable", "dns.servers-disagree", "dns.no-nameserver")
def servers_for_containers(
    finding: Finding, host: Host, config: DaemonConfig
) -> Sequence[Difference]:
    """Sets the servers, or the IPv6 prefix, of the finding in the engine's file."""
    variables = finding.variables
    new_config = next(
        filter(None, map(variables.get, ("dns_json", "ipv6_json", "router_json"))), None
    )
    return daemon_keys(config, json.loads(new_config), host) if new_config else ()
