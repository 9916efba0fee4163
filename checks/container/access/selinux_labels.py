"""Findings of container.mount-forbidden about labels of SELinux that a mount lacks or has."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.access.kept_labels import keeps_labels
from diagnose.evidence.containers.mounts.access.selinux_denials import Denial
from diagnose.evidence.containers.mounts.bind_mounts import NamedPath
from diagnose.model import Finding, PageVariables, Severity
from diagnose.phrases import shortened


def unlabelled_finding(container: Container, named_path: NamedPath) -> Finding:
    """The finding about a path below a mount that has no label for containers."""
    mount = named_path.mount
    is_kept = keeps_labels(mount.source)
    return Finding.about(
        container,
        f"{container} has no access to {mount.destination}: "
        "SELinux is on and the mount was not relabelled",
        {**named_path.evidence, "Mounts.Mode": mount.mode or "-", "SELinux": "on"},
        discriminator=mount.destination,
        touches=mount.volumes,
        onset=container.failed_first,
        variables={"unconfined": container.name} if is_kept else {"source": mount.source},
    )


_NO_FAILURES = (0, 130, 137, 143)
"""Exit codes of a job that is done, and of a container that a user stops: a denial leads to none of
them."""


def selinux_finding(denial: Denial) -> Finding:
    """The finding about a label of SELinux. It is critical where the container fails."""
    container = denial.container
    mount = denial.mount
    is_sound = container.is_running or container.state.exit_code in _NO_FAILURES
    fails = container.is_unwell or not is_sound
    return Finding.about(
        container,
        f"SELinux denies {container} access ({denial.rights}) to {mount.destination}: "
        f"{_label_words(denial)}",
        {
            denial.source: shortened(denial.line),
            "mount": str(mount),
            "Mounts.Mode": mount.mode or "-",
            "ProcessLabel": container.process_label,
        },
        discriminator=mount.destination,
        severity=None if fails else Severity.warning,
        variables=_label_cure(denial),
    )


def _label_words(denial: Denial) -> str:
    if denial.is_of_another:
        return f"{denial.mount.source} is labelled for one other container (mount option Z)"
    return f"{denial.mount.source} has the label {denial.label}, and was mounted without z or Z"


def _label_cure(denial: Denial) -> PageVariables:
    """The page variable of the block with the remedy.

    The socket of an engine, and folders of the host's own, keep their labels.
    """
    source = denial.mount.source
    if denial.kind == "sock_file" or keeps_labels(source):
        return {"unconfined": denial.container.name}
    return {"shared": source} if denial.is_of_another else {"source": source}
