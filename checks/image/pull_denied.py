"""image.pull-denied: a registry refuses an image, or does not have it."""

from collections.abc import Sequence

from checks.image.failed_pulls import FailedPulls, image_of, reason_of
from diagnose.evidence.engine.client import ClientSettings
from diagnose.evidence.images.missing_images import MissingImage, MissingImages
from diagnose.evidence.images.pulls.pull_denials import HUB, denial_of
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.swarm.swarm import Swarm
from diagnose.model import CheckResult, Count, Finding, PageVariables, Seconds, Severity
from diagnose.phrases import agree, joined, named
from diagnose.registry import check


@check(
    "image.pull-denied",
    severity=Severity.warning,
    aloud=("could not be pulled", "could not be pulled"),
    aloud_of_engine="could not pull an image",
)
def pull_denied(
    pulls: Pulls,
    clock: Clock,
    client: ClientSettings | None,
    swarm: Swarm | None,
    missing_images: MissingImages | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """An image does not exist in its registry, or this host has no right to pull it.

    Registries give the same answer for a name that is misspelt and one that needs a login, so the
    two cannot be distinguished. Where 403 is all that came, a web filter on the way may have
    answered: the first command shows who does.

    A login that is no longer valid is worse than none: with it, registries refuse public images too
    (ghcr.io says "denied: denied"). Logins belong to the user who pulls; those of the user who runs
    this are known by the registries' names. Swarm pulls with the login that the service was given
    when it was made, and without one if it was given none.

    One refused pull is most often a slip of the pen: a warning takes three, unless the registry
    says that the login itself is wrong, or a compose file of which nothing runs asks for an image
    that this host does not have, and was changed within an hour before the pull. The engine's log
    often lacks the name of the image: then such a file has it. The first line of the report
    mentions it for an hour.
    """
    failures = FailedPulls(pulls, clock, repeated)
    recent = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("denied"):
        if trouble.words.refuses_login and not trouble.of_swarm:
            yield _wrong_login_finding(recent, trouble, client)
            continue
        suspects = missing_images.suspects(trouble) if missing_images is not None else ()
        if suspects:
            yield _unstarted_finding(recent, trouble, suspects)
            continue
        denial = denial_of(trouble, pulls.source, client, swarm)
        yield failures.finding(
            trouble,
            variables={"registry": trouble.host, **denial.variables},
            proof=denial.proof,
            clause=denial.clause,
        )


def _unstarted_finding(
    failures: FailedPulls, trouble: PullTrouble, suspects: Sequence[MissingImage]
) -> Finding:
    """A pull for a project of which nothing runs, where the log does not name the image."""
    images = dict.fromkeys(missing.image for missing in suspects)
    files = dict.fromkeys(missing.path for missing in suspects)
    asks = agree(files, "asks", "ask")
    lacks = agree(images, "is", "are")
    return failures.finding(
        trouble,
        variables=_cure_of(suspects[0]),
        proof={
            f"service {missing.service} in {missing.path}": missing.image for missing in suspects
        },
        clause=(
            f"; {named('image', images)}, for which {joined([*files])} {asks}, {lacks} not on this "
            f"host, and nothing of {agree(files, 'that project', 'those projects')} runs"
        ),
    )


def _cure_of(missing: MissingImage) -> PageVariables:
    """The variables of the command that pulls the image, or that takes it from its new place."""
    if missing.moved_to:
        return {"moved": missing.moved_to, "wanted": missing.image, "compose_file": missing.path}
    return {"compose_file": missing.path, "compose_service": missing.service}


_HUB_KEY = "https://index.docker.io/v1/"
"""The name under which the docker command stores the login of Docker Hub."""


def _wrong_login_finding(
    failures: FailedPulls, trouble: PullTrouble, client: ClientSettings | None
) -> Finding:
    """The finding about a pull that fails because of its login: a public image needs none."""
    registry = trouble.registry or HUB
    reason = f"{registry} refuses the login with which it was made: {reason_of(trouble)}"
    if client is None or registry not in (client.logins or ()):
        return failures.finding(trouble, variables={"login": registry}, reason=reason)
    return failures.finding(
        trouble,
        variables={"refused_login": _HUB_KEY if registry == HUB else registry} | image_of(trouble),
        proof={f"{client.file} auths": registry},
        reason=reason,
        clause=f'; user "{client.user}" has one stored in {client.file}',
    )
