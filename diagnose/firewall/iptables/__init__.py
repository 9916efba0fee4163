"""`iptables-save` text as chains and rules: the rule's words, its matches, its target."""

from diagnose.firewall.iptables.chains import chains, tables
from diagnose.firewall.iptables.sets import members, named_sets

__all__ = ["chains", "members", "named_sets", "tables"]
