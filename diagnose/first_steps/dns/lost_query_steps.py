"""Page variables that let a lost DNS query through, or name another server."""

from diagnose.evidence.dns.dns_containers import DNS_PORT
from diagnose.evidence.dns.lost_queries import LostQuery
from diagnose.evidence.network.addresses import is_loopback, with_port
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.rules.refusing_routes import without_refusal
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.mappings import names_of
from diagnose.model import PageVariables


def query_way(lost: LostQuery) -> PageVariables:
    """The page variables that walk the path of the query, where the host gets an answer and the
    container's query is lost before."""
    is_on_the_way = not lost.upstream.by_host and not is_loopback(lost.server)
    if not is_on_the_way or not lost.lookups.reaches(lost.server):
        return {}
    place = with_port(lost.server, DNS_PORT)
    return {"asker": lost.group.members[0].name, "asked_server": f"{place}/udp"}


def steps_for_query(lost: LostQuery) -> PageVariables:
    """The page variables that let the query through, or else name another server."""
    if lost.is_kept_in and not lost.is_own_doing:
        return {"vpn": lost.group.members[0].name}
    if lost.rejected_by is not None:
        return without_refusal(lost.rejected_by)
    if lost.apart is not None:
        members = "\n".join(names_of(lost.group.members))
        return {"apart_network": lost.apart.network, "apart_members": members}
    hairpin = _hairpin(lost)
    if hairpin:
        return hairpin
    if lost.rule and lost.server in lost.path.own:
        return _opening_variables(lost.rule, lost.path.bridges.get(lost.group.networks[0], ""))
    return _another_server(lost)


def _another_server(lost: LostQuery) -> PageVariables:
    """The page variables that name another server at the source of the present one, or take the
    host's."""
    origin = lost.origin.kind
    if origin in ("earlier", "edited") and lost.answering:
        return {"restarted": lost.group.members[0].name}
    if origin == "scripted":
        return {"rewritten": lost.group.members[0].name}
    hiding = lost.hiding
    if hiding is not None and origin != "container":
        return {"hiding_network": hiding.name, "server": lost.server}
    if origin == "container":
        return {"own_server": lost.group.members[0].name}
    if lost.elsewhere is not None:
        return {"dns_program": lost.elsewhere.comm or "the DNS server"}
    if origin == "daemon" and lost.answering and not is_loopback(lost.answering):
        return {"dns_json": f'{{"dns": ["{lost.answering}"]}}'}
    return {}


def _hairpin(lost: LostQuery) -> PageVariables:
    """The page variables that lead the queries straight to the container that docker-proxy hands
    them to."""
    is_silent_way = lost.lookups.reaches(lost.server) and not lost.reply.icmp
    if lost.proxied is None or lost.networks is None or not is_silent_way:
        return {}
    network = lost.networks.by_name.get(lost.group.networks[0])
    endpoints = lost.proxied.endpoints.values()
    addresses = [endpoint.ip_address for endpoint in endpoints if endpoint.ip_address]
    if network is None or not network.is_bridge or not addresses:
        return {}
    return {"hairpin_bridge": network.bridge, "dns_address": addresses[0]}


def _opening_variables(step: Step, bridge: str) -> PageVariables:
    """The page variables of the block that opens port 53 for one bridge. step: the rule
    that decides."""
    if not bridge or len(step.table.split()) < 2:
        return {}
    place = place_of(step)
    return {**place, "asking_bridge": bridge} if place else {"zone_bridge": bridge}
