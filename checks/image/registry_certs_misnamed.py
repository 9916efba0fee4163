"""image.registry-certs-misnamed: files for a registry that the engine cannot pair."""

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls.registry_files import CERTIFICATES, RegistryFiles, UnpairedFile
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.registry import check


@check("image.registry-certs-misnamed", severity=Severity.warning)
def registry_certs_misnamed(files: RegistryFiles, info: Info, daemon: Daemon) -> CheckResult:
    """A file in certs.d has the wrong ending: each pull from its registry fails.

    The engine takes NAME.crt for an authority, and NAME.cert and NAME.key for its own certificate
    and the key of it. With one of the pair alone it asks the registry nothing, and its log says
    nothing. Seen on engines 20.10.24 and 28.5.2.
    """
    if daemon.is_podman or info.uses_containerd_store:
        return Skipped("this engine reads these files differently")
    for file in files.unpaired:
        folder = f"{CERTIFICATES}/{file.registry}"
        variables = {"folder": folder}
        if file.renamed:
            variables |= {"from": f"{folder}/{file.misnamed}", "to": f"{folder}/{file.renamed}"}
        yield Finding(
            subject=DAEMON,
            summary=(
                f'each pull from registry "{file.registry}" fails: in {folder} '
                f"{_unpaired_sentence(file)}"
            ),
            evidence={"read as one of a pair": f"{file.name} and {file.lacks}, which is not there"},
            variables=variables,
            discriminator=f"{file.registry} {file.name}",
        )


def _unpaired_sentence(file: UnpairedFile) -> str:
    """The sentence about a file without its counterpart, and the name that it should have."""
    if file.renamed and file.misnamed == file.name:
        return f"the certificate of an authority, {file.name}, has to end in .crt"
    lacks = f"{file.name} has no {file.lacks} beside it"
    if file.renamed:
        return f"{lacks}: the certificate of a key has to end in .cert, and {file.misnamed} ends in .crt"
    return lacks
