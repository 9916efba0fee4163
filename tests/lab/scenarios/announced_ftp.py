"""FTP servers that tell clients their address inside Docker, each with a look-alike."""

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command

CHECK = "network.inner-address-announced"
SAFE = ("--memory=64m", "--pids-limit=64")
_SERVE = "exec nc -ll -p 21 -e cat"
_PORTS = ("--publish=18121:21",)


def _server(box: Box, name: str, settings: str) -> None:
    """A server whose mounted file of settings may name the address for its clients."""
    box.write(f"/srv/{name}/vsftpd.conf", settings)
    mount = f"--volume=/srv/{name}/vsftpd.conf:/etc/vsftpd/vsftpd.conf:ro"
    box.docker("run", "-d", f"--name={name}", mount, *SAFE, *_PORTS, "bb:1.36", "sh", "-c", _SERVE)


@fault(CHECK, subject="container:ftp81")
def ftp_server_without_an_address_for_clients(box: Box) -> None:
    """vsftpd opens passive ports, and no pasv_address is set."""
    _server(box, "ftp81", "pasv_enable=YES\npasv_min_port=21100\n")
    (finding,) = box.diagnose("check", CHECK, "--format", "json").findings
    assert "/srv/ftp81/vsftpd.conf does not say pasv_address" in finding["summary"], finding


@healthy()
def ftp_server_with_an_address_for_clients(box: Box) -> None:
    """The same with the address of this host."""
    _server(box, "ftp82", "pasv_enable=YES\npasv_address=192.0.2.10\n")
    assert not box.diagnose("check", CHECK, "--format", "json").findings


@fault(CHECK, subject="container:ftp83")
def ftp_image_whose_variable_is_not_set(box: Box) -> None:
    """The image writes the address from a variable, which nobody gave it."""
    load(box, "fauria/vsftpd:latest", Recipe())
    words = ("fauria/vsftpd:latest", "sh", "-c", _SERVE)
    box.docker("run", "-d", "--name=ftp83", *SAFE, *_PORTS, *words)
    assert "--env=PASV_ADDRESS=192.0.2.10" in first_command(box, CHECK, "ftp83")
