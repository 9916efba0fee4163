"""Sentences about the pages that fit a question: found here, not found, not known."""

from collections.abc import Iterator, Mapping, Sequence

from diagnose.model import Report, Result, Verdict
from diagnose.phrases import and_more

MOST_FOUND = 6
"""So many ids are named of those that found something."""
MOST_TITLES = 3
"""So many pages are named with their titles where nothing was found."""
NO_PAGE = (
    "no page fits these words; every check was run",
    "say in English what you see, or paste the error message as it stands",
)
"""What is said above the report where the question is about no page."""


def sentences(ids: Sequence[str], distances: Mapping[str, int], report: Report) -> Iterator[str]:
    """The outcome of the checks that fit a question, and the pages to read next.

    ids: of the pages that fit, the best first. distances: how far each check is from the question;
    those of a family may fit without a page.
    """
    results = {result.check.id: result for result in report.results}
    every = [id for id in dict.fromkeys((*ids, *distances)) if id in results]
    found_ids = [id for id in every if results[id].verdict is Verdict.FOUND]
    if any(distances[id] == 0 for id in found_ids):
        yield f"what fits these words comes first: {and_more(found_ids, MOST_FOUND)}"
        return
    best = [results[id] for id in ids[:MOST_TITLES] if id in results]
    if all(result.is_unjudged for result in best):
        yield "what fits these words could not be looked for; the report says why:"
        yield from map(_title, best)
    else:
        yield "what fits these words best was not found:"
        yield from (f"{_title(result)} ({_outcome(result)})" for result in best)
    if found_ids:
        yield f"what fits them less comes first: {and_more(found_ids, MOST_FOUND)}"
    if ids:
        yield f"how to look yourself: diagnose explain {ids[0]}"


def _title(result: Result) -> str:
    return f"{result.check.id}: {result.check.title.rstrip('.')}"


def _outcome(result: Result) -> str:
    if result.is_unjudged:
        return "could not be looked for"
    return "does not apply here" if result.verdict is Verdict.SKIPPED else "is not so here"
