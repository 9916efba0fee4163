"""Another command for a container whose program is not there, or cannot be executed."""

import posixpath
import re
import shlex

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.program_places import hiding_mount
from diagnose.evidence.containers.programs.missing_programs import MissingProgram
from diagnose.evidence.images.commands import ImageCommands, calls_a_mount
from diagnose.model import PageVariables


def steps_for_missing_program(
    container: Container, program: str, missing: MissingProgram
) -> PageVariables:
    """The variables of the page's command that suits."""
    mount = hiding_mount(container, program)
    if mount and missing.is_of_image is False:
        return {"unfilled": mount}
    if mount:
        return {"covering": mount}
    if missing.misplaced_options:
        return {"misplaced": container.name}
    command = missing.shown_command
    if command and (missing.likely_program or missing.is_line):
        return {"meant": command}
    if command:
        return {"image_command": command}
    is_from_root = not program.startswith(("./", "../"))
    if not missing.is_own_command and is_from_root:
        return {"image": container.config.image}
    file_name = re.escape(posixpath.basename(program))
    return {"lacking_image": container.config.image, "file_name": f"(^|/){file_name}$"}


def whole_command(container: Container, commands: ImageCommands | None) -> PageVariables:
    """The page variable with the image's command in front of a mounted folder that should be its
    argument.

    Of a command with words of its own it is not known which ones the folder replaces.
    """
    command = (commands.of(container) or []) if commands is not None else []
    if not command or not calls_a_mount(container):
        return {}
    words = [*command, *(container.config.cmd or [])] if len(command) == 1 else command
    return {"own_command": shlex.join(words)}
