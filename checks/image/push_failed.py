"""Images that could not be pushed, from what the engine says of them."""

from collections.abc import Mapping

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.client import ClientSettings
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.images.pulls.pushes import FailedPush, FailedPushes, Why
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import DAEMON, CheckResult, Count, Finding, PageVariables, Seconds, Severity
from diagnose.phrases import how_often, joined, shortened
from diagnose.registry import check

_MARKUP = LazyPattern(r"(?:\\[rn]|\s|<[^>]{0,80}>)+")
_SENTENCES: Mapping[Why, str] = {
    "size": "a web server in front of the registry takes no upload of that size (HTTP 413)",
    "space": "the registry has no room for it",
    "denied": "the registry accepts a push there only with a login that has the right to",
    "plain": (
        "the registry sends the upload to an address of plain HTTP, where nobody answers: it stands "
        "behind a web server that ends TLS and does not tell it so (X-Forwarded-Proto)"
    ),
    "unreachable": "the registry cannot be reached",
    "server": "the registry itself fails",
}
"""The reason why a registry refused an image, by the kind of its refusal."""


@check(
    "image.push-failed",
    severity=Severity.warning,
    caused_by=["image.registry-unreachable", "image.registry-tls", "dns.host-broken"],
    aloud=("could not be pushed", "could not be pushed"),
    aloud_of_engine="could not push an image",
    observed=True,
)
def push_failed(
    failed_pushes: FailedPushes,
    log: DaemonLog,
    clock: Clock,
    client: ClientSettings | None,
    containers: Containers | None,
    *,
    recent_s: Seconds = Seconds(3600),
    repeated: Count = Count(15),
) -> CheckResult:
    """An image could not be pushed to its registry.

    The registry refuses a layer, or a web server in front of it does: nginx takes 1 MB unless its
    configuration says more. A server that ends TLS has to say so (X-Forwarded-Proto), or the
    registry sends the engine to http:// for the upload. The engine tries each layer five times. One
    failed push of long ago is advice, and so are a few that were denied: somebody has not logged
    in, or mistyped a name. The first line of the report mentions it for an hour.
    """
    for failed in failed_pushes:
        is_recent = clock.is_within(failed.last.at, recent_s) and failed.why != "denied"
        is_harmful = is_recent or failed.times >= repeated
        login = _own_login(client) if failed.why == "denied" else _OwnLogin()
        ago = clock.ago(failed.last.at)
        yield Finding(
            subject=DAEMON,
            summary=f"pushing an image failed {how_often(failed.times, ago)}: {_reason(failed)}{login.clause}",
            evidence={
                log.where(failed.last): shortened(_without_markup(failed.said)),
                "uploads that failed": failed.times,
            },
            variables=_variables(failed, containers) or login.variables,
            discriminator=failed.why,
            severity=Severity.warning if is_harmful else Severity.advice,
            signs=signs(failed.said),
            onset=failed.first,
            is_quiet=not clock.is_within(failed.last.at, recent_s),
        )


def _variables(failed: FailedPush, containers: Containers | None) -> PageVariables:
    """The page variables for a failed push, by the kind of the failure."""
    if failed.why == "size":
        return {"body_size": "client_max_body_size"}
    if failed.why == "plain":
        running = containers.running if containers is not None else ()
        front = only([container for container in running if container.publishes(443)])
        forwarded = {"forwarded": "X-Forwarded-Proto"}
        return {**forwarded, "front": front.name} if front is not None else forwarded
    place, port = place_in(failed.said)
    if failed.why == "unreachable" and port:
        return {"called": place, "port": str(port)}
    return {}


class _OwnLogin(msgspec.Struct, frozen=True):
    """A clause and page variables for a user of this tool without a login, where another user
    has one."""

    clause: str = ""
    variables: PageVariables = {}


def _own_login(client: ClientSettings | None) -> _OwnLogin:
    """The clause about a user without a stored login, and the folder where the caller of sudo has
    one."""
    if client is None or client.logins is None:
        return _OwnLogin()
    if client.logins or client.store or client.helpers:
        return _OwnLogin()
    no_login_clause = f'; user "{client.user}" has no stored login'
    if client.caller is None:
        # root examines what others push, too
        return _OwnLogin(no_login_clause if client.user != "root" else "")
    login_clause = f'and user "{client.caller.user}", who called sudo, has one for'
    registries = joined(client.caller.logins)
    return _OwnLogin(
        f"{no_login_clause}, {login_clause} {registries}", {"caller_config": client.caller.folder}
    )


def _without_markup(text: str) -> str:
    """The words of a web page without its markup."""
    return _MARKUP.sub(" ", text).strip()


def _reason(failed: FailedPush) -> str:
    return _SENTENCES.get(failed.why) or shortened(_without_markup(failed.said), 120)
