"""Proof: is what was linked as a cause really one?

Judged by what the host would look like without the cause. Pure.

A pack declares two things (`registry.without`, `registry.prediction`):

- for a check that can be a cause, the evidence as it would be without the cause (forwarding on, the
  disk at 60 %, the container running);
- for a check whose evidence is an observation that no edit can derive (a query that was not
  answered), what would become of the observation on the edited host.

Under the edit each effect is judged again. An effect that vanishes is proven; an effect that stays
is not explained by this cause. If an effect stays under each edit alone and vanishes under several
together, it has several causes, and curing one of them is not enough.

What a program printed is in the recording whatever is edited (`observed=True` at its check). Such
an effect is proven by its words: they name the cause or show the error that the cause brings, both
are about the same thing, and no other cause that they mention would stay. Where neither is known
the link is likely if the evidence that made the link is specific, and otherwise possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from diagnose import registry
from diagnose.annotations import hints
from diagnose.error_signatures import CALL_FAILED
from diagnose.judgement import causes
from diagnose.judgement.collection import UNREADABLE
from diagnose.model import (
    ON_ALL,
    CauseLink,
    Check,
    Edit,
    Focus,
    Outcome,
    Reported,
    Result,
    RuledOut,
    Severity,
    Strength,
    Unavailable,
    Verdict,
)
from diagnose.model.subjects import Subject
from diagnose.questions import Host
from diagnose.word_sets import vocabulary

Judge = Callable[[Check, Mapping[type, Any]], Result]
"""Judges one check on evidence by kind."""

UNKNOWN = Outcome.unknown()


class Alternative:
    """The host's evidence as it would be under some edits.

    Kinds that stand on an edited kind are collected again.

    host: answers from the recording only, so that nothing is asked of the world. collected: the
    evidence that the run has, by kind.
    """

    def __init__(
        self, host: Host, collected: Mapping[type, Any], edits: Mapping[type, Any] | None = None
    ) -> None:
        self._host = host
        self._collected = collected
        self._edits = dict(edits or {})
        self._derived: dict[type, Any] = {}
        self._judged: dict[tuple[str, Subject | None], Result] = {}

    def edited(self, edit: Edit) -> Alternative:
        """This host under one edit more."""
        return Alternative(self._host, self._collected, {**self._edits, **edit})

    def get(self, kind: type) -> Any:
        """The evidence of this kind, or `Unavailable`."""
        if kind in self._edits:
            return self._edits[kind]
        evidence = self._collected.get(
            kind, Unavailable("not recorded", f"{kind.__name__} was not collected")
        )
        is_too_late = isinstance(evidence, Unavailable) and evidence.reason == "budget"
        if is_too_late or not self.changes(kind):
            return evidence
        if kind not in self._derived:
            self._derived[kind] = self._collect(kind)
        return self._derived[kind]

    def changes(self, kind: type) -> bool:
        """Whether an edit reaches this kind of evidence."""
        return kind in self._edits or not self._edits.keys().isdisjoint(registry.stands_on(kind))

    def _collect(self, kind: type) -> Any:
        function = registry.collector(kind)
        try:
            return self.call(function, host=self._host)
        except (msgspec.ValidationError, *UNREADABLE) as error:
            return Unavailable("malformed", str(error))

    def call(self, function: Callable[..., Any], **given: Any) -> Any:
        """The result of a function of evidence on this host.

        `Unavailable` where evidence that it requires is missing.

        given: further arguments, for parameters of these names.
        """
        parameters = hints(function)
        arguments = {name: value for name, value in given.items() if name in parameters}
        for need in registry.needs_of(function):
            value = self.get(need.kind)
            if need.is_unmet_by(value):
                return value
            arguments[need.parameter] = need.argument(value)
        return function(**arguments)

    def judged(self, check: Check, judge: Judge, subject: Subject | None = None) -> Result | None:
        """The check's result on this host; None where no edit reaches what the check needs.

        subject: the one that is asked about, where the check judges each by itself.
        """
        kinds = [need.kind for need in check.needs]
        if not any(self.changes(kind) for kind in kinds):
            return None
        focus = Focus(subject) if Focus in kinds else ON_ALL
        key = check.id, focus.subject
        if key not in self._judged:
            evidence = {kind: self.get(kind) for kind in kinds}
            self._judged[key] = judge(check, evidence | {Focus: focus})
        return self._judged[key]


class _Proofs:
    """One round of proofs: the host as it is, what would be without each cause, and the judge."""

    def __init__(self, host: Alternative, judge: Judge, findings: Iterable[Reported]) -> None:
        self.host = host
        self.judge = judge
        self.by_key = {finding.key: finding for finding in findings}
        self._without: dict[tuple[str, ...], Alternative | None] = {}
        self._outcomes: dict[tuple[str, frozenset[str]], Outcome] = {}

    def outcome(self, effect: Reported, cured: Sequence[Reported]) -> Outcome:
        """The effect's outcome on the host without these causes."""
        key = effect.key, frozenset(cause.key for cause in cured)
        if key not in self._outcomes:
            self._outcomes[key] = UNKNOWN  # in a circle of causes nothing is known
            self._outcomes[key] = self._outcome(effect, cured)
        return self._outcomes[key]

    def _outcome(self, effect: Reported, cured: Sequence[Reported]) -> Outcome:
        host = self._host_without(cured)
        outcome = self._outcome_by_judging(effect, host) if host is not None else UNKNOWN
        if outcome.vanishes is not True and effect.check.observed:
            return self._outcome_by_words(effect, cured)
        return outcome

    def _host_without(self, cured: Sequence[Reported]) -> Alternative | None:
        """The host without these causes; None where nobody declared what that is."""
        key = tuple(cause.key for cause in cured)
        if key not in self._without:
            host: Alternative | None = self.host
            for cause in cured:
                host = self._edited_host(host, cause) if host is not None else None
            self._without[key] = host
        return self._without[key]

    def _edited_host(self, host: Alternative, cause: Reported) -> Alternative | None:
        edit_of = registry.edit_without(cause.id)
        edit = host.call(edit_of, finding=cause.finding) if edit_of is not None else None
        return None if edit is None or isinstance(edit, Unavailable) else host.edited(edit)

    def _outcome_by_judging(self, effect: Reported, host: Alternative) -> Outcome:
        """The outcome by a prediction of the observation, otherwise by judging the check again."""
        predict = registry.prediction_of(effect.id)
        if predict is not None:
            predicted = host.call(predict, finding=effect.finding)
            if isinstance(predicted, Outcome) and predicted.vanishes is not None:
                return predicted
        result = host.judged(effect.check, self.judge, effect.subject)
        if result is None or _is_open(result, effect.subject):
            return UNKNOWN
        stays = any(
            finding.subject == effect.subject
            and finding.discriminator == effect.finding.discriminator
            for finding in result.findings
        )
        if stays and predict is not None:
            return UNKNOWN  # what was observed once is in the recording whatever is edited
        if stays:
            return Outcome.stays("it is found without the cause too")
        return Outcome(vanishes=True)

    def _outcome_by_words(self, effect: Reported, cured: Sequence[Reported]) -> Outcome:
        """The outcome for an effect whose program printed words about its causes.

        It ends with a cured cause that the words mention, unless they mention another one that
        stays. Another cause goes along if the cure ends it too, or if it harms the effect only
        through what is cured.
        """
        keys = {cause.key for cause in cured}
        telling = [
            self.by_key[link.cause]
            for link in effect.causes
            if tells_of(effect, self.by_key[link.cause])
        ]
        if not any(cause.key in keys for cause in telling):
            return UNKNOWN
        for rival in telling:
            is_above = any(rival.key in self._suspects_above(cause) for cause in cured)
            if rival.key in keys or is_above or self.outcome(rival, cured).vanishes:
                continue
            return Outcome.stays(f"{rival.id} ({rival.subject.name}) explains the same words")
        return Outcome(vanishes=True)

    def _suspects_above(self, finding: Reported) -> set[str]:
        """The keys of what may have caused the finding, directly or not."""
        visited: set[str] = set()
        open_ends = [finding]
        while open_ends:
            for link in open_ends.pop().causes:
                if link.cause not in visited:
                    visited.add(link.cause)
                    open_ends.append(self.by_key[link.cause])
        return visited


def _is_open(result: Result, subject: Subject) -> bool:
    """Whether a check could not be judged, or left this subject out."""
    if result.verdict is Verdict.CRASHED or result.missing is not None:
        return True
    return any(left_out.may_be(subject) for left_out in result.unexamined)


TELLING = vocabulary(
    "certificate-date dns exec-format io-error no-fork no-space open-files port-taken "
    "probe-timeout read-only"
)
"""Classes of error text that name one thing which is at fault. A timeout or a refused connection
may have many reasons."""


def tells_of(effect: Reported, cause: Reported) -> bool:
    """Whether what the effect printed mentions this cause.

    It names it and gets no answer, or shows an error that the cause brings.
    """
    signs_of_effect = effect.finding.signs or frozenset()
    if cause.subject in effect.finding.calls:
        return not signs_of_effect or bool(signs_of_effect & CALL_FAILED)
    shared_signs = signs_of_effect & (cause.finding.signs or frozenset())
    return bool(shared_signs & TELLING) or (bool(shared_signs) and cause.subject == effect.subject)


def proven(findings: Sequence[Reported], host: Alternative, judge: Judge) -> tuple[Reported, ...]:
    """The findings with the strength of each link, without refuted links.

    A root is as severe as its worst proven effect.

    Ordered again. Costs nothing where no finding has a cause.
    """
    if not any(finding.causes for finding in findings):
        return tuple(findings)
    proofs = _Proofs(host, judge, findings)
    weighed = [
        _with_proven_causes(effect, proofs) if effect.causes else effect for effect in findings
    ]
    return causes.order(_with_severity_of_effects(weighed))


class _TriedCauses(NamedTuple):
    """The causes of one finding, tried on the host."""

    kept: list[CauseLink]
    """Those that may hold."""
    ruled_out: list[RuledOut]
    """Those without which the finding would be there too."""


def _try_causes(effect: Reported, proofs: _Proofs) -> _TriedCauses:
    remaining: list[CauseLink] = []
    ruled_out: list[RuledOut] = []
    for link in effect.causes:
        outcome = proofs.outcome(effect, [proofs.by_key[link.cause]])
        if outcome.vanishes is None:
            remaining.append(replace(link, strength=_strength_without_proof(link)))
        elif outcome.vanishes:
            remaining.append(replace(link, strength=Strength.proven))
        else:
            ruled_out.append(RuledOut(link.cause, outcome.fact))
    return _TriedCauses(remaining, ruled_out)


def _with_proven_causes(effect: Reported, proofs: _Proofs) -> Reported:
    """The finding with the causes that hold, each as strong as it is proven."""
    remaining, ruled_out = _try_causes(effect, proofs)
    has_proof = any(link.strength is Strength.proven for link in remaining)
    if not has_proof and len(ruled_out) > 1:
        together = _fewest_joint_causes(
            effect, [proofs.by_key[suspect.cause] for suspect in ruled_out], proofs
        )
        remaining += _links_of_joint_causes(effect.causes, together)
        ruled_out = [suspect for suspect in ruled_out if suspect.cause not in together]
    folding = sorted(remaining, key=lambda link: link.strength, reverse=True)
    return replace(
        effect,
        causes=tuple(link for link in folding if link.strength > Strength.possible),
        possible=tuple(link for link in folding if link.strength is Strength.possible),
        ruled_out=tuple(ruled_out),
    )


def _links_of_joint_causes(links: Iterable[CauseLink], together: frozenset[str]) -> list[CauseLink]:
    """The links to causes without all of which the effect vanishes."""
    return [
        replace(link, strength=Strength.proven, jointly=True)
        for link in links
        if link.cause in together
    ]


def _strength_without_proof(link: CauseLink) -> Strength:
    return Strength.likely if link.is_specific else Strength.possible


def _fewest_joint_causes(
    effect: Reported, suspects: list[Reported], proofs: _Proofs
) -> frozenset[str]:
    """The keys of the fewest of these causes without which the effect vanishes.

    Empty if it stays without all of them.
    """
    if not proofs.outcome(effect, suspects).vanishes:
        return frozenset()
    needed = list(suspects)
    for suspect in suspects:
        other_causes = [cause for cause in needed if cause is not suspect]
        if other_causes and proofs.outcome(effect, other_causes).vanishes:
            needed = other_causes
    return frozenset(cause.key for cause in needed)


def _with_severity_of_effects(findings: Sequence[Reported]) -> list[Reported]:
    """Each root at least as severe as the worst effect that is proven to be its own."""
    by_key = {finding.key: finding for finding in findings}
    worst: dict[str, Severity] = {}
    for effect in findings:
        for link in effect.causes:
            if link.strength is Strength.proven:
                worst[link.cause] = max(worst.get(link.cause, effect.severity), effect.severity)
    return [
        replace(finding, severity=max(finding.severity, worst[key])) if key in worst else finding
        for key, finding in by_key.items()
    ]
