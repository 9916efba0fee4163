"""The names in the host's own /etc/hosts, where a container misses a name."""

import msgspec

from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

PATH = "/etc/hosts"


class HostsFile(msgspec.Struct, frozen=True):
    """The address of each name, in lower case; the first line counts, as for the C library."""

    addresses: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self.addresses)


@evidence
def hosts_file(host: Host, failed_names: FailedNames) -> HostsFile | Unavailable:
    """The host's own hosts file; not read where no container misses a name."""
    if not failed_names.by_id:
        return HostsFile()
    answer = host.require(ReadFile(PATH))
    addresses: dict[str, str] = {}
    for line in answer.text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            addresses.setdefault(name.lower(), address)
    return HostsFile(addresses)
