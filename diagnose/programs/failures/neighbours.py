"""What a program does not reach beside itself: localhost, other containers, the engine."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

_LOOPBACK = "container.loopback-peer"
_OPTION = "container.option-missing"
_API = "container.client-api-too-new"

NEIGHBOURS = (
    Failure(
        "loopback-refused",
        "refused",
        r"(?=.*(?:ECONNREFUSED|connection refused))(?:.*?)(?:127\.0\.0\.1|\[?::1\]?|localhost)[\"']?:(?P<port>\d{2,5})\b",
        "the program calls localhost:{port}, which is the container itself, and nothing listens there",
        "give it the other container's name instead of localhost",
        "the program's own message",
        _LOOPBACK,
    ),
    Failure(
        "loopback-postgres",
        "refused",
        r"connection to server at \"(?:localhost|127\.0\.0\.1)\"[^,]*, port (?P<port>\d+) failed: Connection refused"
        r"|connect to server: Connection refused\s*Is the server running on host \"(?:localhost|127\.0\.0\.1)\"",
        "the program calls localhost:{port}, which is the container itself, and nothing listens there",
        "give it the other container's name instead of localhost",
        "the program's own message",
        _LOOPBACK,
    ),
    Failure(
        "mysql-socket",
        "mysqld.sock",
        r"Can't connect to local (?:MySQL|MariaDB) server through socket",
        "the program calls localhost, which is the container itself, through a socket file that is not there",
        "give it the database container's name instead of localhost",
        "the program's own message",
    ),
    Failure(
        "php-mysql-socket",
        "[2002] no such file",
        r"SQLSTATE\[HY000\] \[2002\] No such file or directory",
        "the program calls the database at localhost, which is the container itself",
        "give it the database container's name instead of localhost",
        "the program's own message",
    ),
    Failure(
        "host-gateway",
        "host.docker.internal",
        r"(?=.*host\.docker\.internal)(?=.*(?:not known|ENOTFOUND|EAI_AGAIN|no such host|could not (?:translate|resolve)|unknown ?host|bad address|getaddrinfo|resolve))",
        "host.docker.internal has no address here: on Linux a container has to be given it",
        "recreate it with --add-host=host.docker.internal:host-gateway",
        "the program's own message",
        _OPTION,
        ("--add-host=host.docker.internal:host-gateway",),
    ),
    Failure(
        "api-too-new",
        "is too new. maximum supported api version",
        r"client version (?P<client>[\d.]+) is too new\. Maximum supported API version is (?P<most>[\d.]+)",
        "the program speaks the Docker API {client}, and this engine speaks {most} at most",
        "set DOCKER_API_VERSION={most}, or upgrade the engine",
        "nicholas-fedor/watchtower#87",
        _API,
    ),
    Failure(
        "api-too-old",
        "is too old. minimum supported api version",
        r"client version (?P<client>[\d.]+) is too old\. Minimum supported API version is (?P<least>[\d.]+)",
        "the program speaks the Docker API {client}, and this engine asks for {least} at least",
        "upgrade the program's image; until then set DOCKER_API_VERSION={least}",
        "containrrr/watchtower#2126",
        "daemon.client-api-too-old",
    ),
    Failure(
        "nginx-upstream",
        "host not found in upstream",
        r"host not found in upstream \"(?P<host>[^\":]+)",
        "nginx knows no address of {host}: no running container on its networks has that name",
        "start {host} first, or put both on one network",
        "NoFxAiOS/nofx#82",
    ),
    Failure(
        "certificate-time",
        "certificate",
        r"certificate (?:has expired or )?is not yet valid|CERTIFICATE_VERIFY_FAILED.{0,40}not yet valid|current time \S+ is before",
        "a certificate is not valid yet by this clock, which may be wrong",
        "compare the host's clock: timedatectl, or date -u beside another machine",
        "the program's own message",
    ),
    Failure(
        "docker-socket",
        "docker",
        r"permission denied while trying to connect to the Docker (?:daemon socket|API)|dial unix /var/run/docker\.sock: connect: permission denied",
        "the program's user may not open the engine's socket",
        "recreate it with --group-add of the group that owns /var/run/docker.sock",
        "jenkinsci/docker#263",
        "container.mount-forbidden",
    ),
)
