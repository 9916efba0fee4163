"""The order of the families: the more telling ones first."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.families.agreements import AGREEMENTS
from diagnose.programs.families.applications import APPLICATIONS
from diagnose.programs.families.asked_settings import ASKED_SETTINGS
from diagnose.programs.families.builds import BUILDS, PROGRAM_FAULTS
from diagnose.programs.families.calls import PEERS
from diagnose.programs.families.certificates import CERTIFICATES
from diagnose.programs.families.combinations import COMBINATIONS
from diagnose.programs.families.configuration import CONFIGURATION
from diagnose.programs.families.configuration_lines import CONFIGURATION_LINES
from diagnose.programs.families.data import DATA
from diagnose.programs.families.devices import DEVICES
from diagnose.programs.families.duplicates import DUPLICATES
from diagnose.programs.families.exception_classes import EXCEPTION_CLASSES
from diagnose.programs.families.files import FILES
from diagnose.programs.families.images import DEPENDENCIES
from diagnose.programs.families.locked_migrations import LOCKED_MIGRATIONS
from diagnose.programs.families.migration_runs import MIGRATION_RUNS
from diagnose.programs.families.named_values import NAMED_VALUES
from diagnose.programs.families.parts import PARTS
from diagnose.programs.families.plain_causes import PLAIN_CAUSES
from diagnose.programs.families.refused_hosts import REFUSED_HOSTS
from diagnose.programs.families.refused_values import REFUSED_VALUES
from diagnose.programs.families.replaced_files import REPLACED_FILES
from diagnose.programs.families.scripts import SCRIPTS
from diagnose.programs.families.settings import SETTINGS
from diagnose.programs.families.starts import STARTS
from diagnose.programs.families.surroundings import LOGINS, SURROUNDINGS
from diagnose.programs.families.tool_exits import TOOL_EXITS
from diagnose.programs.families.undefined_names import UNDEFINED_NAMES
from diagnose.programs.families.unset_values import UNSET_VALUES
from diagnose.programs.families.values import VALUES
from diagnose.programs.families.waits import WAITS
from diagnose.programs.families.wordings import WORDINGS

FAMILIES: tuple[Failure, ...] = (
    *CERTIFICATES,
    *DEVICES,
    *BUILDS,
    *SCRIPTS,
    *PARTS,
    *DEPENDENCIES,
    *APPLICATIONS,
    *STARTS,
    *UNSET_VALUES,
    *NAMED_VALUES,
    *VALUES,
    *DUPLICATES,
    *REPLACED_FILES,
    *LOCKED_MIGRATIONS,
    *DATA,
    *REFUSED_HOSTS,
    *AGREEMENTS,
    *UNDEFINED_NAMES,
    *COMBINATIONS,
    *SETTINGS,
    *ASKED_SETTINGS,
    *PEERS,
    *SURROUNDINGS,
    *CONFIGURATION,
    *CONFIGURATION_LINES,
    *REFUSED_VALUES,
    *FILES,
    *LOGINS,
    *MIGRATION_RUNS,
    *TOOL_EXITS,
    *PROGRAM_FAULTS,
    *PLAIN_CAUSES,
    *EXCEPTION_CLASSES,
    *WORDINGS,
    *WAITS,
)
"""In the order in which a line is compared with them."""
