"""From a check's findings to the script that repairs them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from diagnose import registry, session
from diagnose.annotations import hints
from diagnose.evidence.engine.config import RELOADED, DaemonConfig
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.rules.lost_rules import LostRules
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.simulated_repair import SimulatedRepair
from diagnose.judgement.collection import Broken, Collection
from diagnose.mappings import distinct
from diagnose.model import Check, Edit, Json, Reported, Unavailable
from diagnose.phrases import and_more, count
from diagnose.questions import Host
from diagnose.questions.run import Options
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import Replay
from diagnose.repair import rules, script
from diagnose.repair.differences import (
    Difference,
    FileChange,
    NoRepairError,
    Then,
    daemon_keys,
    secret_in,
)
from diagnose.repair.simulation import Simulation, simulate, simulated_edit

FILE_CHECKS = ("daemon.config-invalid", "daemon.config-flag-conflict")
"""Checks that judge a change of the engine's configuration file."""


Repair = Callable[..., Iterable[Difference] | None]
"""What a family registers for a check: its parameters are evidence, the host and the finding."""


class UnknownRepairError(Exception):
    """No repair is computed for this check; one clear sentence."""


def selectors(id: str) -> tuple[str, ...]:
    """The checks that a repair of this id is judged by."""
    if id in rules.RULES:
        return ("firewall",)
    return distinct([id] if id else (), FILE_CHECKS)


def of_rules(checks: Mapping[str, Check], options: Options, *, began: float) -> str:
    """The script that mends the engine's rules, simulated.

    checks: what judges the repair. NoRepairError where there is nothing to mend, or where the
    repair would break a connection.
    """
    examined = session.examine(checks, options, began=began)
    host = Host(Replay(examined.answers))
    collection = Collection(host, Budget.unlimited())
    lost = collection.get(LostRules)
    if not isinstance(lost, LostRules):
        why = lost.detail if isinstance(lost, Unavailable) else "their evidence cannot be read"
        raise NoRepairError(f"no repair is known for this host: {why}")
    if lost.repair is None:
        raise NoRepairError("no rule of the engine is missing, and none is left over")
    evidence = collection.get(SimulatedRepair)
    walked = evidence if isinstance(evidence, SimulatedRepair) else None
    if walked is not None and walked.broken:
        raise NoRepairError(
            f"with the missing rules back {count(walked.broken, 'connection')} that work now would "
            "be stopped: the pages of the findings have other fixes"
        )
    edit: Edit = {Firewall: Firewall(lost.repair.ruleset), LostRules: LostRules(None)}
    simulation = simulated_edit(checks.values(), collection, host, edit, examined.what.thresholds)
    return rules.rules_script(lost.repair, _rules_verdict(simulation, walked))


def _rules_verdict(simulation: Simulation, walked: SimulatedRepair | None) -> str:
    """The result of simulating the engine's rules, in words.

    walked: the connections that were tried with the missing rules back, where any could be.
    """
    ended_ids = _ids(simulation.gone)
    new = _ids(simulation.new)
    sentences = [f"{ended_ids} is no longer found." if ended_ids else "no finding changes."]
    if new:
        sentences.append(f"Then found: {new}, whose page has the next fix.")
    if walked is not None:
        sentences.append(f"{walked}.")
    return " ".join(sentences)


def _ids(keys: Iterable[str]) -> str:
    """The ids of findings, each once."""
    return and_more(sorted({key.partition("@")[0] for key in keys}), 3)


def of_keys(text: str, checks: Mapping[str, Check], options: Options, *, began: float) -> str:
    """The script that sets keys of the engine's configuration file, simulated.

    text: a JSON object; a key whose value is null goes, also inside of an object.
    UnknownRepairError where the text is none; NoRepairError.
    """
    try:
        changes = json.loads(text)
    except ValueError as error:
        raise UnknownRepairError(f"--set takes a JSON object: {error}") from None
    if not isinstance(changes, dict) or not changes:
        raise UnknownRepairError("--set takes a JSON object with at least one key")
    examined = session.examine(checks, options, began=began)
    host = Host(Replay(examined.answers))
    config = Collection(host, Budget.unlimited()).get(DaemonConfig)
    if not isinstance(config, DaemonConfig):
        raise NoRepairError("it is not known where the engine's configuration file lies")
    values = {key: _merged_value(config.in_file(key), value) for key, value in changes.items()}
    is_reloaded = set(changes) <= RELOADED - {"features"}
    then: Then = "reload" if is_reloaded else "restart"
    return _script((), daemon_keys(config, values, host, then), examined, host)


def _merged_value(old: Json, change: Json) -> Json:
    """A value with a change: an object keeps its other keys, and loses those that become null."""
    if not isinstance(change, dict):
        return change
    old_values = old if isinstance(old, dict) else {}
    merged = {
        **old_values,
        **{key: _merged_value(old_values.get(key), value) for key, value in change.items()},
    }
    return {key: value for key, value in merged.items() if value is not None}


def of_finding(target: str, checks: Mapping[str, Check], options: Options, *, began: float) -> str:
    """The script that repairs what a check found, simulated.

    target: a check's id or a finding's key. UnknownRepairError, NoRepairError.
    """
    id = target.partition("@")[0]
    repair = registry.repair_of(id)
    if repair is None:
        raise UnknownRepairError(
            f"no repair is computed for {id}; its page has the fixes: diagnose explain {id}"
        )
    examined = session.examine(checks, options, began=began)
    findings = [
        finding for finding in examined.report.findings if target in (finding.id, finding.key)
    ]
    if not findings:
        raise NoRepairError(f"{target} is not found on this host: nothing to repair")
    host = Host(Replay(examined.answers))
    differences = _differences(findings, repair, host)
    if not differences:
        raise NoRepairError(
            f"no repair is computed for this case of {id}; "
            f"its page has the fixes: diagnose explain {id}"
        )
    return _script(findings, differences, examined, host)


def _script(
    findings: Sequence[Reported],
    differences: Sequence[Difference],
    examined: session.Examined,
    host: Host,
) -> str:
    """The script that makes these differences, if its simulation says that it helps."""
    secret = secret_in(differences)
    if secret:
        raise NoRepairError(f"{secret} holds a secret, which is not shown: edit the file by hand")
    simulation = simulate(examined.answers, differences, examined.what)
    verdict = _verdict(findings, differences, simulation)
    return script.text(examined.report, differences, verdict, _major_version(host))


def _differences(findings: Sequence[Reported], repair: Repair, host: Host) -> list[Difference]:
    """The differences that all of these findings need, each once."""
    differences: dict[str, Difference] = {}
    for finding in findings:
        for difference in _differences_for(finding, repair, host):
            differences.setdefault("\n".join(difference.commands()), difference)
    return list(differences.values())


def _differences_for(finding: Reported, repair: Repair, host: Host) -> Sequence[Difference]:
    """The differences that one finding needs. Empty where evidence that the repair needs is
    missing."""
    collection = Collection(host, Budget.unlimited())
    evidence = {"host": host, "finding": finding.finding}
    arguments: dict[str, object] = {
        name: value for name, value in evidence.items() if name in hints(repair)
    }
    for need in registry.needs_of(repair):
        value = collection.get(need.kind)
        if isinstance(value, Broken) or (need.is_unmet_by(value)):
            return ()
        arguments[need.parameter] = need.argument(value)
    return tuple(repair(**arguments) or ())


def _verdict(
    findings: Sequence[Reported], differences: Sequence[Difference], simulation: Simulation
) -> str:
    """The result of the simulation, in words.

    Raises NoRepairError where the repair would not help, or would harm.
    """
    if simulation.new:
        raise NoRepairError(
            f"the repair would bring {and_more(sorted(simulation.new))}: its page has other fixes"
        )
    keys = {finding.key for finding in findings}
    if keys and keys <= simulation.gone:
        return f"{findings[0].id} is no longer found, and nothing new is."
    waits = any(change.then != "nothing" for change in differences)
    if waits and any(isinstance(change, FileChange) for change in differences):
        return (
            "the engine takes the file, and nothing new is found. "
            "What containers see after its restart is not simulated."
        )
    raise NoRepairError(
        f"{findings[0].id} would still be found after the smallest repair: its page has other fixes"
    )


def _major_version(host: Host) -> int | None:
    """The first number of the engine's version, where it is known."""
    ping = Collection(host, Budget.unlimited()).get(Ping)
    is_known = isinstance(ping, Ping) and ping.version != (0,)
    return ping.version[0] if is_known else None
