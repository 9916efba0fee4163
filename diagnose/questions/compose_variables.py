"""Questions about variables in the files of a compose project."""

import msgspec

from diagnose.questions.question import Policy, Question


class LostDollar(msgspec.Struct, frozen=True):
    """A variable whose value has a `$` that compose takes for another variable, which is not set.

    The value and the name behind the `$` are left out: they are parts of a secret.
    """

    path: str
    line: int
    name: str
    is_plain: bool
    """Whether the line has neither another reference nor a quote that needs a second look."""
    lefts: list[str] = []
    """NAME=value as versions of compose make it, with a token in the place of a secret."""
    is_number: bool = False
    """Whether a digit follows the `$`: newer versions of compose refuse that."""


class FindLostDollars(Question[list[LostDollar]], frozen=True):
    """The variables in env files and compose files that lose a part of their value so."""

    POLICY = Policy(
        "file.dollars",
        what="variables with a bare dollar sign",
        collector="disk.compose.collectors:lost_dollars",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The files of one project: a variable that one of them sets is known in all."""
    folder: str = ""
    """Where the names of env files begin that the compose files among them name."""

    def about(self) -> str:
        return f"variables with a bare dollar sign in {', '.join(self.paths)}"


class BlankReference(msgspec.Struct, frozen=True):
    """A command in a compose file with a variable that neither `.env` nor a default value sets."""

    path: str
    line: int
    service: str
    key: str
    """`command` or `entrypoint`."""
    names: list[str]
    """The variables."""
    words: list[str]
    """What compose makes of the command where nothing else sets them either."""


class FindBlankReferences(Question[list[BlankReference]], frozen=True):
    """The commands with blank references in the files of one project."""

    POLICY = Policy(
        "file.references",
        what="variables in the commands of compose files",
        collector="disk.compose.collectors:blank_references",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The compose files, and the `.env` of the project."""

    def about(self) -> str:
        return f"variables in the commands of {', '.join(self.paths)}"


class ComposeVariable(msgspec.Struct, frozen=True):
    """A variable of a service, as a file of its project has it now."""

    path: str
    variable: str
    """NAME=value."""
    is_reference: bool = False
    """A reference to a variable of `.env`, which the shell of whoever calls compose may set too."""


class ReadComposeVariables(Question[list[ComposeVariable]], frozen=True):
    """The variables that compose would give a service; without those that others may set."""

    POLICY = Policy(
        "file.compose-variables",
        what="the variables of a compose service",
        collector="disk.compose.collectors:compose_variables",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    paths: list[str]
    """The compose files of the project, in their order."""
    folder: str
    service: str

    def about(self) -> str:
        return f"the variables of service {self.service} in {', '.join(self.paths)}"
