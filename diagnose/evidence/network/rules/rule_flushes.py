"""Jobs of the host that delete the engine's rules, asked where these are gone."""

from diagnose.evidence.items import Items
from diagnose.evidence.network.paths.flushed_rules import flushed_rules
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.cron import ListRuleFlushes, RuleFlush
from diagnose.registry import evidence

__all__ = ["RuleFlush", "RuleFlushes"]


class RuleFlushes(Items[RuleFlush], frozen=True):
    """The jobs that flush the packet filter, those that run again and again first."""


@evidence
def rule_flushes(host: Host, firewall: Firewall, packet_paths: PacketPaths) -> RuleFlushes:
    """The jobs that may have deleted the rules; none where no rule is missing."""
    if not packet_paths.networks or not flushed_rules(firewall, packet_paths).is_real:
        return RuleFlushes(())
    flushes = host.ask(ListRuleFlushes())
    lines = () if isinstance(flushes, Failed) else flushes
    return RuleFlushes(tuple(sorted(lines, key=lambda flush: not flush.is_repeated)))
