"""The place of the rule that translates answers."""

from diagnose.evidence.network.sockets.untranslated_answers import UntranslatedAnswer
from diagnose.mappings import first_of, present
from diagnose.model import PageVariables

_HELPERS = {("udp", 69): "tftp"}
"""The helper of the kernel that heals: it is used only for new calls, and each call of TFTP has a
port of its own. Telephones (SIP) keep theirs."""


def untranslated_steps(answer: UntranslatedAnswer) -> PageVariables:
    """The page variables of the kernel's helper for the protocol, or of the rule for the
    container's own answers."""
    helper = _HELPERS.get((answer.protocol, answer.called_port), "")
    address = first_of(sorted(answer.container.ipv4_addresses), "")
    if not helper or not address:
        return {"caller": answer.container.name}
    return present(
        {
            "helper": helper,
            "tracker": f"nf_conntrack_{helper}",
            "translator": f"nf_nat_{helper}",
            "protocol": answer.protocol,
            "called_port": str(answer.called_port),
            "address": address,
        }
    )
