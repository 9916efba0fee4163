"""container.host-not-allowed: a program does not take the host name by which its clients come."""

from diagnose.evidence.containers.addresses.allowed_hosts import HostNotAllowed, HostsNotAllowed
from diagnose.evidence.containers.addresses.local_origins import LocalOrigin, LocalOrigins
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import and_more, sentence, shortened
from diagnose.registry import check

_FILE_INDEX = "9"
"""A place in Nextcloud's list that few lists reach."""


@check(
    "container.host-not-allowed",
    severity=Severity.warning,
    aloud=("allows only pages from localhost", "allow only pages from localhost"),
)
def host_not_allowed(
    hosts_not_allowed: HostsNotAllowed, local_origins: LocalOrigins | None
) -> CheckResult:
    """A program's list of allowed host names lacks the one by which its clients come.

    Nextcloud, ownCloud, Django and others answer only requests for the host names of a list, such
    as ALLOWED_HOSTS or trusted_domains. The log shows that each request of clients from private
    networks is refused with 400, 403 or 421, a page of entry among them. No address of this host is
    in the list. Where one is, or a sign for all names, the refusal has another reason. It is
    advice where monitors and scanners alone have asked: people call by the name. A list of
    networks, or with 403 of addresses alone, says which clients are let in.

    Or a list of origins such as CORS_ORIGINS has localhost alone, while browsers of other machines
    reach both the server and the page of its project: a browser then drops the answers. That is
    advice, since a page may come by the server itself, and a warning where the server refuses all
    requests that change something. The check says nothing where both have one name, or
    a container of the project with a port of the web may give them one, nor about applications that
    run for their developers.
    """
    yield from map(_finding, hosts_not_allowed)
    yield from map(_origin_finding, local_origins or ())


def _finding(refused: HostNotAllowed) -> Finding:
    container = refused.container
    failed = refused.failed
    address_clause = f"this host has address {refused.address}" if refused.address else ""
    return Finding.about(
        container,
        sentence(
            f"{container} refuses all {len(failed.answers)} requests of its clients with HTTP status "
            f"{failed.status}: {refused.place} allows only {and_more(refused.names)}",
            address_clause,
        ),
        {"last answer": shortened(failed.answers[-1].line), refused.place: " ".join(refused.names)},
        severity=None if refused.is_of_people else Severity.advice,
        recheck=(container.run,),
        is_quiet=not refused.is_of_people,
        variables=present(
            {
                "own": f"{refused.variable}={refused.value}" if refused.value else "",
                "address": refused.address if refused.path else "",
                "index": _FILE_INDEX if refused.path else "",
                "listed": refused.place,
            }
        ),
    )


def _origin_finding(origin: LocalOrigin) -> Finding:
    container = origin.container
    return Finding.about(
        container,
        f"{container} lets browsers use its answers only in pages from localhost "
        f"({origin.variable}), but others open the pages of {origin.page}, by {origin.by}",
        present(
            {
                f"Config.Env {origin.variable}": list(origin.origins),
                "log": shortened(origin.refused),
            }
        ),
        discriminator=origin.variable,
        severity=None if origin.refused else Severity.advice,
        recheck=(container.run,),
        touches=(origin.page.subject,),
        variables=present(
            {
                "origins": f"{origin.variable}=https://{origin.name}" if origin.name else "",
                "origin_list": "" if origin.name else origin.variable,
            }
        ),
    )
