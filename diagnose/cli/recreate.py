"""`diagnose recreate`: the script that creates a container again, with a change."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from diagnose.cli import on, options, process

if TYPE_CHECKING:
    from diagnose.questions import AnyQuestion
    from diagnose.questions.run import Options


@click.command(cls=on.RemotableCommand)
@click.argument("container", metavar="CONTAINER", shell_complete=options.complete_container)
@click.argument("changes", nargs=-1, type=click.UNPROCESSED, metavar="[-- OPTION...]")
@click.option("--image", default="", metavar="IMAGE", help="Another image.")
@click.option("--command", metavar="TEXT", help="Another command: the words after the image.")
@click.option(
    "--options-from-command",
    is_flag=True,
    help="Treat options of docker run that follow the image name as options.",
)
@click.option(
    "--without",
    multiple=True,
    metavar="NAME",
    help="Leave this option out, for example privileged. Repeatable.",
)
@click.option(
    "--unmount",
    multiple=True,
    metavar="PATH",
    help="Leave out what is mounted at this path of the container. Repeatable.",
)
@click.option(
    "--unset",
    multiple=True,
    metavar="NAME",
    help="Leave this variable out of its environment. Repeatable.",
)
@click.option(
    "--network",
    "is_network",
    is_flag=True,
    help="The name is that of a network; options are those of docker network create.",
)
@options.source
@options.budget
@options.engine
@process.printing_a_script()
def recreate(container: str, changes: tuple[str, ...], **given: Any) -> None:
    """Print a script that creates a container again.

    With the same ports, volumes, networks, limits and environment, and with your change: options of
    `docker create` after a lone `--`, such as `--ulimit=nofile=65536:65536`. The old container is
    kept, stopped, under another name (as an image if compose made it), and is started again if the
    new one cannot be. With --network, the script recreates a network, with its labels and
    its containers. Only prints: pipe it into `sudo sh` to apply it.
    """
    from diagnose import session
    from diagnose.recreate.options import NoRecreateError

    request = options.of_run(given)
    write = _network_script if given["is_network"] else _container_script
    try:
        click.echo(write(container, changes, given, request), nl=False)
    except (session.InvalidRequestError, NoRecreateError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def _container_script(
    name: str, changes: tuple[str, ...], given: Mapping[str, Any], request: Options
) -> str:
    """The script that recreates a container with these changes."""
    from diagnose import session
    from diagnose.model import Failed
    from diagnose.questions.containers import InspectContainer
    from diagnose.questions.images import InspectImage
    from diagnose.recreate.change import ContainerChange
    from diagnose.recreate.container import script

    command = given["command"]
    change = ContainerChange(
        options=changes,
        without=frozenset(name.lstrip("-") for name in given["without"]),
        unmounted=frozenset(given["unmount"]),
        unset=frozenset(given["unset"]),
        image=given["image"],
        command=tuple(shlex.split(command)) if command is not None else None,
        options_from_command=given["options_from_command"],
    )
    (inspect,), docker = _answers_of({f"container {name!r}": InspectContainer(name)}, request)
    (image,) = session.answers([InspectImage(inspect["Image"])], request, began=process.began())
    described = None if isinstance(image, Failed) else image
    return script(inspect, described, change, docker)


def _network_script(
    name: str, changes: tuple[str, ...], given: Mapping[str, Any], request: Options
) -> str:
    """The script that recreates a network with these changes."""
    from diagnose import session
    from diagnose.model import Failed
    from diagnose.questions.containers import InspectContainer, ListContainers
    from diagnose.questions.images import ListNetworks
    from diagnose.recreate.network import script

    asked: dict[str, AnyQuestion] = {
        "the networks": ListNetworks(),
        "the containers": ListContainers(),
    }
    (networks, listed), docker = _answers_of(asked, request)
    network = next(
        (network for network in networks if name in (network["Name"], network["Id"])), None
    )
    if network is None:
        raise click.ClickException(f"there is no network {name!r}")
    questions = [
        InspectContainer(row["Id"]) for row in listed if network["Name"] in _networks_of(row)
    ]
    members = session.answers(questions, request, began=process.began())
    unread = [member for member in members if isinstance(member, Failed)]
    if unread:
        raise click.ClickException(f"cannot inspect a container of the network: {unread[0]}")
    without = frozenset(name.lstrip("-") for name in given["without"])
    return script(network, members, changes, without, docker)


def _networks_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The networks of a container as the list has them, by name."""
    return (row.get("NetworkSettings") or {}).get("Networks") or {}


def _answers_of(questions: Mapping[str, AnyQuestion], request: Options) -> tuple[list[Any], str]:
    """The answers to questions by what they are about, and the command that reaches the engine.

    An error in words where one has no answer.
    """
    import msgspec

    from diagnose import session
    from diagnose.evidence.run.report_header import docker_command
    from diagnose.model import Failed
    from diagnose.model.answers import NOT_IN_BUNDLE
    from diagnose.questions.endpoint import Endpoint, FindEndpoint
    from diagnose.questions.engine import PingEngine, PingReply

    *answers, endpoint, ping = session.answers(
        [*questions.values(), FindEndpoint(), PingEngine()], request, began=process.began()
    )
    for subject, answer in zip(questions, answers, strict=True):
        if isinstance(answer, Failed):
            is_left_out = answer.reason in NOT_IN_BUNDLE
            why = str(answer) if is_left_out else answer.detail or answer.reason
            raise click.ClickException(f"cannot inspect {subject}: {why}")
    reached = Endpoint() if isinstance(endpoint, Failed) else msgspec.convert(endpoint, Endpoint)
    reply = PingReply() if isinstance(ping, Failed) else msgspec.convert(ping, PingReply)
    return answers, docker_command(reached, is_podman=bool(reply.libpod))
