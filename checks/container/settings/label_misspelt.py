"""container.label-misspelt: a program passes over labels that almost are labels of its own."""

from checks.container.claims import compose_variables
from diagnose.evidence.containers.compose.compose_files import only_file
from diagnose.evidence.containers.settings.misspelt_labels import (
    ContainersWithMisspeltLabels,
    MisspeltLabels,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import agree, and_more, joined
from diagnose.registry import check

SHOWN = 4
_PLAIN_KEY = LazyPattern(r"[\w.@[\]-]+")
"""A key without a sign that ends an expression of sed."""


@check(
    "container.label-misspelt",
    severity=Severity.advice,
    aloud=("has labels that nobody reads", "have labels that nobody reads"),
)
def label_misspelt(misspelt_labels: ContainersWithMisspeltLabels) -> CheckResult:
    """A container has a label that the program for such labels does not know.

    Traefik, Caddy, Watchtower, Ofelia, autoheal, Diun and their like pass over a label whose key
    they do not know, most of them without a word. It counts where the program runs on this host,
    the key differs from one of its keys in one part, and the container has no label of the right
    key. Other labels with the name of a program may be their owner's. Labels of Traefik 1 count
    where a later version runs and the container has none for that.
    """
    for misspelt in misspelt_labels:
        yield _finding(misspelt)


def _finding(misspelt: MisspeltLabels) -> Finding:
    container = misspelt.container
    keys = list(misspelt.meant)
    kind = misspelt.kind if len(keys) == 1 else f"{misspelt.kind}s"
    program = misspelt.program
    reads = f"{program} reads {joined(list(dict.fromkeys(misspelt.meant.values()))[:SHOWN])}"
    if misspelt.is_former:
        reads = f"{agree(keys, 'it is', 'they are')} for an older version, and {reads} now"
    return Finding.about(
        container,
        f"{container} has the {kind} {and_more(keys, SHOWN)}, which {misspelt.program} in "
        f"{misspelt.reader} does not know: {reads}",
        {
            f"{misspelt.kind} {key}": f"meant: {meant_key}"
            for key, meant_key in misspelt.meant.items()
        },
        discriminator=program,
        touches=(misspelt.reader.subject,),
        recheck=(container.run,),
        variables=_corrections(misspelt),
    )


def _corrections(misspelt: MisspeltLabels) -> PageVariables:
    """The edit of the only compose file; without one the names alone."""
    container = misspelt.container
    key, meant_key = first_of(misspelt.meant.items())
    names = {"label": key, "meant": meant_key}
    compose_file = only_file(container)
    compose = compose_variables(container)
    is_plain = all(map(_PLAIN_KEY.fullmatch, misspelt.meant))
    if misspelt.is_former or not compose_file or not compose or not is_plain:
        return names
    edits = (_edit(key, meant_key) for key, meant_key in misspelt.meant.items())
    return {**names, **compose, "compose_file": compose_file, "edit": ";".join(edits)}


def _edit(key: str, meant_key: str) -> str:
    """The edit of sed that corrects a key, and leaves longer keys that it begins as they are."""
    whole = key.replace(".", r"\.").replace("[", r"\[")
    return rf"s/\(^\|[^[:alnum:]_.-]\){whole}\([^[:alnum:]_.[-]\|$\)/\1{meant_key}\2/g"
