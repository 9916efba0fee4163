"""container.clients-refused: a mail server refuses all of its clients for one reason."""

from diagnose.evidence.containers.logs.refusing_servers import RefusingServer, RefusingServers
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check

SHOWN = 200


@check(
    "container.clients-refused",
    severity=Severity.advice,
    caused_by=("dns.host-broken", "dns.upstream-unreachable", "dns.server-fails"),
    aloud=("refuses all of its clients", "refuse all of their clients"),
)
def clients_refused(refusing_servers: RefusingServers) -> CheckResult:
    """A mail server refuses each of its clients for one and the same reason.

    The check reads the lines of Postfix and Exim of the last minutes. It counts where they report
    four refusals or more, of several clients, with the same words, and no mail that was taken. A
    server that only spammers call may do so too, so that it is advice. It is a warning where
    Postfix looks for names in a folder of its own (chroot) that has no resolv.conf with a DNS
    server.
    """
    for refused in refusing_servers:
        yield _finding(refused)


def _finding(refused: RefusingServer) -> Finding:
    container = refused.container
    reason = ""
    if refused.lacks_resolver:
        reason = "Postfix runs in /var/spool/postfix, where no etc/resolv.conf names a DNS server"
    return Finding.about(
        container,
        sentence(
            f"{container} refused all of its last {count(refused.times, 'mail')} from "
            f"{count(refused.clients, 'client')} for one reason: {shortened(refused.reason, SHOWN)}",
            reason,
        ),
        {"log": refused.line},
        severity=Severity.warning if refused.lacks_resolver else None,
        recheck=(container.run,),
        variables={"shut_in": container.name} if refused.lacks_resolver else {},
    )
