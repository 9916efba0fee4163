"""`diagnose recreate`: the script that creates a container again, with a change."""

from __future__ import annotations

import shlex
from typing import Any

import click

from diagnose.cli import on, options, process


@click.command(cls=on.RemotableCommand)
@click.argument("container", metavar="CONTAINER")
@click.argument("changes", nargs=-1, type=click.UNPROCESSED, metavar="[-- OPTION...]")
@click.option("--image", default="", metavar="IMAGE", help="Another image.")
@click.option("--command", metavar="TEXT", help="Another command: the words after the image.")
@click.option(
    "--options-from-command",
    is_flag=True,
    help="Treat options of docker run that stand after the image name as options.",
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
@options.source
@options.budget
@options.engine
def recreate(container: str, changes: tuple[str, ...], **given: Any) -> None:
    """Print a script that creates a container again.

    With the same ports, volumes, networks, limits and environment, and with your change: options of
    `docker create` after `--`, such as `-- --ulimit=nofile=65536:65536`. The old container is
    kept, stopped, under another name, and is started again if the new one cannot be. Only prints:
    pipe it into `sudo sh` to apply it.
    """
    import msgspec

    from diagnose import recreate as again
    from diagnose import session
    from diagnose.container_options import NoRecreateError
    from diagnose.evidence.run.report_header import docker_command
    from diagnose.model import Failed
    from diagnose.questions.containers import InspectContainer
    from diagnose.questions.engine import Endpoint, FindEndpoint, PingEngine, PingReply
    from diagnose.questions.images import InspectImage

    command = given["command"]
    change = again.ContainerChange(
        options=changes,
        without=frozenset(name.lstrip("-") for name in given["without"]),
        unmounted=frozenset(given["unmount"]),
        unset=frozenset(given["unset"]),
        image=given["image"],
        command=tuple(shlex.split(command)) if command is not None else None,
        options_from_command=given["options_from_command"],
    )
    request = options.of_run(given)
    try:
        inspect, endpoint, ping = session.answers(
            [InspectContainer(container), FindEndpoint(), PingEngine()],
            request,
            began=process.began(),
        )
        if isinstance(inspect, Failed):
            raise click.ClickException(
                f"cannot inspect container {container!r}: {inspect.detail or inspect.reason}"
            )
        (image,) = session.answers([InspectImage(inspect["Image"])], request, began=process.began())
        reached = (
            Endpoint() if isinstance(endpoint, Failed) else msgspec.convert(endpoint, Endpoint)
        )
        reply = PingReply() if isinstance(ping, Failed) else msgspec.convert(ping, PingReply)
        docker = docker_command(reached, is_podman=bool(reply.libpod))
        described = None if isinstance(image, Failed) else image
        click.echo(again.script(inspect, described, change, docker), nl=False)
    except (session.InvalidRequestError, NoRecreateError, ValueError) as error:
        raise click.ClickException(str(error)) from None
