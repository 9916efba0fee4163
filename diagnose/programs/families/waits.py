"""Lines of a program that waits at its start for another one, again and again."""

from diagnose.programs.failures.recognition import Failure

_READY = (
    r"(?:(?:be(?:come)?|come|get)\ )?(?:accept(?:ing)?\ connections|alive|available|healthy|listen(?:ing)?|online"
    r"|reachable|ready|respond(?:ing)?|running|start(?:ed)?(?:\ up)?|up)\b"
)
_NAME = (
    r"(?!it\b|you\b)(?!(?:[\w-]+\ ){0,2}(?:clients?|commands?|connections?|data|events?|files?|input|items?|jobs?"
    r"|messages?|packets?|players?|requests?|tasks?|updates?|users?|work)\b)[\w.:/-]{2,60}(?:\ [\w.:/-]{2,40}){0,3}?"
)
"""The awaited server or file, and no work: a worker is well that waits for work."""

WAITS = (
    Failure(
        name="waits-for-another",
        mark=("wait", "not yet", "yet", "not ready", "not up", "unavailable", "sleeping"),
        pattern=rf"""(?xi)
            \bwait(?:ing|s)?\ (?:for|on|until)\ (?:the\ |an?\ )?['"`]?(?P<awaited>{_NAME})['"`]?\ (?:to\ |is\ )?{_READY}
            | ^(?:[^\n]{{0,80}}(?:[\s\]-]|:\ ))?(?:the\ )?['"`]?(?P<awaited_state>{_NAME})['"`]?\ (?:is|are)
                \ (?:still\ )?(?:not\ (?:yet\ )?(?:available\ yet|reachable\ yet|ready|up\ yet)
                |unavailable\b.{{0,10}}\b(?:sleeping|waiting))\b
        """,
        cause="the program waits for {awaited}, which does not become ready, and does nothing until then",
        cure="look at the log of what it waits for, and whether the name, the port and the network by which it is "
        "asked are right",
        source="zammad/zammad-docker-compose; many start scripts",
        may_pass=True,
    ),
)
