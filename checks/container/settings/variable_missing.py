"""container.variable-missing: a program needs a variable that is empty or not set."""

import re
from collections.abc import Sequence

from checks.container.claims import Claim, claims, compose_variables
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.settings.named.named_settings import missing_variable
from diagnose.evidence.containers.variables.variable_faults import asked_together, near_name
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, PageVariables, Severity
from diagnose.phrases import joined
from diagnose.registry import check

ID = "container.variable-missing"
UNANNOUNCED = "setting-required"
"""The row for lines that name a setting without the word "variable"."""
_SECRET = LazyPattern(
    r"^(?:(?:APP|DJANGO|FLASK)_)?SECRET_KEY(?:_BASE)?$"
    r"|(?:^|_)(?:APP|AUTH|COOKIE|NEXTAUTH|SESSION)_SECRET$|(?:^|_)SALT$"
)
"""Names of secrets that nobody else has to know, and that may have any form."""
_CONSENT = LazyPattern(
    r"set (?P<assignment>[A-Z]\w*=(?:accept(?:ed)?|agreed?|true|yes|y|false|noninteractive))",
    re.IGNORECASE,
)
"""The cure of a failure that waits for its user to accept a licence, or for another answer: the one
value is known."""
_GENERATED = LazyPattern(
    r"\bgenerate (?:a|an|one|it)\b|\brandom(?:ly)? (?:generated |secure )?(?:key|secret|string|value)\b"
    r"|\bopenssl rand\b|\bphx\.gen\.secret\b",
    re.IGNORECASE,
)
"""Words about a secret that the user may choose freely."""


@check(ID, severity=Severity.critical)
def variable_missing(containers: Containers, clock: Clock, log_tails: LogTails) -> CheckResult:
    """A container's program needs an environment variable that is not set.

    The log names the variable, or the program is known to need one of several, and the container's
    environment has none of them, or has them empty. A variable that a start script sets for its own
    children is not seen. Of the tasks of a swarm service the youngest speaks for all.
    """
    services_told: set[tuple[str, str]] = set()
    newest_claims = sorted(claims(ID, containers, log_tails, clock), key=_newest_first)
    for claim in newest_claims:
        container = claim.container
        named_variable = missing_variable(container, claim.failure)
        needed_variables = (named_variable,) if named_variable else claim.failure.needs
        if not needed_variables or any(map(container.config.sets, needed_variables)):
            continue
        service = container.swarm_service
        if service and (service, needed_variables[0]) in services_told:
            continue
        services_told.add((service, needed_variables[0]))
        empty_entries = {f"{name}=" for name in needed_variables}
        is_empty = not empty_entries.isdisjoint(container.config.env or ())
        state = "is empty" if is_empty else "is not set"
        asked_with = asked_together(claim.tail.lines, container, needed_variables[0])
        near_variable = near_name(container, needed_variables)
        instead = f', although "{near_variable}" is set' if near_variable else ""
        is_known = any(other.config.value_of(needed_variables[0]) for other in containers)
        cure_variables = _ways_to_set(needed_variables[0], asked_with, claim, is_known=is_known)
        if service:
            cure_variables = _ways_in_swarm(service, cure_variables)
        yield claim.finding(
            _need_clause(claim, needed_variables, asked_with, state) + instead,
            {
                "Config.Env": f"{needed_variables[0]} {state}{instead}",
                "this means": claim.failure.cause,
            },
            variables={
                "variable": needed_variables[0],
                **compose_variables(container),
                **cure_variables,
            },
        )


def _need_clause(
    claim: Claim, needed_variables: Sequence[str], asked_with: Sequence[str], state: str
) -> str:
    """The predicate that says what the program needs.

    asked_with: further variables for which the same line asks.
    """
    is_unannounced = claim.failure.name == UNANNOUNCED
    if asked_with:
        names = joined((needed_variables[0], *asked_with), "and")
        if is_unannounced:
            return f"needs the settings {names}: no environment variables of these names are set"
        return f"needs the environment variables {names}, which are not set"
    if is_unannounced:
        named_variable = missing_variable(claim.container, claim.failure)
        return f"needs the setting {named_variable}: the environment variable of that name {state}"
    return f"needs the environment variable {joined(needed_variables, 'or')}, which {state}"


def _ways_to_set(
    variable: str, asked_with: Sequence[str], claim: Claim, *, is_known: bool
) -> PageVariables:
    """The page variables that give the variables their values: a person types what only they know.

    is_known: another container has a value, which may have to be the same: a web server and its
    workers share one.
    """
    if asked_with:
        return {"all_typed": " ".join((variable, *asked_with))}
    consent = _CONSENT.fullmatch(claim.failure.cure)
    if consent is not None:
        return {"consent": consent["assignment"]}
    is_free = _SECRET.search(variable) is not None and not is_known
    is_made_up = is_free and any(map(_GENERATED.search, claim.tail.lines))
    kind = "generated" if is_made_up and claim.failure.name != "key-not-given" else "typed"
    return {kind: variable}


def _newest_first(claim: Claim) -> float:
    return -(claim.container.created_at or 0.0)


def _ways_in_swarm(service: str, cure_variables: PageVariables) -> PageVariables:
    """The page variables that set the variables for all tasks of a service.

    Swarm replaces a task that is recreated by itself.
    """
    ways = {
        "typed": "service_typed",
        "generated": "service_generated",
        "all_typed": "service_all",
        "consent": "service_consent",
    }
    return {"swarm_service": service, **{ways[key]: value for key, value in cure_variables.items()}}
