"""Evidence about a refused pull beyond the registry's words."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.engine.client import CallerLogins, ClientSettings
from diagnose.evidence.images.pulls.pulls import PullTrouble
from diagnose.evidence.swarm.swarm import Swarm
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import Json
from diagnose.phrases import and_more

HUB = "docker.io"
"""The Hub as a login names it: under its host's name the credentials would not be found."""


class PullDenial(msgspec.Struct, frozen=True):
    """Evidence about a refused pull beyond the registry's words."""

    variables: dict[str, str]
    clause: str = ""
    proof: dict[str, Json] = {}


def denial_of(
    trouble: PullTrouble, source: str, client: ClientSettings | None, swarm: Swarm | None
) -> PullDenial:
    """The denial by the login of the pull, as far as it is known. source: of the pulls."""
    logins = (client.logins or ()) if client is not None else ()
    registry = trouble.registry or (HUB if trouble.image else _expired_login(trouble, logins))
    service = _service_of(swarm, trouble.image) if trouble.of_swarm else ""
    # the registry has shown the repository: a login would change nothing
    if trouble.words.misses_tag:
        return PullDenial({})
    if service:
        return PullDenial(
            {"service": service, "service_registry": registry},
            f'; service "{service}" pulls with the login that it was given by '
            "--with-registry-auth, not with that of a user on this node",
        )
    if not registry:
        return PullDenial({"unnamed": source})
    if amazon := _AMAZON.fullmatch(registry):
        return PullDenial(
            {"amazon": registry, "region": amazon["region"]},
            f"; logins for {registry} last 12 hours",
        )
    return _denial_by_login(trouble, registry, client)


def _denial_by_login(
    trouble: PullTrouble, registry: str, client: ClientSettings | None
) -> PullDenial:
    """The part of this host's logins in the refusal."""
    if trouble.words.forbidden_at and (client is None or registry not in (client.logins or ())):
        return PullDenial(
            {"answering": trouble.words.forbidden_at},
            "; a registry asks a stranger to log in (401) before it forbids anything, and a web "
            "filter or a portal on the way answers so",
        )
    if client is None:
        return PullDenial({"login": registry})
    caller = client.caller
    if caller is not None and client.lends_login(registry):
        whose = f'user "{caller.user}", who called sudo, has one'
        return _denial_of_lender(trouble, registry, client, caller, whose)
    if registry in (client.logins or ()):
        if helper := client.useless_helper(registry):
            return PullDenial(
                {},
                f'; user "{client.user}" has a login there, which docker-credential-{helper} keeps '
                "and cannot give",
                {f"{client.file} auths": registry},
            )
        if trouble.words.lacks_login:
            return _denial_without_login(trouble, registry, client)
        return PullDenial(
            {"login": registry, **present({"as_guest": trouble.image})},
            f'; user "{client.user}" has a stored login for {registry}: if it is no '
            "longer valid, even public images are refused",
            {f"{client.file} auths": registry},
        )
    for lender in client.lenders(registry):
        whose = f'user "{lender.user}" has one'
        return _denial_of_lender(trouble, registry, client, lender, whose)
    return PullDenial({"login": registry})


def _denial_of_lender(
    trouble: PullTrouble, registry: str, client: ClientSettings, lender: CallerLogins, whose: str
) -> PullDenial:
    """Another user has a login there, and this one has none."""
    lent = {"as_caller": trouble.image, "caller_config": lender.folder} if trouble.image else {}
    return PullDenial(
        lent or {"login": registry},
        f'; user "{client.user}" has no login there, and {whose}',
        {f"{lender.folder}/config.json auths": registry},
    )


def _denial_without_login(
    trouble: PullTrouble, registry: str, client: ClientSettings
) -> PullDenial:
    """The pull sent no login, and this user has one: another user has pulled."""
    strangers = [user.user for user in client.strangers(registry)]
    whose = f"; users without one: {and_more(strangers)}" if strangers else ""
    one = {"puller": strangers[0], "puller_login": registry} if len(strangers) == 1 else {}
    return PullDenial(
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
