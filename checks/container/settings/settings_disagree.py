"""container.settings-disagree: two containers are given different values for one thing."""

from checks.container.claims import compose_variables, is_broken
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.containers.settings.named.disputed_names import (
    SHOWN_BY_CALLERS,
    DisputedName,
    disputed_name,
    names_unknown,
    words_of,
)
from diagnose.evidence.containers.variables.unequal_secrets import UnequalSecret, UnequalSecrets
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present
from diagnose.model import CheckResult, Count, Finding, PageVariables, Severity
from diagnose.phrases import joined
from diagnose.registry import check

ID = "container.settings-disagree"
_USER_OF_RABBITMQ = "RABBITMQ_DEFAULT_USER"


@check(ID, severity=Severity.critical)
def settings_disagree(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    recent_logs: RecentLogs | None,
    unequal_secrets: UnequalSecrets | None,
    *,
    least: Count = Count(3),
) -> CheckResult:
    """Two containers that work together have different values for one setting.

    A log says that a name is not known: a virtual host, a bucket, an issuer. The server has one
    variable of that meaning, with another value. Or a log says that a token or secret is not taken,
    and the variables of that name, or the keys in mounted files, differ on both sides. Secrets are
    compared by their tokens. The name that the server's image made at its first start may differ
    from its variable of today. It is a warning where the container still runs: its last lines
    repeat it `least` times, and lately. Refusals of PostgreSQL, MySQL and MongoDB have their own
    check.
    """
    known_keys = set()
    for container in containers:
        is_failing = is_broken(container, clock, log_tails) and container.id in log_tails.by_id
        tail = log_tails.of(container)
        lines_of_end = (*tail.earlier, *tail.lines) if is_failing else ()
        lines = lines_of_end or _repeated_unknown_names(container, clock, recent_logs, least)
        dispute = disputed_name(lines, container, containers)
        if dispute is None or dispute.noun == "database":
            continue
        if dispute.key not in known_keys:
            known_keys.add(dispute.key)
            yield _name_finding(dispute, container, is_failing=is_failing)
    for secret in unequal_secrets or ():
        yield _secret_finding(secret, is_failing=secret.caller.id in log_tails.by_id)
    if recent_logs is not None:
        yield from recent_logs.left_out(containers.running)


def _repeated_unknown_names(
    container: Container, clock: Clock, recent_logs: RecentLogs | None, least: int
) -> list[str]:
    """Lines of a running container that repeat that a name is not known."""
    if recent_logs is None or not container.is_running:
        return []
    lines = recent_logs.repeated(container, names_unknown, clock, least)
    return [line.text for line in lines if container.wrote_in_this_run(line.at)]


def _name_finding(dispute: DisputedName, container: Container, *, is_failing: bool) -> Finding:
    """The finding about a name that the server does not know.

    container: the one with the line in its log.
    """
    caller = dispute.caller
    server = dispute.server
    about = caller or server
    source = LINE if container.id == about.id else f"log of {container.name}"
    return Finding.about(
        about,
        _sentence(dispute),
        {
            source: dispute.line,
            f"{server.name} {dispute.variable}": dispute.server_name,
            **_evidence_of_caller(dispute),
        },
        severity=Severity.critical if is_failing else Severity.warning,
        touches=(server.subject,),
        signs=signs(dispute.line) or None,
        onset=about.failed_first if is_failing else None,
        variables=_steps(dispute),
    )


def _sentence(dispute: DisputedName) -> str:
    """The sentence about a name that the server does not know, the caller that asks for it, and
    the name that the server has."""
    caller = dispute.caller
    server = dispute.server
    noun = dispute.noun
    asked_name = dispute.unknown_name
    if dispute.noun in SHOWN_BY_CALLERS:
        callers_clause = f"that {caller} shows" if caller is not None else "of its callers"
        text = (
            f'{server} does not accept the {noun} "{asked_name}" {callers_clause}: its '
            f"{dispute.variable} is"
        )
    elif caller is not None:
        text = f'{caller} asks for the {noun} "{asked_name}", and {dispute.variable} of {server} is'
    else:
        text = f'{server} does not know the {noun} "{asked_name}": its {dispute.variable} is'
    return f'{text} "{dispute.server_name}"{_origin(dispute)}'


def _origin(dispute: DisputedName) -> str:
    """The clause about the setting that gives the caller its name; "" without a caller."""
    if dispute.caller is None:
        return ""
    if dispute.caller_variable:
        return f"; its {dispute.caller_variable} says so"
    return f"; no variable of {dispute.caller.name} says so: it may be a default"


def _evidence_of_caller(dispute: DisputedName) -> dict[str, object]:
    """The variables of the caller that name the server, as evidence: its other settings for the
    server are near them."""
    caller = dispute.caller
    if caller is None or dispute.caller_variable:
        return {}
    own_names = dispute.server.dns_names
    names = [
        name
        for name, value in caller.config.environment
        if not own_names.isdisjoint(words_of(value))
    ]
    return present({f"{caller.name} names {dispute.server.name} in": ", ".join(names[:3])})


def _steps(dispute: DisputedName) -> PageVariables:
    """The page variables: the caller's variable with the server's name, or else the name that
    RabbitMQ lacks."""
    caller = dispute.caller
    server = dispute.server
    words = {"noun": dispute.noun, "asked": dispute.unknown_name, "kept": dispute.server_name}
    words |= {"variable": dispute.variable, "server": server.name}
    if caller is None:
        return words
    if dispute.caller_variable:
        assignment = f"{dispute.caller_variable}={dispute.server_name}"
        return {**words, "assignment": assignment, **compose_variables(caller)}
    words |= {"unread_image": caller.config.image, "word": dispute.noun.upper()}
    user = server.config.value_of(_USER_OF_RABBITMQ)
    if dispute.noun == "vhost" and user:
        return {**words, "broker": server.name, "vhost": dispute.unknown_name, "login": user}
    return words


def _secret_finding(secret: UnequalSecret, *, is_failing: bool) -> Finding:
    caller = secret.caller
    peer = secret.peer
    name = secret.name
    if secret.place and secret.kept:
        text = (
            f"{caller} connects to {peer} with a different password: {secret.place} does not have "
            f"the value of {secret.kept} there"
        )
    elif secret.place:
        files = joined(secret.places)
        text = f"the {name} of {caller} is in no file of {peer}: {secret.place} and {files} differ"
    elif secret.kept:
        text = (
            f"{caller} connects to {peer} with a different password: {name} differs from "
            f"{secret.kept} there"
        )
    else:
        text = f"{caller} and {peer} have different values for {name}"
    evidence = {LINE: secret.line, name: "compared by its fingerprint; it is not shown"}
    steps = {} if secret.place or not name.isidentifier() else _value_of_peer(secret)
    if secret.twin and len(secret.places) == 1:
        steps = {"twin": secret.twin, "handed": secret.places[0]}
    return Finding.about(
        caller,
        text,
        evidence,
        severity=Severity.critical if is_failing else Severity.warning,
        touches=(peer.subject,),
        signs=signs(secret.line) or None,
        onset=caller.failed_first if is_failing else None,
        variables={"secret": name, "peer": peer.name, **steps},
    )


def _value_of_peer(secret: UnequalSecret) -> PageVariables:
    """The page variables that give the caller the value of its peer.

    Empty where the secret is a part of an address.
    """
    if not secret.kept:
        return {"equalled": secret.name}
    if not secret.is_whole:
        return {}
    variable_name = "kept_option" if secret.kept.startswith("--") else "kept_variable"
    return {"replaced": secret.name, variable_name: secret.kept}
