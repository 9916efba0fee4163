"""Wrong addresses of Git servers: for SSH the host's own server, and for pages no URL."""

from collections.abc import Collection

from diagnose.evidence.containers.inspect import host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_files import mounted_file
from diagnose.evidence.machine.passwd import USERS_FILE, user_entries
from diagnose.evidence.network.proxies.shown_address import ShownAddress, is_led_on, takers
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.model import Failed
from diagnose.programs.own_addresses import (
    GIT_SERVERS,
    GITLAB_VARIABLE,
    HOST_NAME,
    ROOT_URL,
    SSH_PORTS,
    USERS_FOR_GIT,
    GitServer,
)
from diagnose.questions import Host
from diagnose.questions.files import ReadFile

_SSHD = "sshd"
_USUAL = 22
_MOST_BYTES = 65536


def ssh_address(
    host: Host, container: Container, containers: Containers, listeners: Listeners
) -> ShownAddress | None:
    """The port that a Git server shows for SSH, where it is published at another one; or None.

    None where a user of the host takes the calls for it, or where nothing shows that its SSH is
    used.
    """
    server = _git_server(container)
    ports = _ssh_ports(container)
    if server is None or not ports:
        return None
    file, text = _settings(host, container, server)
    if _is_off(container, server, text):
        return None
    place, port = _shown_port(container, server, file, text)
    holders = takers(port, listeners)
    if port in ports or is_led_on(port, containers) or _has_user(host):
        return None
    if any(holder.comm != _SSHD for holder in holders):
        return None  # a program that may pass it on
    return ShownAddress(
        container,
        "ssh",
        place,
        str(port),
        port,
        right=str(ports[0]) if len(set(ports)) == 1 else "",
        variable=server.variables[0] if server.variables else "",
        way=ports[0],
        holder=_SSHD if holders else "",
    )


def _git_server(container: Container) -> GitServer | None:
    """The known Git server that a container runs, by its image; or None."""
    image = container.config.image
    return next((server for server in GIT_SERVERS if server.image.search(image)), None)


def _ssh_ports(container: Container) -> list[int]:
    """The ports of the host at which others reach the container's SSH."""
    return [
        binding.host_port
        for binding in container.published_by("tcp")
        if binding.number in SSH_PORTS and not binding.is_for_host_alone
    ]


def bare_address(
    host: Host, container: Container, containers: Containers, listeners: Listeners
) -> ShownAddress | None:
    """The address of a server's pages without a scheme, of which browsers make a path."""
    server = _git_server(container)
    if server is None or not server.url_variables:
        return None
    file, text = _settings(host, container, server)
    value = next(filter(None, map(container.config.value_of, server.url_variables)), "")
    place = f"Config.Env {server.url_variables[0]}"
    if not value:
        lines = (ROOT_URL.match(line) for line in text.splitlines())
        place = file
        value = next((match["value"].strip("\"'") for match in lines if match), "")
    if not value or "://" in value or HOST_NAME.match(value) is None:
        return None
    is_secure = is_led_on(443, containers) or bool(takers(443, listeners))
    scheme = "https" if is_secure else "http"
    root_url = container.config.value_of("ROOT_URL")
    return ShownAddress(
        container,
        "bare",
        place,
        value,
        0,
        right=f"{scheme}://{value.rstrip('/')}/",
        variable=server.url_variables[0],
        unused="ROOT_URL" if "://" in root_url else "",
    )


def _settings(host: Host, container: Container, server: GitServer) -> tuple[str, str]:
    """The mounted file of its settings with the lines that count; "" twice for none."""
    for path in server.files:
        mount = host_mount(container.mounts, path)
        if mount is None:
            continue
        text = host.ask(mounted_file(mount, path, max_bytes=_MOST_BYTES, parts="own address"))
        if not isinstance(text, Failed):
            return path, text.text
    return "", ""


def _is_off(container: Container, server: GitServer, text: str) -> bool:
    """Whether a server takes no SSH by its own settings."""
    if server.off_variable and container.config.value_of(server.off_variable).lower() == "true":
        return True
    return any(server.off.search(line) for line in text.splitlines())


def _shown_port(container: Container, server: GitServer, file: str, text: str) -> tuple[str, int]:
    """The setting of the port that a Git server shows, and the port."""
    config = container.config
    before = server.variables
    after = () if file else server.first_variables
    for variable in before:
        if config.value_of(variable).isdecimal():
            return f"Config.Env {variable}", int(config.value_of(variable))
    lines = [(file, line) for line in text.splitlines()]
    lines += [
        (f"Config.Env {GITLAB_VARIABLE}", line)
        for line in config.value_of(GITLAB_VARIABLE).replace(";", "\n").splitlines()
    ]
    for place, line in lines:
        match = server.port.search(line)
        if match is not None:
            return place, int(match["port"])
    for variable in after:
        if config.value_of(variable).isdecimal():
            return f"Config.Env {variable}", int(config.value_of(variable))
    return "its usual port", _USUAL


def _has_user(host: Host, names: Collection[str] = USERS_FOR_GIT) -> bool:
    """Whether the host has a user for repositories, whose login is passed on to the container."""
    text = host.ask(ReadFile(USERS_FILE))
    if isinstance(text, Failed):
        return True
    return any(user.name in names for user in user_entries(text.text))
