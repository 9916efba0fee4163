"""The checks that came to no judgement, grouped by their reason."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import NOT_IN_BUNDLE, REASONS, Result, Verdict
from diagnose.phrases import and_more, shortened

ABSENT_SHOWN = 3
_PLAIN_CLASS = LazyPattern(r"(^|: )(?:missing|refused|forbidden): (?=\S)")
"""Classes of failures whose words say them too."""


def reasons_of(results: Sequence[Result], verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """(ids, why) of the checks with this verdict.

    Those with one reason stand together, a whole family as `family.*`.
    """
    in_family = Counter(result.check.family for result in results)
    reasons = [(_shown_reason(result), result) for result in results if result.verdict is verdict]
    whole = frozenset(why for why, _ in reasons)
    together = by_key((_common_reason(why, whole), result) for why, result in reasons)
    return tuple(
        (
            ", ".join(_ids(group, in_family)),
            _what_bundle_lacks(group) if why == NOT_IN_BUNDLE[0] else why,
        )
        for why, group in together.items()
    )


def _shown_reason(result: Result) -> str:
    """The last line of a check's reason; one for all that a bundle does not hold.

    The class of the failure is left out where its words say it: a path and `Permission denied`.
    """
    if _is_not_in_bundle(result):
        return NOT_IN_BUNDLE[0]
    lines = result.why.strip().splitlines()
    return shortened(_PLAIN_CLASS.sub(r"\1", lines[-1])) if lines else ""


def _common_reason(why: str, reasons: Collection[str]) -> str:
    """A reason without the thing that it is about, where other checks have just that reason."""
    rest = why
    while ": " in rest:
        rest = rest.partition(": ")[2]
        if rest in reasons:
            return rest
    return why


def _is_not_in_bundle(result: Result) -> bool:
    return result.missing is not None and result.missing.reason in NOT_IN_BUNDLE


def _what_bundle_lacks(group: Iterable[Result]) -> str:
    """The answers that a bundle does not hold."""
    details = dict.fromkeys(
        result.missing.detail
        for result in group
        if result.missing is not None and _is_not_in_bundle(result)
    )
    return f"{REASONS['not recorded']}: {and_more(details, ABSENT_SHOWN)}"


def _ids(group: Sequence[Result], in_family: Mapping[str, int]) -> list[str]:
    """The checks of a group; in_family: how many checks of each family were judged."""
    in_group = Counter(result.check.family for result in group)
    names: dict[str, None] = {}
    for result in group:
        family = result.check.family
        is_whole = in_group[family] == in_family[family] > 1
        names[f"{family}.*" if is_whole else result.check.id] = None
    return list(names)
