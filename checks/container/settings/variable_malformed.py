"""container.variable-malformed: a value has marks of its file, or a name that nothing replaced."""

import re
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from checks.container.claims import compose_variables, is_broken
from checks.container.compose.kept_quotes import kept_marks_findings, without_quotes
from diagnose.evidence.containers.addresses.misread_addresses import (
    MisreadAddress,
    MisreadAddresses,
)
from diagnose.evidence.containers.compose.blank_references import BlankReference, BlankReferences
from diagnose.evidence.containers.compose.compose_files import only_file
from diagnose.evidence.containers.compose.lost_dollars import CutSecrets, LostDollars
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.run_evidence import LINE, log_evidence, written_to
from diagnose.evidence.containers.settings.changed_words import with_text
from diagnose.evidence.containers.variables.carriage_returns import CarriageReturn, CarriageReturns
from diagnose.evidence.containers.variables.quoted_secrets import QuotedSecret, QuotedSecrets
from diagnose.evidence.containers.variables.quoted_values import QuotedValues
from diagnose.evidence.containers.variables.spaced_values import SpacedValues
from diagnose.evidence.containers.variables.variable_faults import (
    COMMENT,
    Unreplaced,
    ValueFault,
    unreplaced,
    value_fault,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.file_paths import is_yaml
from diagnose.mappings import present
from diagnose.model import CheckResult, EvidenceGroup, Finding, PageVariables, Severity
from diagnose.phrases import joined
from diagnose.registry import check

_MISSING = "container.variable-missing"


class KeptMarks(EvidenceGroup, frozen=True):
    """Evidence of marks of a file that have become part of a value."""

    carriage_returns: CarriageReturns | None
    quoted_secrets: QuotedSecrets | None
    quoted_values: QuotedValues | None
    spaced_values: SpacedValues | None


@check(
    "container.variable-malformed",
    severity=Severity.critical,
    aloud=("has a setting that differs from its file", "have settings that differ from their file"),
)
def variable_malformed(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    lost_dollars: LostDollars | None,
    blank_references: BlankReferences | None,
    misread_addresses: MisreadAddresses | None,
    kept_marks: KeptMarks,
) -> CheckResult:
    """A container's setting has stray quotes or slashes, or is passed on as $NAME.

    Quotes, comments and carriage returns: `docker run --env-file` and compose's list form
    `- NAME="value"` take a line literally, so that the quotes around a value become part of it, and
    so does a comment behind it. They may be meant. So they count where the log of the failed
    container repeats the value with them, or shows that its program does not take a quoted URL for
    one. A carriage return at the end, of a file with DOS line ends, is never meant. In a value that
    the errors of a running program name, it is a warning.

    `$NAME` counts under the same condition: only a shell replaces it, and neither the exec form of
    a command nor `--env-file` has one.

    Lost dollars: where nothing sets `b`, compose leaves only `a` of `a$b` in its file, and a
    password is refused. This counts for secrets of a container whose log mentions one, and is a
    warning where a running container repeats it. Without such a line it is advice, where the value
    in the container is what compose leaves. It counts for a command too, where only the container
    has the variable.

    The name of another container that is in quotes, or that stands as the path of an address
    (`mqtt:///broker`), needs no line of a log: no program finds a host by it. It is a warning where
    the container runs. Browsers, curl and Node read `http:///broker`: of such addresses of the web
    only those of failed containers count.

    A password or key in quotes counts where a server refuses the login, unless another container
    has it with the same quotes.

    Advice needs no line of a log either: quotes around a schedule of cron, a number, a switch, a
    path or a URL, and spaces around the last four, which `--env-file` keeps. Quotes are a warning
    where the log shows them as a part of a schedule.
    """
    misread = {address.container.id: address for address in misread_addresses or ()}
    for address in misread.values():
        is_failing = address.container.id in log_tails.by_id
        yield _misread_finding(address, log_tails.of(address.container), is_failing=is_failing)
    broken_ids = set()
    for container in containers:
        tail = log_tails.by_id.get(container.id)
        if tail is not None and is_broken(container, clock, log_tails):
            broken_ids.add(container.id)
            yield from _written_findings(container, tail, blank_references, lost_dollars)
            yield from _value_findings(container, tail, misread.get(container.id))
            yield from _unreplaced_findings(container, tail)
    running = [container for container in containers.running if container.id not in broken_ids]
    yield from _running_dollar_findings(running, lost_dollars)
    for secret in kept_marks.quoted_secrets or ():
        is_broken_now = secret.container.id in broken_ids
        yield _quoted_secret_finding(secret, is_broken=is_broken_now)
    for carriage in kept_marks.carriage_returns or ():
        if carriage.container.id not in broken_ids:
            yield from _carriage_findings(carriage)
    yield from kept_marks_findings(
        kept_marks.quoted_values, kept_marks.spaced_values, broken_ids | misread.keys()
    )


def _written_findings(
    container: Container,
    tail: LogTail,
    blank_references: BlankReferences | None,
    lost_dollars: LostDollars | None,
) -> Iterator[Finding]:
    """Findings about what compose made of the values in the files of a failed container."""
    blank = blank_references.of(container) if blank_references is not None else None
    if blank is not None:
        yield _blank_finding(container, tail, blank)
    cut = lost_dollars.of(container) if lost_dollars is not None else None
    if cut is not None:
        yield _lost_dollar_finding(container, tail, cut)


def _unreplaced_findings(container: Container, tail: LogTail) -> Iterator[Finding]:
    """Findings about a name that nothing replaced, if no variable is missing for another reason."""
    if tail.failure is not None and tail.failure.confirmed_by == _MISSING:
        return
    reference = unreplaced(container, tail)
    if reference is not None:
        yield _unreplaced_finding(container, tail, reference)


def _value_findings(
    container: Container, tail: LogTail, misread: MisreadAddress | None
) -> Iterator[Finding]:
    """Findings about characters that do not belong to the values of a failed container.

    misread: the address that has a finding of its own.
    """
    for name, value in container.config.environment:
        fault = value_fault(value, tail)
        if fault is not None and (misread is None or misread.variable != name):
            yield _finding(container, tail, name, value, fault)


def _running_dollar_findings(
    running: Iterable[Container], lost_dollars: LostDollars | None
) -> Iterator[Finding]:
    """Findings about cut secrets of programs that still run, and repeat that they are refused."""
    cuts = lost_dollars.by_id if lost_dollars is not None else {}
    for container in running:
        cut = cuts.get(container.id)
        if cut is not None:
            finding = _lost_dollar_finding(container, LogTail((cut.line,)), cut)
            severity = Severity.warning if cut.line else Severity.advice
            yield replace(finding, severity=severity, onset=None)


def _quoted_secret_finding(secret: QuotedSecret, *, is_broken: bool) -> Finding:
    """The finding about a secret in quotes; a warning where its program still runs."""
    fault = ValueFault("is in quotes, and they are a part of it", secret.line)
    tail = LogTail((secret.line,))
    finding = _finding(secret.container, tail, secret.variable, secret.value, fault)
    return finding if is_broken else replace(finding, severity=Severity.warning, onset=None)


def _carriage_findings(carriage: CarriageReturn) -> Iterator[Finding]:
    """Findings about a carriage return in a variable of a running program."""
    tail = LogTail((carriage.line,))
    fault = value_fault(carriage.value, tail)
    if fault is not None:
        finding = _finding(carriage.container, tail, carriage.variable, carriage.value, fault)
        yield replace(finding, severity=Severity.warning, onset=None)


def _misread_finding(address: MisreadAddress, tail: LogTail, *, is_failing: bool) -> Finding:
    """The finding about a misread address. is_failing: whether the container fails."""
    container = address.container
    variable = address.variable
    place = variable or address.path or "its settings"
    if address.is_quoted:
        mistake = (
            f'has "{address.host}", the name of a container, in quotes in its {variable}: names '
            "have no quotes"
        )
    else:
        mistake = (
            f'calls {address.text} ({place}), which does not name "{address.host}" as its host: '
            f"that is {address.right}"
        )
    finding = Finding.about(
        container,
        f"{container} {mistake}",
        {**present({LINE: address.line}), place: address.text},
        discriminator=place,
        severity=Severity.critical if is_failing else Severity.warning,
        signs=tail.signs,
        onset=container.failed_first if is_failing else None,
        variables=_place_variable(address),
    )
    if address.path and address.is_linked:
        return finding
    if address.path:
        edit = f"s|{re.escape(address.text)}|{address.right}|g"
        return finding.with_variables({"settings": address.path, "correction": edit})
    if not variable:
        return finding
    return finding.with_variables(_corrected_variable(address))


def _place_variable(address: MisreadAddress) -> PageVariables:
    """The page variable with the variable that has the address, or with the file of the host."""
    if address.variable:
        return {"variable": address.variable}
    return {"misread": address.text, "searched": address.path} if address.path else {}


def _corrected_variable(address: MisreadAddress) -> PageVariables:
    """The corrected variable; in a list of compose it loses its quotes."""
    container = address.container
    name = address.variable
    compose_file = only_file(container) if address.is_quoted else ""
    steps: PageVariables = {"assignment": f"{name}={address.right}"}
    if compose_file:
        steps = {**steps, "quoted_file": compose_file, "unquoted": without_quotes(name)}
    return {**compose_variables(container), **steps}


def _lost_dollar_finding(container: Container, tail: LogTail, cut: CutSecrets) -> Finding:
    """The finding about a secret that compose has cut. It names no part of the secret."""
    first = cut.variables[0]
    same_file = [lost for lost in cut.variables if lost.path == first.path]
    finding = Finding.about(
        container,
        f"{container} got a different {first.name} than {first.path} has in line {first.line}: compose "
        'takes what follows "$" there for a variable, and no such variable is set',
        {
            **present({LINE: cut.line}),
            first.path: [f"line {lost.line}: {lost.name} with a bare $" for lost in same_file],
        },
        discriminator=first.name,
        signs=tail.signs,
        onset=container.failed_first,
        variables={"variable": first.name},
    )
    compose = compose_variables(container)
    if not compose or not all(lost.is_plain for lost in same_file):
        return finding
    edit = ";".join(f"{lost.line}{_LITERAL[is_yaml(lost.path)]}" for lost in same_file)
    return finding.with_variables({"literal_edit": edit, "dollars": first.path, **compose})


_LITERAL = {
    False: r's/^\([^=]*=\)[[:space:]]*\("\{0,1\}\)\(.*[^[:space:]]\)\2[[:space:]]*$/' r"\1'\3'/",
    True: r"s/\$/$$/g",
}
"""The sed command that makes compose take the value of a line literally: for an env file and YAML.
"""


def _blank_finding(container: Container, tail: LogTail, blank: BlankReference) -> Finding:
    """The finding about a variable of the command that compose replaced by nothing."""
    key = blank.key
    name = next(filter(container.config.value_of, blank.names))
    value = container.config.value_of(name)
    steps = {"blank": name, "dotenv": f"{container.compose_folder}/.env"}
    is_plain = "redacted" not in value and not set(value) & set("'\"\\\n$# ")
    if is_plain and len(blank.names) == 1:
        steps |= {"dotenv_line": f"{name}={value}"}
    return Finding.about(
        container,
        f"{container} got nothing for the variable {name} of its {key}: compose substitutes it "
        "when it reads its file, and does not look at the environment of the container",
        {
            **log_evidence(tail),
            f"{key} as compose made it": " ".join(blank.words),
            f"{blank.path}, line {blank.line}": f"{key} with {joined(blank.names)}",
            "Config.Env": f"{name} is set",
        },
        discriminator=name,
        signs=tail.signs,
        onset=container.failed_first,
        variables={"variable": name, **compose_variables(container), **steps},
    )


def _unreplaced_finding(container: Container, tail: LogTail, reference: Unreplaced) -> Finding:
    text = reference.reference
    holder = reference.holder
    if holder:
        mistake = f'has the literal text "{text}" in its environment variable {holder}'
        reason = "only a shell or compose replaces a variable in a value"
    else:
        mistake = f'passes the literal text "{text}" to its program'
        reason = "no shell replaces variables in its command"
    value = container.config.value_of(reference.name)
    state = f"is set to {value}" if value else "is not set"
    steps = with_text(container, text, value) if value else {}
    place = f"the value of {holder}" if holder else "Config.Cmd, Config.Entrypoint"
    return Finding.about(
        container,
        f"{container} {mistake}: {reason}",
        {LINE: reference.line, **written_to(tail), place: text, reference.name: state},
        discriminator=text,
        signs=tail.signs,
        onset=container.failed_first,
        variables={"variable": holder or reference.name, "literal": text, **steps},
    )


def _finding(
    container: Container, tail: LogTail, name: str, value: str, fault: ValueFault
) -> Finding:
    shown = {LINE: fault.line, **written_to(tail)} if fault.line else log_evidence(tail)
    clean_value = COMMENT.sub("", value).rstrip("\r").strip("\"'")
    is_secret = "redacted" in value
    assignment = {"quoted": name} if is_secret else {"assignment": f"{name}={clean_value}"}
    file_steps = _file_steps(container, name, value)
    return Finding.about(
        container,
        f"{container} has an environment variable {name} whose value {fault.what}",
        {**shown, "Config.Env": f"{name} {fault.what}"},
        discriminator=name,
        signs=tail.signs,
        onset=container.failed_first,
        variables={"variable": name, **compose_variables(container), **file_steps, **assignment},
    )


def _file_steps(container: Container, name: str, value: str) -> PageVariables:
    """The page variables of the file that has the value: an env file, or the compose file."""
    env_file = container.compose_label("project.environment_file")
    if env_file.startswith("/") and "," not in env_file:
        return {"env_file": env_file}
    compose_file = only_file(container)
    if compose_file and value[-1:] in ("'", '"'):
        return {"quoted_file": compose_file, "unquoted": without_quotes(name)}
    return {}
