"""dns.hosts-file-unread: a name is in the hosts file, and the program asks DNS servers."""

from diagnose.evidence.containers.settings.changed_words import with_text_in_file
from diagnose.evidence.dns.names.unread_hosts_entries import UnreadHostsEntries, UnreadHostsEntry
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted
from diagnose.registry import check


@check("dns.hosts-file-unread", severity=Severity.warning, causes=["container.answers-with-errors"])
def hosts_file_unread(entries: UnreadHostsEntries) -> CheckResult:
    """nginx asks DNS servers for a name that only its hosts file has.

    `extra_hosts` and `--add-host` write into /etc/hosts. nginx reads that file for a name that is
    written out, at its start. A `proxy_pass` with a variable, and each other name that is looked
    up later, goes to the servers of `resolver`, and to no file. Its log says which name failed.
    Names of containers are left out.
    """
    for entry in entries:
        yield _finding(entry)


def _finding(entry: UnreadHostsEntry) -> Finding:
    container = entry.container
    name = entry.name.name
    has = f"has {entry.address} for it" if entry.address else "has it"
    edited = with_text_in_file(container, name, entry.address) if entry.address else {}
    cure = {"edited": edited["edited"], "own_edit": edited["edit"]} if edited else {}
    return Finding.about(
        container,
        f'nginx in {container} asks DNS servers for "{name}", which they do not know; its hosts '
        f"file {has}, and a name behind a variable is not looked up there",
        present(
            {
                "log": quoted(entry.name.line),
                "HostConfig.ExtraHosts": container.host_config.extra_hosts,
                "its address in the hosts file": entry.address,
            }
        ),
        discriminator=name,
        signs=frozenset({"dns"}),
        recheck=(container.run,),
        variables=present({"name": name, "address": entry.address, **cure}),
    )
