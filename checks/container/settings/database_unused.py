"""container.database-unused: a program keeps its data in a file beside an empty server."""

from diagnose.evidence.containers.peers.unused_servers import UnusedServer, UnusedServers
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence
from diagnose.registry import check


@check(
    "container.database-unused",
    severity=Severity.advice,
    aloud=("does not use its database server", "do not use their database servers"),
)
def database_unused(unused_servers: UnusedServers) -> CheckResult:
    """A program keeps its data in a file, and its database server has no table.

    Compose starts a PostgreSQL, MySQL or MariaDB for the program, and the folder of that server has
    no table that a user has made. The program has written a file of SQLite since it was made. It
    does not read the variable that names the server, or that variable is misspelt. It is advice,
    since the program works. The check says nothing about a server with a single table, nor about
    one whose program waits to be set up and has no such file.
    """
    for unused in unused_servers:
        yield _finding(unused)


def _finding(unused: UnusedServer) -> Finding:
    program = unused.program
    server = unused.server
    named_clause = "" if unused.is_named else "none of its settings names that server"
    loss_clause = "" if unused.is_mounted else "the file is lost when the container is recreated"
    return Finding.about(
        program,
        sentence(
            f"{program} keeps its data in {unused.file}, and {server}, which its project starts for it, "
            "has no table",
            " and ".join(filter(None, (named_clause, loss_clause))),
        ),
        {
            f"file of {program.name}": unused.file,
            f"tables of {server.name}": "none that a user has made",
        },
        discriminator=server.name,
        recheck=(program.run, server.run),
        touches=(server.subject,),
        variables={"file": unused.file, "server": server.name},
    )
