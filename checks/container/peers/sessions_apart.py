"""container.sessions-apart: replicas of a service do not know the sessions of one another."""

from diagnose.evidence.containers.peers.parted_sessions import PartedSessions, PartedSessionsList
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import named
from diagnose.registry import check


@check(
    "container.sessions-apart",
    severity=Severity.advice,
    aloud=("keeps sessions that its replicas do not know", "keep sessions apart"),
)
def sessions_apart(parted_sessions: PartedSessionsList) -> CheckResult:
    """Replicas of a service each keep the sessions of their users for themselves.

    Two containers or more of one service run, and each has files of sessions in its own layer: of
    PHP, of Laravel, or of session-file-store. A proxy that takes turns sends a user to a container
    that does not know the session. Files in a mount may be shared, and are left out; so are
    containers with a label of Traefik for sticky sessions.
    """
    for parted in parted_sessions:
        yield _finding(parted)


def _finding(parted: PartedSessions) -> Finding:
    first, *others = parted.replicas
    return Finding.about(
        first,
        f"{named('container', names_of(parted.replicas))} each keep the sessions of their users in "
        f"{parted.folder} of their own: a user whose next request goes to another one is logged out",
        {f"files of sessions in {replica.name}": parted.folder for replica in parted.replicas},
        touches=subjects_of(others),
        recheck=tuple(replica.run for replica in parted.replicas),
        variables={"folder": parted.folder, "service": first.service},
    )
