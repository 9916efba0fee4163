"""A compose file that is newer than the failed container that was made from it."""

from diagnose.evidence.containers.compose.compose_files import ChangedFile, ComposeFiles
from diagnose.evidence.containers.listing import Container
from diagnose.model import PageVariables
from diagnose.phrases import duration


def changed_file(container: Container, files: ComposeFiles | None) -> ChangedFile | None:
    """The newest file of the container's project that was changed after the container was made;
    None for none."""
    return files.of(container) if files is not None else None


def changed_evidence(changed: ChangedFile | None) -> dict[str, object]:
    """The time of the change, and a note that a restart does not apply it, as evidence."""
    if changed is None:
        return {}
    after = f"changed {duration(changed.after_s)} after this container was created"
    return {changed.path: f"{after}: it takes effect when compose recreates the container"}


def changed_variables(container: Container, changed: ChangedFile | None) -> PageVariables:
    """The variables of a page that lets compose apply the change."""
    if changed is None or not changed.file:
        return {}
    return {"compose_file": changed.file, "compose_service": container.compose_service}
