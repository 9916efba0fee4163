"""Configuration in folders of small files: sysctl.d, systemd's units and networks."""

from collections.abc import Sequence

from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing


def drop_in_paths(host: Host, folders: Sequence[str], ending: str) -> list[str]:
    """The files that count, in the order of their names, in which programs read them.

    A file replaces those of the same name in later folders.
    """
    by_name: dict[str, str] = {}
    for folder in folders:
        for name in folder_listing(host, folder).names:
            if name.endswith(ending):
                by_name.setdefault(name, f"{folder}/{name}")
    return [path for _, path in sorted(by_name.items())]
