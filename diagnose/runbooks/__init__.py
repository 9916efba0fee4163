"""Runbook pages, and the commands that a report takes from them for a finding.

- `format`    how a page is written: front matter, sections, blocks of commands.
- `filling`   a text of commands with a finding's values, quoted for a shell.
- `files`     the page of each id, read once.
- `applying`  the part of a page that applies to one finding; only those who show it import it.
- `remedies`  what a page offers for one finding: a look, a cure, a way by hand.
- `service_commands`  how each kind of host starts and stops the engine.
"""

from diagnose.runbooks.files import page, paths
from diagnose.runbooks.filling import fill, placeholders
from diagnose.runbooks.format import (
    RISKS,
    SECTIONS,
    TRAITS,
    CommandBlock,
    Page,
    PageError,
    Purpose,
    Risk,
    blocks_in,
)
from diagnose.runbooks.remedies import (
    Command,
    Place,
    by_hand,
    commands,
    confirm,
    cure,
    cure_of,
    has_fix,
    looks,
)
from diagnose.runbooks.service_commands import OWN_RESTARTS, for_host
