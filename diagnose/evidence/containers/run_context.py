"""All evidence that may explain why a container's program failed, for three checks."""

import msgspec

from diagnose.evidence.containers.compose.compose_files import ComposeFiles
from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.ends.former_images import FormerImages
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.empty_mounts import EmptyMounts
from diagnose.evidence.containers.mounts.linked_files import LinkedFiles
from diagnose.evidence.containers.programs.https_endpoints import HttpsEndpoint, HttpsEndpoints
from diagnose.evidence.containers.programs.init_scripts import InitScript, InitScripts
from diagnose.evidence.containers.programs.missing_modules import MissingModule, MissingModules
from diagnose.evidence.containers.programs.other_libraries import OtherLibraries, OtherLibrary
from diagnose.evidence.containers.programs.other_modules import OtherModule, OtherModules
from diagnose.evidence.containers.programs.program_faults import ProgramFaults
from diagnose.evidence.containers.settings.file_defects import FileDefect, FileDefects
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.commands import ImageCommands
from diagnose.evidence.images.listing import Images
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.registry import evidence

SeenInside = MissingModule | HttpsEndpoint | InitScript | OtherLibrary | OtherModule | FileDefect
"""An explanation in an image, or in a file inside it."""


class RunContext(msgspec.Struct, frozen=True):
    """The evidence that explains a run. Each part is None where it could not be collected."""

    log_tails: LogTails | None = None
    program_faults: ProgramFaults | None = None
    """The kernel's lines about programs that it ended."""
    namespaces: Namespaces | None = None
    compose_files: ComposeFiles | None = None
    empty_mounts: EmptyMounts | None = None
    """The empty folders of the host that hide what images have."""
    images: Images | None = None
    image_commands: ImageCommands | None = None
    info: Info | None = None
    missing_modules: MissingModules | None = None
    https_endpoints: HttpsEndpoints | None = None
    init_scripts: InitScripts | None = None
    other_libraries: OtherLibraries | None = None
    other_modules: OtherModules | None = None
    file_defects: FileDefects | None = None
    former_images: FormerImages | None = None
    """The images of the containers before an update."""
    repeated_errors: RepeatedErrors | None = None
    """The repeated errors of running containers, among them those that a failed one calls."""
    linked_files: LinkedFiles | None = None

    def seen_inside(self, container: Container) -> SeenInside | None:
        """The explanation in the image or its files for the failure of a container; or None."""
        by_kind = (
            self.missing_modules,
            self.https_endpoints,
            self.init_scripts,
            self.other_libraries,
            self.other_modules,
            self.file_defects,
        )
        candidates = (by_id.of(container) for by_id in by_kind if by_id is not None)
        return next((explanation for explanation in candidates if explanation is not None), None)


@evidence
def run_context(
    log_tails: LogTails | None,
    program_faults: ProgramFaults | None,
    namespaces: Namespaces | None,
    compose_files: ComposeFiles | None,
    empty_mounts: EmptyMounts | None,
    images: Images | None,
    image_commands: ImageCommands | None,
    info: Info | None,
    missing_modules: MissingModules | None,
    https_endpoints: HttpsEndpoints | None,
    init_scripts: InitScripts | None,
    other_libraries: OtherLibraries | None,
    other_modules: OtherModules | None,
    file_defects: FileDefects | None,
    former_images: FormerImages | None,
    repeated_errors: RepeatedErrors | None,
    linked_files: LinkedFiles | None,
) -> RunContext:
    """The context of runs, from all evidence that could be collected."""
    return RunContext(
        log_tails,
        program_faults=program_faults,
        namespaces=namespaces,
        compose_files=compose_files,
        empty_mounts=empty_mounts,
        images=images,
        image_commands=image_commands,
        info=info,
        missing_modules=missing_modules,
        https_endpoints=https_endpoints,
        init_scripts=init_scripts,
        other_libraries=other_libraries,
        other_modules=other_modules,
        file_defects=file_defects,
        former_images=former_images,
        repeated_errors=repeated_errors,
        linked_files=linked_files,
    )
