"""From what people say of a symptom to the checks that it may be about.

Plain matching of words, no model.

The words of a question are compared with each page's id, complaints, title, symptom and reason,
rare words counting more (BM25), and all of them with each complaint. Where the question is an error
message, the page of a known error comes first, and then the pages that quote the message.
"""

import functools
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from diagnose import registry, runbooks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Reported, Subject
from diagnose.symptoms import complaints, error_texts, quoted_errors
from diagnose.symptoms.page_words import PageTexts, page_texts, read
from diagnose.symptoms.user_question import ends, without_ends
from diagnose.symptoms.words import GROUP_OF, telling_words

_PORT = re.compile(r"\bport\s+\d+|:\d{2,5}\b")
_QUOTED = 2.0
"""The weight of a whole message that a page quotes."""
_CONFIRMED = 4.0
"""The weight of a known error that a check compares with the host."""
_KNOWN = 0.5
"""The weight of another known error for the page of its kind: other pages may be nearer."""
_WEIGHTS = (("id", 3.0), ("complaints", 3.0), ("title", 2.5), ("symptom", 1.5), ("reason", 0.5))
"""The weight of a word, by the part of the page that has it."""
_SATURATION = 2.5
PART = 0.5
"""A page counts if it scores at least this share of the best score."""
_COMPLAINT = 2.0
"""The weight of a complaint that has the very words of the question."""
_LEAST = 0.5
"""The share of the question that the best page has; with less, most of the words are about another
matter."""
_LEAST_QUOTED = 0.12
"""A message with a lower score belongs to too many pages: "permission denied"."""
_TELLING = 0.4
"""A message with this score leads to its page, whatever the other words are."""
_UNKNOWN_RARITY = 5.0
"""The weight of a word that no page has."""
NEARLY = 0.8
"""A page counts too if it has nearly as many of the words as the best, where the message belongs to
another page."""
_NEAR = 0.7
"""A page with this share of the best score is as likely right."""
MOST = 24
"""At most this many checks are run for one question."""
_OF_A_WAY = ("dns", "firewall", "network")
_ENVELOPE = LazyPattern(
    r"^(?:docker: )?Error response from daemon: |\bfailed to create (?:shim )?task(?: for container)?: "
    r"|\bOCI runtime \w+ failed: |\brunc \w+ failed: |\bunable to start container process: "
    r"|\berror during container init: |\bfailed to set up container networking: ",
    re.IGNORECASE | re.MULTILINE,
)
"""The layers through which an error comes. They stand before all kinds of errors."""


class SymptomMatch(msgspec.Struct, frozen=True):
    """A page that a question may be about."""

    id: str
    score: float


def matching(question: str, most: int = MOST) -> tuple[SymptomMatch, ...]:
    """The pages that a question may be about, the best first; none where no word of it is known.

    The names of two ends ("web cannot reach db") are not words of a symptom. A message that no page
    is about has no result, whatever words it has.
    """
    failure = known_error(question)
    if failure is not None and not failure.page and not failure.is_general:
        return ()
    text = error_texts.without_warnings(question)
    own_words = _ENVELOPE.sub("", text)
    said = complaints.closeness_of_pages(own_words)
    by_words = _matches_by_words(own_words, said)
    most_words = max((match.score for match in by_words.values()), default=1.0)
    scores_by_message = {
        id: most_words * weight for id, weight in _weights_by_message(text, failure).items()
    }
    ranked = _ranked(_with_scores(by_words, scores_by_message))
    near = {id for id, closeness in said.items() if closeness >= NEARLY}
    if failure is None or failure.is_general:
        near |= {match.id for match in ranked if match.score >= NEARLY * most_words}
    least = PART * ranked[0].score if ranked else 0.0
    return tuple(match for match in ranked[:most] if match.score >= least or match.id in near)


def _with_scores(
    matches: Mapping[str, SymptomMatch], added_scores: Mapping[str, float]
) -> dict[str, SymptomMatch]:
    """The matches with what is added to the scores of their pages, and those of further pages."""
    raised = dict(matches)
    for id, added in added_scores.items():
        score = matches[id].score if id in matches else 0.0
        raised[id] = SymptomMatch(id, score + added)
    return raised


def _ranked(matches: Mapping[str, SymptomMatch]) -> list[SymptomMatch]:
    """The matches, the best first; among equals that of the severest check."""
    severity = {id: check.severity for id, check in registry.load().items()}
    return sorted(matches.values(), key=lambda match: (-match.score, -severity[match.id], match.id))


def _matches_by_words(question: str, said: Mapping[str, float]) -> dict[str, SymptomMatch]:
    """The pages that have words of the question. said: the closeness of each page's complaints."""
    counts = Counter(telling_words(read(without_ends(question, GROUP_OF))))
    if _PORT.search(question.lower()):
        counts["port"] += 1
    rarity = _rarity_of_terms()
    by_terms = {
        id: match
        for id, terms in _index().items()
        if (match := _match(id, terms, counts, rarity)) is not None
    }
    by_complaint = {id: _COMPLAINT * closeness for id, closeness in said.items()}
    matches = _with_scores(by_terms, by_complaint)
    best = max((match.score for match in matches.values()), default=0.0)
    return matches if best >= _LEAST else {}


def _weights_by_message(
    question: str, failure: error_texts.KnownError | None
) -> Mapping[str, float]:
    """The factor by which the score of each page rises, if the question is an error message that
    leads to it.

    Times the score of the page that has the most words of the question.
    """
    pages = _index().keys()
    weights = {
        id: min(1.0, share / _TELLING) + _QUOTED * share
        for id, share in quoted_errors.scores_of_pages(question, pages).items()
        if share >= _LEAST_QUOTED
    }
    if failure is not None and failure.page in pages:
        weight = _CONFIRMED if failure.recognised.confirmed_by else _KNOWN
        weights[failure.page] = weights.get(failure.page, 0.0) + weight
    return weights


def known_error(question: str) -> error_texts.KnownError | None:
    """The known error, if the question is an error message; a person names two ends."""
    return error_texts.explained(question) if ends(question) is None else None


def meaning(question: str) -> tuple[str, ...]:
    """The meaning of an error message and its cure, a text each; empty where nothing is known.

    A message that no row knows and a page quotes may mean the fault of the page.
    """
    failure = known_error(question)
    if failure is not None:
        return failure.means, failure.fixes
    if ends(question) is not None:
        return ()
    message = error_texts.without_warnings(question)
    id = quoted_errors.page_of_message(message, _index().keys())
    if not id:
        return ()
    title = registry.load()[id].title.rstrip(".")
    look = runbooks.confirm(id, {}, runbooks.Place())
    shown = f", and {look.text}" if look is not None and "\n" not in look.text else ""
    means = f"the message may mean: {title[0].lower()}{title[1:]}"
    return means, f"what decides: diagnose explain {id}{shown}"


def families(question: str) -> tuple[str, ...]:
    """The families whose checks are all about the question: those of a connection between
    two ends."""
    return _OF_A_WAY if ends(question) is not None else ()


def _match(
    id: str, terms: Mapping[str, float], counts: Mapping[str, int], rarity: Mapping[str, float]
) -> SymptomMatch | None:
    """The score of a page for the wanted words; None where it has none of them."""
    shared = [term for term in counts if term in terms]
    if not shared:
        return None
    score = sum(
        rarity[term] * terms[term] * (_SATURATION + 1) / (terms[term] + _SATURATION)
        for term in shared
    )
    most = (_SATURATION + 1) * sum(rarity.get(term, _UNKNOWN_RARITY) for term in counts)
    # a page that has all words of the question is better than one that has a rare one of them
    return SymptomMatch(id, score / most * (0.5 + 0.5 * len(shared) / len(counts)))


@functools.cache
def _index() -> Mapping[str, Mapping[str, float]]:
    """The weight of each term on each page of a known check."""
    return {id: _weights(id, texts) for id, texts in page_texts().items()}


def _weights(id: str, texts: PageTexts) -> Mapping[str, float]:
    """The weight of each telling word of a check's id, title and page in a search."""
    parts = {
        "id": id.replace(".", " "),
        "title": texts.title,
        "complaints": " ".join(texts.complaints),
        "symptom": texts.symptom,
        "reason": texts.reason,
    }
    weights: dict[str, float] = {}
    for part, weight in _WEIGHTS:
        for term in telling_words(read(parts[part])):
            weights[term] = weights.get(term, 0.0) + weight
    return weights


@functools.cache
def _rarity_of_terms() -> Mapping[str, float]:
    """The weight of each term: the fewer pages have it, the higher."""
    pages = _index().values()
    number = Counter(term for terms in pages for term in terms)
    return {
        term: math.log(1 + (len(pages) - count + 0.5) / (count + 0.5))
        for term, count in number.items()
    }


def distances(matches: Sequence[SymptomMatch], of_a_way: Iterable[str]) -> Mapping[str, int]:
    """The distance of each check from the question: 0 nearly the best or of a named way, 1 less
    so."""
    least = _NEAR * matches[0].score if matches else 0.0
    distance_by_id = {match.id: int(match.score < least) for match in matches}
    return distance_by_id | dict.fromkeys(of_a_way, 0)


def ordered(
    findings: Sequence[Reported], distances: Mapping[str, int], subjects: Collection[Subject]
) -> tuple[Reported, ...]:
    """The findings about named subjects first, then those of checks that fit the question.

    A finding that explains another one has the other's place. Among equals the severest is first.
    distances: of the checks that fit.
    """
    explained = by_key((link.cause, finding) for finding in findings for link in finding.causes)
    farthest = max(distances.values(), default=0) + 1

    def place(finding: Reported) -> tuple[bool, int]:
        is_named = any(
            subject in subjects for subject in (finding.subject, *finding.finding.touches)
        )
        own = (not is_named, distances.get(finding.id, farthest))
        return min([own, *(place(effect) for effect in explained.get(finding.key, ()))])

    return tuple(sorted(findings, key=lambda finding: (place(finding), -finding.severity)))
