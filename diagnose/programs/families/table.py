"""The order of the families: the more telling ones first."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.families.applications import APPLICATIONS
from diagnose.programs.families.builds import BUILDS, PROGRAM_FAULTS
from diagnose.programs.families.calls import CERTIFICATES, PEERS
from diagnose.programs.families.configuration import CONFIGURATION
from diagnose.programs.families.data import DATA
from diagnose.programs.families.files import FILES
from diagnose.programs.families.images import DEPENDENCIES, DEVICES
from diagnose.programs.families.scripts import SCRIPTS
from diagnose.programs.families.settings import SETTINGS
from diagnose.programs.families.surroundings import LOGINS, SURROUNDINGS

FAMILIES: tuple[Failure, ...] = (
    *CERTIFICATES,
    *DEVICES,
    *BUILDS,
    *SCRIPTS,
    *DEPENDENCIES,
    *APPLICATIONS,
    *DATA,
    *SETTINGS,
    *PEERS,
    *SURROUNDINGS,
    *CONFIGURATION,
    *FILES,
    *LOGINS,
    *PROGRAM_FAULTS,
)
"""In the order in which a line is compared with them."""
