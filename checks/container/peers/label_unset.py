"""container.label-unset: a program acts on containers with a label, and none has it."""

from diagnose.evidence.containers.peers.idle_readers import IdleReader, IdleReaders
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import and_more, sentence
from diagnose.registry import check


@check(
    "container.label-unset",
    severity=Severity.advice,
    caused_by=("container.label-misspelt",),
    aloud=("acts on no container", "act on no container"),
)
def label_unset(idle_readers: IdleReaders) -> CheckResult:
    """A program acts on containers with a label, and no container has it.

    Watchtower with --label-enable, autoheal, Diun and Ofelia choose containers by a label with the
    value true, and leave all others alone. They run, and log nothing of it. Ofelia counts where a
    container has jobs for it in other labels. The check says nothing about a program that acts on
    another engine, nor about a host with no other container.
    """
    for idle in idle_readers:
        yield _finding(idle)


def _finding(idle: IdleReader) -> Finding:
    container = idle.container
    jobs = f"{and_more(idle.with_jobs)} has jobs for it" if idle.with_jobs else ""
    unhealthy = f"{and_more(idle.unhealthy)} is unhealthy" if idle.unhealthy else ""
    return Finding.about(
        container,
        sentence(
            f'{container} {idle.does} only containers with the label "{idle.label}=true", and no '
            "container has it",
            jobs or unhealthy,
        ),
        present({f"label {idle.label}": "on no container", "jobs in labels of": jobs}),
        recheck=(container.run,),
        variables={"label": idle.label},
    )
