"""Programs that containers should start and do not have, and possible replacements."""

import itertools
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.program_files import (
    is_in_image,
    path_folders,
    programs_at,
)
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.items import ByContainer
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.misplaced_options import leading_options
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.redact import holds_token
from diagnose.registry import evidence

MISSING = ("executable file not found", "no such file or directory")
"""The engine's words for a missing program."""
MOST = 8
"""Containers whose files are looked for: each costs about ten questions."""
_EXEC = LazyPattern(
    r"""
      exec:\ "(?P<program>(?:[^"\\\n]|\\.){0,300})":\ .{0,300}?(?P<why>
            executable\ file\ not\ found
          | no\ such\ file\ or\ directory
          | permission\ denied | is\ a\ directory
        )
    | container\ process:\ exec\ (?P<bare>.{1,300}):\ (?P<denied>permission\ denied)
        (?::\ unknown)?$
    """,
    re.VERBOSE,
)
"""Without quotes: the file has an x bit, and the kernel does not let this user execute it there
(noexec, or not its owner)."""
_SHELLS = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})
_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "node": ("nodejs",),
    "nodejs": ("node",),
    "pip": ("pip3",),
    "python": ("python3",),
    "python3": ("python",),
}
"""Other names under which an image may have a program, by the name that was called."""
_INTERACTIVE = _SHELLS | {"irb", "jshell", "node", "python", "python3", "python2"}
"""Programs that images name for lack of a service: without a terminal they end at once."""


class MissingProgram(msgspec.Struct, frozen=True):
    """A program that a container does not have, and the command that was probably intended."""

    is_own_command: bool = False
    """The container was given another command than its image has."""
    is_line: bool = False
    """Whether several words are in the place of one program."""
    likely_program: str = ""
    """A program that is there, and is most likely meant."""
    image_command: tuple[str, ...] = ()
    """ENTRYPOINT and CMD of the image, where the container was given others."""
    misplaced_options: tuple[str, ...] = ()
    """Options of `docker run` that follow the image's name, each as one word."""
    is_of_image: bool | None = None
    """Whether the image has the program below a mount that hides it; None where that is not known.
    """
    command: tuple[str, ...] = ()
    """A command that could start the container instead; empty where none is known."""

    @property
    def shown_command(self) -> str:
        """The command that is proposed, as a shell takes it.

        "" where it would hold the mark of a secret in the secret's place.
        """
        text = shlex.join(self.command)
        return "" if holds_token(text) else text


class MissingPrograms(ByContainer[MissingProgram], frozen=True):
    """The missing programs of containers whose start failed for lack of them, by container id."""


def own_program(container: Container) -> str:
    """The reason why the engine could not start a container's own program, in its words.

    "" if the error says nothing about it, or means a program of the host (runc, docker-init) with
    the same words.
    """
    match = _EXEC.search(container.state.error) if container.start_failed else None
    if match is None:
        return ""
    program = match["program"] or match["bare"]
    return (match["why"] or match["denied"]) if program == (container.path or program) else ""


@evidence
def missing_programs(
    host: Host, containers: Containers, programs: Programs | None
) -> MissingPrograms:
    """Programs that containers do not have, with a proposal for each.

    Each image takes one question, and so does each place where a similar program could be.
    """
    below = programs.by_id if programs is not None else {}
    missing_names = {
        container.id: (container, name)
        for container in containers
        if (name := _missing_name(container, below.get(container.id)))
    }
    return MissingPrograms(
        {
            id: _missing_program(host, container, name)
            for id, (container, name) in itertools.islice(missing_names.items(), MOST)
        }
    )


def _missing_name(container: Container, below: Program | None) -> str:
    """The word of its command that a container could not start; "" for none.

    below: the program that an init of the container could not start.
    """
    words = container.config.words
    if own_program(container) in MISSING:
        return words[0] if words else ""
    if below is not None and below.missing and below.path in words:
        return below.path
    return ""


def _missing_program(host: Host, container: Container, name: str) -> MissingProgram:
    """The missing program, with the command that was probably intended and with its origin."""
    missing = _intended_program(host, container, name)
    return msgspec.structs.replace(missing, is_of_image=is_in_image(host, container, name))


def _intended_program(host: Host, container: Container, name: str) -> MissingProgram:
    """The missing program, with the command that was probably intended."""
    words = container.config.words
    image_words = _image_words(host, container)
    is_own = image_words is not None and words != image_words
    image_words = image_words or ()
    place = words.index(name)
    if place == 0 and name.startswith("-"):
        options, rest = leading_options(words)
        return MissingProgram(
            is_own_command=True,
            misplaced_options=options,
            image_command=image_words,
            command=(rest or image_words) if options else (),
        )
    proposed = MissingProgram(is_own_command=is_own, image_command=image_words if is_own else ())
    first, *more = line_words(name)
    is_line = bool(more)
    similar_program = _like_program(host, container, first)
    if similar_program:
        command = (*words[:place], similar_program, *more, *words[place + 1 :])
        return msgspec.structs.replace(
            proposed, is_line=is_line, likely_program=similar_program, command=command
        )
    is_service = bool(image_words) and posixpath.basename(image_words[0]) not in _INTERACTIVE
    # the words behind a line are meant for its program, and the image's command would drop them
    is_whole = not (is_line and words[place + 1 :])
    command = image_words if is_own and is_service and is_whole else ()
    return msgspec.structs.replace(proposed, is_line=is_line, command=command)


def line_words(text: str) -> list[str]:
    """The words of a line as a shell takes them; the line itself where it is not a command line."""
    try:
        return shlex.split(text) or [text]
    except ValueError:
        return [text]


def _image_words(host: Host, container: Container) -> tuple[str, ...] | None:
    """ENTRYPOINT and CMD of the container's image; None where the image cannot be inspected."""
    detail = host.ask(InspectImage(container.image))
    if isinstance(detail, Failed) or detail.config is None:
        return None
    return (*(detail.config.entrypoint or ()), *(detail.config.cmd or ()))


def _like_program(host: Host, container: Container, program: str) -> str:
    """The first place of a like program that the container has; "" where there is none."""
    return first_of(programs_at(host, container, _places(container, program)), "")


def _places(container: Container, program: str) -> Iterator[str]:
    """Possible paths of a program that is named with a wrong folder, name or form."""
    name = posixpath.basename(program)
    folder = container.config.working_dir.rstrip("/")
    if "/" not in program:
        yield f"{folder}/{name}"
    else:
        yield f"{program}.sh"
    other_names = ("sh",) if name in _SHELLS else _OTHER_NAMES.get(name, ())
    for other in (name, *other_names):
        for directory in path_folders(container):
            if f"{directory}/{other}" != program:
                yield f"{directory}/{other}"


def options_in_command(container: Container, tail: LogTail) -> tuple[str, ...]:
    """The options at the begin of the command, where the program complains of one of them.

    Each is one word with a long name: `--publish=8080:80`.
    """
    words = container.config.cmd or []
    options = leading_options(words).options
    telling = tail.telling
    if not options or telling is None:
        return ()
    words_of_line = set(telling.whole.replace("'", " ").replace('"', " ").split())
    return options if words_of_line & {word for word in words if word.startswith("-")} else ()
