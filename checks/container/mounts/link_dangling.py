"""container.link-dangling: a link in a container's data leads to where nothing is."""

import posixpath

from checks.container.claims import is_broken
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.data.dangling_links import DanglingLink, DanglingLinks
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted, sentence
from diagnose.registry import check


@check("container.link-dangling", severity=Severity.critical)
def link_dangling(dangling_links: DanglingLinks, log_tails: LogTails, clock: Clock) -> CheckResult:
    """A link in a container's data leads to where nothing is.

    The log of the failed container names the link, which lies in a mount, and says that something
    is missing. Its target is neither in a mount nor in the container: a part of the data was kept
    in the layer of the container before, as with POSTGRES_INITDB_WALDIR and no volume there. It
    went with that container, or the disk that had it is not mounted.
    """
    for link in dangling_links:
        if is_broken(link.container, clock, log_tails):
            yield _finding(link)


def _finding(link: DanglingLink) -> Finding:
    container = link.container
    former = link.former
    variable_clause = f"{link.variable} names that folder" if link.variable else ""
    has_it = f"{former} still has it in its writable layer" if former is not None else ""
    finding = Finding.about(
        container,
        sentence(
            f"{container} needs {link.path_inside}, a link to {link.target}, which no mount holds and which "
            "is not in the container",
            variable_clause,
            has_it,
        ),
        {
            LINE: quoted(link.line),
            link.path_inside: f"-> {link.target}",
            "mounted": f"{link.mount.name or link.mount.source} -> {link.mount.destination}",
            **present({"named by": link.variable}),
        },
        touches=link.mount.volumes,
        onset=container.failed_first,
        variables={"target": link.target},
    )
    if former is None:
        return finding
    rescued = f"{container.name}-{posixpath.basename(link.target)}"
    return finding.with_variables(
        {
            "former_folder": f"{former.name}:{link.target}/.",
            "rescued": rescued,
            "rescue_mount": f"{rescued}:{link.target}",
        }
    )
