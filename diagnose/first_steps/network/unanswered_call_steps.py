"""Page variables for a call that gets no answer, by the place where it is lost."""

from collections.abc import Callable, Mapping

from diagnose.evidence.containers.settings.changed_words import with_text
from diagnose.evidence.network.calls.unanswered_call import CallLoss, UnansweredCall
from diagnose.evidence.network.rules.refusing_routes import is_refusal, without_refusal
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.mappings import present
from diagnose.model import PageVariables


def unanswered_call_steps(call: UnansweredCall) -> PageVariables:
    """The page variables of the block about this call."""
    if call.protocol == "udp":
        return _udp_variables(call)
    place = {"container": call.container.name, "address": call.address, "port": str(call.port)}
    of_loss = _OF_CASE.get(call.loss)
    of_case = of_loss(call) if of_loss is not None else {}
    beyond = {"beyond": call.address} if call.obstacle is None else {}
    return {**place, **(of_case or _peer_variables(call) or beyond)}


def _udp_variables(call: UnansweredCall) -> PageVariables:
    """The page variables of the place over UDP, and of the tunnel that can work without UDP."""
    words = f"{call.container.config.image} {' '.join(call.container.command)}"
    place = {"container": call.container.name, "udp_port": str(call.port)}
    if call.obstacle is not None or call.is_untranslated or call.silent_router:
        return place
    place["edge"] = call.address
    return {**place, "tunnel": call.container.name} if "cloudflared" in words else place


def _untranslated_variables(call: UnansweredCall) -> PageVariables:
    """The page variables for a source without translation. Over IPv6 a rule may stop the answers
    instead.

    A service of this very host is reached without the way out.
    """
    if call.network is not None and not call.is_ipv6:
        return {"untranslated": call.source, "bridge": call.network.bridge}
    variables = _obstacle_variables(call) or (_own_site_variables(call) if call.is_own_site else {})
    return variables or {"exempted": call.source}


def _own_site_variables(call: UnansweredCall) -> PageVariables:
    """The page variables with the name of this host's service, as `--add-host` leads it to the host
    itself.

    A program whose settings contain the address asks for no name: the settings need the name first.
    """
    host = f"{call.own_name}:host-gateway"
    if not call.named_by:
        return {"own_host": host}
    changed = with_text(call.container, call.address, call.own_name)
    if changed:
        return {"named_host": host, **changed}
    bridge = call.network.bridge if call.network is not None and not call.is_ipv6 else ""
    return {"literal": call.address, **present({"inner_bridge": bridge})}


def _obstacle_variables(call: UnansweredCall) -> PageVariables:
    """The page variables of the route that refuses a call on this host, or of the rule that
    drops it."""
    obstacle = call.obstacle
    if obstacle is None:
        return {}
    if is_refusal(obstacle):
        return without_refusal(obstacle.by, is_ipv6=call.is_ipv6)
    if obstacle.reason != "rule":
        return {}
    family = "ip6" if call.is_ipv6 else "ip"
    rule_place = place_of(obstacle.by, family)
    is_nft = "nft_chain" in rule_place
    if is_nft:
        rule_place["address_family"] = family
    prefix = "nft_" if is_nft else ""
    if chain := rule_place.pop(f"{prefix}chain", ""):
        rule_place[prefix + _chain_variable(obstacle.part, call.source)] = chain
    return {**rule_place, "source": call.source} if call.source else rule_place


def _chain_variable(part: str, source: str) -> str:
    """The name of the page variable for a chain: each accepting rule of the page has a chain of its
    own.

    source: "" for a program on the host's own network.
    """
    if part == "reply":
        return "answers_chain"
    return "chain" if source else "own_chain"


def _peer_variables(call: UnansweredCall) -> PageVariables:
    """The page variables of the peer that should answer: a container, a router, or a machine
    with its own rules."""
    if call.peer is not None:
        return {"peer": call.peer.name}
    if call.of_network is not None:
        return {"stale": call.container.name}
    if call.silent_router and not call.no_machine:
        return {"router": call.silent_router}
    return {"own_rules": call.container.name} if call.may_filter else {}


def _mesh_variables(call: UnansweredCall) -> PageVariables:
    """The page variables of a mesh client: on the host's network it makes an interface there, and
    its variable allows that."""
    client = call.mesh_client
    if client is None or not client.shares_host_network:
        return {"mesh": call.address}
    is_told = any("userspace-networking" in word for word in client.command)
    return {"mesh": call.address} if is_told else {"userspace": client.name}


def _way_by_router(call: UnansweredCall) -> PageVariables:
    absent = call.led_away
    return {"led_away": absent.address, "way_out": absent.router} if absent is not None else {}


def _container_way_variables(call: UnansweredCall) -> PageVariables:
    """The page variables of the route through a container, or of that container alone where the
    caller does not reach it."""
    way = call.way_through
    if way is None:
        return {}
    address = way.address_for(call.container)
    if not address:
        return {"tunnelling": way.container.name, "behind": way.subnet}
    return {"behind": way.subnet, "by_container": address}


def _proxy_variables(call: UnansweredCall) -> PageVariables:
    return call.engine_proxy.variables(call.container) if call.engine_proxy is not None else {}


def _doubt_variables(call: UnansweredCall) -> PageVariables:
    """The page variables of the chain whose counters show whether a rule stops the packets."""
    if call.doubtful is None:
        return {}
    place = place_of(call.doubtful.by, "ip6" if call.is_ipv6 else "ip")
    if "program" in place:
        return {
            "counting": place["program"],
            "in_table": place["table"],
            "in_chain": place["chain"],
        }
    return {"doubt": str(call.doubtful.by)}


def _neighbour_variables(call: UnansweredCall) -> PageVariables:
    if call.mistaken is None:
        return {}
    return {"mistaken": call.address, "at_interface": call.mistaken.interface}


_OF_CASE: Mapping[CallLoss, Callable[[UnansweredCall], dict[str, str]]] = {
    "metadata": lambda _: {"hop_limit": "2"},
    "untranslated": _untranslated_variables,
    "stopped here": _obstacle_variables,
    "foreign source": lambda call: {"foreign_source": call.foreign_source},
    "wrong neighbour": _neighbour_variables,
    "loopback down": lambda call: {"without_loopback": call.container.name},
    "near the caller": lambda call: {"cut_off": call.container.name},
    "routed": lambda call: {"routed": call.network.name if call.network is not None else ""},
    "mesh": _mesh_variables,
    "led away": _way_by_router,
    "through a container": _container_way_variables,
    "own site": _own_site_variables,
    "proxy": _proxy_variables,
    "mail": lambda call: {"mailer": call.container.name},
    "undecided here": _doubt_variables,
    "over IPv6": lambda call: {"over_ipv6": call.container.name, "beyond": call.address},
}
"""The page variables of a case; the other cases have those of the peer that should answer."""
