"""Remedies of known failures, as data: each kind is one block of commands on a page.

Groups of the failure's pattern are in braces, as in its cause. The row names the change;
`diagnose/first_steps/rows/row_steps.py` compares that with the container, and gives nothing where
the container has nothing to change. A remedy in another container is compared with that one in
`server_steps.py` beside it, and a remedy for a program that still runs is in `running_steps.py`.
"""

from typing import Literal

import msgspec

from diagnose.lazy_pattern import LazyPattern


class Dropped(msgspec.Struct, frozen=True):
    """An option that the program does not know is removed: from its command, or from a variable."""

    option: str


class CommentedOut(msgspec.Struct, frozen=True):
    """A `#` is put before the line of a mounted file that begins with an unknown word."""

    word: str


class Corrected(msgspec.Struct, frozen=True):
    """A word is replaced in the line of a mounted file that the log names by its number."""

    old: str
    new: str


class UnixLineEnds(msgspec.Struct, frozen=True):
    """The carriage returns at the ends of the lines of a mounted script are removed.

    Without its name it is the program of the container.
    """

    script: str


class Given(msgspec.Struct, frozen=True):
    """The program gets an option of its own, at the end of its command.

    An option of the same name there gets the new value.
    """

    option: str


class Preceded(msgspec.Struct, frozen=True):
    """A shell runs a command in the container each time before the program starts."""

    command: str


class Replaced(msgspec.Struct, frozen=True):
    """A text is replaced in the command or the variable that contains it."""

    old: str
    new: str


class Assigned(msgspec.Struct, frozen=True):
    """The only one of these variables that the container has gets another value."""

    variables: tuple[str, ...]
    value: str


class Extended(msgspec.Struct, frozen=True):
    """A list in a variable gets one more entry; there is no remedy where none of these variables is
    set."""

    variables: tuple[str, ...]
    entry: str


class Parameter(msgspec.Struct, frozen=True):
    """The address in a variable gets one more parameter behind its question mark."""

    scheme: str
    parameter: str


class Filtered(msgspec.Struct, frozen=True):
    """The entries of a list in a variable that begin with this text are removed."""

    variable: str
    begin: str
    separator: str


class BareArguments(msgspec.Struct, frozen=True):
    """The command has only the arguments of the program, for the image's entrypoint starts it."""

    program: str
    """The program's name, which the command has before its arguments."""
    of_entrypoint: bool = False
    """Whether the entrypoint has to be a file of this name: the word may be another mistake."""


class Typed(msgspec.Struct, frozen=True):
    """A person types the value of a variable, which nobody else knows."""

    variable: str
    """Its name, or a group of the pattern that holds the name."""


class TypedLike(msgspec.Struct, frozen=True):
    """A person types the value of the only variable whose name matches."""

    pattern: str


class TypedOption(msgspec.Struct, frozen=True):
    """A person types the value of an option of `docker create`."""

    option: str


class NodeName(msgspec.Struct, frozen=True):
    """The host name of the container becomes the name behind `rabbit@` in its data."""

    folders: tuple[str, ...]
    """Folders in the container at which its data is mounted."""


class Generated(msgspec.Struct, frozen=True):
    """A variable gets a new secret: no data was written with another one yet."""

    variable: str


class Heap(msgspec.Struct, frozen=True):
    """A variable gives a runtime more heap, unless one of the marks already sets its size.

    Three quarters of the container's memory limit, as `{mib}`.
    """

    variable: str
    option: str
    marks: tuple[str, ...]
    of_host: bool = False
    """Whether one without a limit gets a part of the host's memory: Node.js takes no more than 4
    GiB by itself."""


class SetAside(msgspec.Struct, frozen=True):
    """A file of the program's data is renamed, so that the program makes a new one."""

    file: str
    folders: tuple[str, ...]
    """Folders in the container at which its data is mounted."""


class Job(msgspec.Struct, frozen=True):
    """A command runs once over the failed container's volumes, in a container of its own."""

    command: str
    folders: tuple[str, ...]
    """Folders of the files; the remedy needs one of them to be mounted. "" is the working
    directory."""
    user: str = ""
    """The user that the job runs as; empty for the container's own."""
    image: str = ""
    """The image that the job runs in; empty for the container's own."""


class AddedUser(msgspec.Struct, frozen=True):
    """The user, with a group of its own, is added to the files of the container that lack it."""

    user: str


class NamedNumber(msgspec.Struct, frozen=True):
    """The user number of the container gets a name in its list of users."""


class FreshContainer(msgspec.Struct, frozen=True):
    """A new container from the image, without the files that the first start has left."""

    of_working_folder: bool = False
    """Whether they are in the folder in which the program starts."""


class NewVolume(msgspec.Struct, frozen=True):
    """The program begins with an empty volume at its folder; the old volume is kept."""

    folders: tuple[str, ...]


class NamedVolume(msgspec.Struct, frozen=True):
    """A volume with a name takes the place of the container's only anonymous one."""


class Uncovered(msgspec.Struct, frozen=True):
    """The mount at one of these folders is removed, so that the program sees the folder of its
    image."""

    folders: tuple[str, ...]


LIBRARIES = ("/etc", "/lib", "/usr", "/usr/lib", "/usr/local", "/usr/local/lib")
"""Folders of an image with its libraries, or with the list of them (/etc/ld.so.cache)."""
COMMANDS = ("/bin", "/usr", "/usr/bin", "/usr/local", "/usr/local/bin", "/usr/sbin")
"""Folders of an image with its commands."""


class MadeWritable(msgspec.Struct, frozen=True):
    """The only mounted file or folder of settings that is read-only is mounted again, writable."""


class WholeFolder(msgspec.Struct, frozen=True):
    """The folder above is mounted in place of one whose links lead out of it."""

    folder: str


class OwnFolder(msgspec.Struct, frozen=True):
    """The image's own folder of this name stays visible below a mounted working directory."""

    name: str


class Raised(msgspec.Struct, frozen=True):
    """A limit of the container is raised."""

    limit: Literal["memory", "pids"]
    least: str = ""
    """The value that the program asks for, "" if not known."""


class Unlocked(msgspec.Struct, frozen=True):
    """A statement of SQL releases the lock that a killed program left in its database."""

    statement: str


class Inside(msgspec.Struct, frozen=True):
    """A command in a running container raises a limit of its server, which reads the new settings.

    `{more}` in it is twice the number of the group `most`, and not below `least`.
    """

    command: str
    least: int = 0


class AtServer(msgspec.Struct, frozen=True):
    """A cure in the server that the line is about: the program itself, or one that it calls."""

    variable: str
    """The variable of the page that names the server."""
    image: LazyPattern
    """The name of the image of this kind of server."""
    is_another: bool = False
    """Whether the program itself is not a server of this kind: it has ended, and cannot be
    asked."""


class OfRunning(msgspec.Struct, frozen=True):
    """A remedy for a program that still runs, and not for one that has ended."""


class ChallengePort(OfRunning, frozen=True):
    """A web server that a certificate authority calls publishes the port, where its image declares
    it and no container of the host publishes it.

    Elsewhere no command heals it, and a page variable shows the reader the cause.
    """

    port: int
    variable: str
    value: str


class NewKey(OfRunning, frozen=True):
    """A variable that is not set gets a key, which the page makes in the framework's form."""

    variable: str


class MoreTime(OfRunning, frozen=True):
    """A server waits longer for its workers, by an option in a variable, where neither is given
    yet."""

    variable: str
    option: str


class NewerBuild(OfRunning, frozen=True):
    """The container runs the other build of its image that the container beside it runs."""


class HttpsRoute(OfRunning, frozen=True):
    """The container that calls it uses https:// instead."""


class PlainHttp(OfRunning, frozen=True):
    """A server that only containers reach speaks plain HTTP."""

    settings: tuple[tuple[LazyPattern, str], ...]
    """The name of its image, and the variable that turns TLS off, with its value."""


class ClientsNetwork(OfRunning, frozen=True):
    """A list in a variable gets the subnet of the container's network that has this address."""

    variables: tuple[str, ...]
    address: str


class ImageSetting(OfRunning, frozen=True):
    """A variable that this image reads gets a value, or its list one more entry."""

    image: LazyPattern
    variable: str
    value: str
    is_list: bool = False


class SharedFolder(OfRunning, frozen=True):
    """The program behind the server gets the missing folder, at the server's path."""


class FromSample(OfRunning, frozen=True):
    """A file of settings that is older than its image is replaced by the sample beside it."""

    file: str
    """The file in the container; its sample has the same name with `.sample` behind it."""


class TrustedProxy(OfRunning, frozen=True):
    """A program trusts the proxy before it, by a file in a folder of its own."""

    image: LazyPattern
    """The name of its image."""
    folder: str
    """The folder in the container."""
    file: str


Remedy = (
    AddedUser
    | Assigned
    | AtServer
    | BareArguments
    | ClientsNetwork
    | ImageSetting
    | CommentedOut
    | Corrected
    | Dropped
    | Extended
    | Filtered
    | FreshContainer
    | FromSample
    | Generated
    | Given
    | Heap
    | HttpsRoute
    | Inside
    | Job
    | MoreTime
    | NamedNumber
    | NamedVolume
    | NewerBuild
    | NewKey
    | NewVolume
    | NodeName
    | OwnFolder
    | Parameter
    | PlainHttp
    | Preceded
    | Raised
    | Replaced
    | SetAside
    | SharedFolder
    | ChallengePort
    | TrustedProxy
    | Typed
    | TypedLike
    | TypedOption
    | MadeWritable
    | Uncovered
    | UnixLineEnds
    | Unlocked
    | WholeFolder
)
