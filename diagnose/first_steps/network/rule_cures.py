"""The cure of a rule that drops packets: the program that may write to its chain, and where in it.

A page has a block of commands for each case, with variables of its own. Each function returns the
variables of one case, so that only its block suits.
"""

from typing import Literal

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.host_paths import HostPath, Obstacle
from diagnose.evidence.network.paths.packet_paths import USER_CHAIN, Step
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPath
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.rule_programs import BANS, is_ban, place_of, program_of
from diagnose.mappings import only, present
from diagnose.model import PageVariables

_OF_UFW = {"ip": "ufw-user", "ip6": "ufw6-user"}
"""The names in ufw for chains of rules that a user gave it."""
_FRAMES = ("netdev", "bridge")


def unban(step: Step, family: str = "ip") -> PageVariables:
    """The page variables that lift a ban of fail2ban: its chain is named after the jail, with a
    rule for an address.

    Empty for any other rule.
    """
    if not is_ban(step, family):
        return {}
    words = step.rule.split()
    place = place_of(step, family)
    return {
        "program": place["program"],
        "table": place["table"],
        "ban_chain": step.chain,
        "jail": step.chain.removeprefix(BANS),
        "banned": words[1].partition("/")[0],
        "verdict": words[words.index("-j") + 1],
    }


def between_bridge_and_uplink(
    step: Step, hook: str, part: str, bridge: str, uplink: str, family: str = "ip"
) -> PageVariables:
    """The page variables for a rule that drops between a bridge and an uplink."""
    banned = unban(step, family)
    if banned:
        return banned
    program = program_of(step, family)
    if program == "firewall-cmd":
        return {"zone_bridge": bridge}
    if program == "nft":
        return _nft_place(step, hook, bridge)
    table = step.table.split()[-1]
    rule_place = {"program": program, "table": table}
    if part == "reply":
        return {**rule_place, "answers_chain": step.chain}
    if hook == "prerouting":
        return {**rule_place, "before_chain": step.chain, "bridge": bridge}
    if hook == "postrouting":
        return {**rule_place, "after_chain": step.chain, "uplink": uplink}
    if step.chain == USER_CHAIN:
        return {"program": program, "bridge": bridge, "open_uplink": uplink}
    return {**rule_place, "chain": step.chain, "bridge": bridge, "uplink": uplink}


def _nft_place(step: Step, hook: str, bridge: str) -> PageVariables:
    """The place of a chain of nftables, under the name of the page's block for its hook."""
    family, table = step.table.split()[-2:]
    rule_place = {"family": family, "table": table}
    if family in _FRAMES or hook in ("ingress", "egress"):
        return {**rule_place, "frame_chain": step.chain}
    if hook == "prerouting":
        return {**rule_place, "nft_before": step.chain, "bridge": bridge}
    if hook == "postrouting":
        return {**rule_place, "nft_after": step.chain}
    return {**rule_place, "nft_chain": step.chain, "bridge": bridge}


def of_queries(step: Step, server: str) -> PageVariables:
    """The page variables for a rule that drops the containers' queries to a DNS server of IPv4, and
    nothing else."""
    place = place_of(step)
    if unban(step) or not place:
        return {}
    if "program" in place:
        return {
            "program": place["program"],
            "table": place["table"],
            "query_chain": step.chain,
            "server": server,
        }
    if place["nft_family"] in _FRAMES:
        return {}
    return {
        "family": place["nft_family"],
        "table": place["nft_table"],
        "nft_queries": step.chain,
        "server": server,
    }


def of_calls_to_host(
    firewall: Firewall | None,
    step: Step,
    bridge: str,
    port: int,
    proto: str = "tcp",
    *,
    is_answer: bool = False,
) -> PageVariables:
    """The page variables for a rule that drops packets from a bridge to a program of the host.

    is_answer: whether these are the program's answers.
    """
    banned = unban(step)
    if banned:
        return banned
    if is_answer:
        return _answers_place(step)
    target = {"bridge": bridge, "port": str(port), "proto": proto}
    program = program_of(step)
    if has_ufw(firewall) and program == "iptables":
        return {"ufw_bridge": bridge, "port": str(port), "proto": proto}
    if program == "firewall-cmd":
        return {"zone_bridge": bridge}
    return {**target, **place_of(step)}


def _answers_place(step: Step) -> PageVariables:
    """The page variables for a rule that accepts answers; empty before connections are tracked."""
    place = place_of(step)
    if place.get("table") == "raw":
        return {}
    chain = place.pop("nft_chain", "")
    if chain:
        return {**place, "nft_answers_chain": chain}
    chain = place.pop("chain", "")
    return {**place, "answers_chain": chain} if chain else {}


def has_ufw(firewall: Firewall | None, family: Literal["ip", "ip6"] = "ip") -> bool:
    """Whether ufw writes the rules of this host for packets of a family."""
    chains = firewall.chains if firewall is not None else ()
    return any(chain.name.startswith(_OF_UFW[family]) for chain in chains)


def between_containers(step: Step, bridge: str) -> PageVariables:
    """The page variables for a rule that drops between two containers of one bridge."""
    banned = unban(step)
    if banned:
        return banned
    program = program_of(step)
    if program == "firewall-cmd":
        return {"zone_bridge": bridge}
    family, table = step.table.split()[-2:]
    if family in _FRAMES:
        return {"family": family, "table": table, "frame_chain": step.chain}
    return {**place_of(step), "bridge": bridge}


def between_bridges(step: Step, path: WantedPath) -> PageVariables:
    """The page variables of a rule that lets these two bridges talk, or of one beside the rule that
    drops."""
    packet = path.trace.packet
    if path.bridged:
        return between_containers(step, path.network.bridge)
    stages = [stage for stage in path.trace.stages if stage.hook == "forward"]
    last = stages[-1].verdict.packet if stages else packet
    if last is None or not (last.dst and last.oif):
        return between_containers(step, path.network.bridge)
    if program_of(step) != "iptables":
        return between_containers(step, path.network.bridge)
    return {
        "from_bridge": path.network.bridge,
        "to_bridge": last.oif,
        "to_address": last.dst,
        "to_port": str(last.dport or path.port),
    }


def is_for_answers(step: Step) -> bool:
    """Whether a chain has the packets that come to this host: the answers to its own calls."""
    return step.chain.lower().startswith(("input", "prerouting"))


def of_blocked_paths(obstacle: Obstacle, path: HostPath, servers: list[str]) -> PageVariables:
    """The page variables for a rule that blocks the host's own paths, or their answers.

    path: the first that the rule blocks.
    """
    bridge = path.network.bridge
    if obstacle.part != "reply" or unban(obstacle.by):
        return of_blocked_calls(obstacle.by, bridge, servers)
    cure = of_blocked_calls(obstacle.by, bridge="", servers=[])
    if "program" not in cure or obstacle.hook not in ("input", "prerouting"):
        return {}
    chain = cure.pop("chain")
    if obstacle.hook == "input":
        return {**cure, "answers_chain": chain}
    # before connections are tracked, only its address and port tell an answer from a request
    server = {"served_address": path.address, "served_port": str(path.port)}
    return {**cure, "early_chain": chain, "inner": bridge, **server}


def of_blocked_calls(step: Step, bridge: str, servers: list[str]) -> PageVariables:
    """The page variables of the ban to lift, of the policy to change, or of the rule to put before
    the one that drops."""
    banned = unban(step)
    if banned:
        return banned
    place = place_of(step)
    if step.rule.startswith("policy ") and "program" in place and step.chain == "OUTPUT":
        return {**place, "closed_chain": step.chain}
    server = servers[0] if servers else ""
    name = "answered_server" if is_for_answers(step) else "server"
    return {**place, **present({"bridge": bridge, name: server})}


def of_source_address(container: Container, published: str, networks: Networks) -> PageVariables:
    """The page variables that give the packets of the container's only network the address at
    which it is published."""
    network = _only_bridge(container, networks)
    if network is None or not network.subnet4 or ":" in published:
        return {"refused": published}
    return {
        "subnet": network.subnet4,
        "bridge": network.bridge,
        "wanted": published,
        "network": network.name,
    }


def _only_bridge(container: Container, networks: Networks) -> Network | None:
    """The only network by which the container's packets leave; None where it has several."""
    network = only(networks.of(container))
    return network if network is not None and network.is_bridge else None
