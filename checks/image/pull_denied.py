"""image.pull-denied: a registry refuses an image, or does not have it."""

from collections.abc import Sequence

import msgspec

from checks.image.failed_pulls import FailedPulls, image_of, reason_of
from diagnose.evidence.engine.client import CallerLogins, ClientSettings
from diagnose.evidence.images.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.swarm.swarm import Swarm
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Count, Finding, Json, Seconds, Severity
from diagnose.phrases import and_more
from diagnose.registry import check

HUB = "docker.io"
"""The Hub as a login names it: under its host's name the credentials would not be found."""


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
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """An image does not exist in its registry, or this host has no right to pull it.

    Registries give the same answer for a name that is misspelt and one that needs a login, so the
    two cannot be distinguished. Where 403 is all that came, a web filter on the way may have
    answered: the first command shows who does. A login that is no longer valid is worse than none:
    with it, registries refuse public images too (ghcr.io says "denied: denied"). Logins belong to
    the user who pulls; those of the user who runs this are known by the registries' names. Swarm
    pulls with the login that the service was given when it was made, and without one if it was
    given none. One refused pull is most often a slip of the pen: a warning takes three, unless the
    registry says that the login itself is wrong. The first line of the report mentions it for an
    hour.
    """
    failures = FailedPulls(pulls, clock, repeated)
    recent = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in pulls.of("denied"):
        if trouble.words.refuses_login and not trouble.of_swarm:
            yield _wrong_login_finding(recent, trouble, client)
            continue
        denial = _denial(trouble, pulls.source, client, swarm)
        yield failures.finding(
            trouble,
            variables={"registry": trouble.host, **denial.variables},
            proof=denial.proof,
            clause=denial.clause,
        )


_HUB_KEY = "https://index.docker.io/v1/"
"""The name under which the docker command stores the login of Docker Hub."""


def _wrong_login_finding(
    failures: FailedPulls, trouble: PullTrouble, client: ClientSettings | None
) -> Finding:
    """A pull that fails for the login with which it was made: a public image needs none."""
    registry = trouble.registry or HUB
    reason = f"{registry} refuses the login with which it was made: {reason_of(trouble)}"
    logins = (client.logins or ()) if client is not None else ()
    if client is None or registry not in logins:
        return failures.finding(trouble, variables={"login": registry}, reason=reason)
    return failures.finding(
        trouble,
        variables={"refused_login": _HUB_KEY if registry == HUB else registry} | image_of(trouble),
        proof={f"{client.file} auths": registry},
        reason=reason,
        clause=f'; user "{client.user}" has one stored in {client.file}',
    )


class _Denial(msgspec.Struct, frozen=True):
    """What is known of a refused pull beyond the registry's words."""

    variables: dict[str, str]
    clause: str = ""
    proof: dict[str, Json] = {}


def _denial(
    trouble: PullTrouble, source: str, client: ClientSettings | None, swarm: Swarm | None
) -> _Denial:
    """By the login with which the pull was made, as far as it is known. source: of the pulls."""
    logins = (client.logins or ()) if client is not None else ()
    registry = trouble.registry or (HUB if trouble.image else _expired_login(trouble, logins))
    service = _service_of(swarm, trouble.image) if trouble.of_swarm else ""
    # the registry has shown the repository: a login would change nothing
    if trouble.words.misses_tag:
        return _Denial({})
    if service:
        return _Denial(
            {"service": service, "service_registry": registry},
            f'; service "{service}" pulls with the login that it was given by '
            "--with-registry-auth, not with that of a user on this node",
        )
    if not registry:
        return _Denial({"unnamed": source})
    if amazon := _AMAZON.fullmatch(registry):
        return _Denial(
            {"amazon": registry, "region": amazon["region"]},
            f"; logins for {registry} last 12 hours",
        )
    return _denial_by_login(trouble, registry, client)


def _denial_by_login(trouble: PullTrouble, registry: str, client: ClientSettings | None) -> _Denial:
    """What the logins of this host's users have to do with it."""
    if trouble.words.forbidden_at and (client is None or registry not in (client.logins or ())):
        return _Denial(
            {"answering": trouble.words.forbidden_at},
            "; a registry asks a stranger to log in (401) before it forbids anything, and a web "
            "filter or a portal on the way answers so",
        )
    if client is None:
        return _Denial({"login": registry})
    caller = client.caller
    if caller is not None and client.lends_login(registry):
        whose = f'user "{caller.user}", who called sudo, has one'
        return _denial_of_lender(trouble, registry, client, caller, whose)
    if registry in (client.logins or ()):
        if helper := client.useless_helper(registry):
            return _Denial(
                {},
                f'; user "{client.user}" has a login there, which docker-credential-{helper} keeps '
                "and cannot give",
                {f"{client.file} auths": registry},
            )
        if trouble.words.lacks_login:
            return _denial_without_login(trouble, registry, client)
        return _Denial(
            {"login": registry, **present({"as_guest": trouble.image})},
            f'; user "{client.user}" has a stored login for {registry}: if it is no '
            "longer valid, even public images are refused",
            {f"{client.file} auths": registry},
        )
    for lender in client.lenders(registry):
        whose = f'user "{lender.user}" has one'
        return _denial_of_lender(trouble, registry, client, lender, whose)
    return _Denial({"login": registry})


def _denial_of_lender(
    trouble: PullTrouble, registry: str, client: ClientSettings, lender: CallerLogins, whose: str
) -> _Denial:
    """Another user has a login there, and this one has none."""
    lent = {"as_caller": trouble.image, "caller_config": lender.folder} if trouble.image else {}
    return _Denial(
        lent or {"login": registry},
        f'; user "{client.user}" has no login there, and {whose}',
        {f"{lender.folder}/config.json auths": registry},
    )


def _denial_without_login(trouble: PullTrouble, registry: str, client: ClientSettings) -> _Denial:
    """The pull sent no login, and this user has one: another user has pulled."""
    strangers = [user.user for user in client.strangers(registry)]
    whose = f"; users without one: {and_more(strangers)}" if strangers else ""
    one = {"puller": strangers[0], "puller_login": registry} if len(strangers) == 1 else {}
    return _Denial(
        {**present({"as_owner": trouble.image}), **one} or {"login": registry},
        f'; user "{client.user}" has a login there, and it was not used{whose}',
        {f"{client.file} auths": registry},
    )


def _service_of(swarm: Swarm | None, image: str) -> str:
    """The service whose tasks need this image; "" where this node does not know it."""
    services = swarm.known_services if swarm is not None else ()
    return next((service.spec.name for service in services if service.spec.image == image), "")


_AMAZON = LazyPattern(r"\d+\.dkr\.ecr[\w-]*\.(?P<region>[\w-]+)\.amazonaws\.com(\.cn)?")


def _expired_login(trouble: PullTrouble, logins: Sequence[str]) -> str:
    """The registry of Amazon whose login has expired, where the user has only one."""
    of_amazon = [name for name in logins if _AMAZON.fullmatch(name)]
    return of_amazon[0] if len(of_amazon) == 1 and trouble.words.login_is_too_old else ""
