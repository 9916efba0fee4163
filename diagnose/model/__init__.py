"""The nouns of a diagnosis: what a check takes, what it gives, and what a report is made of.

Everything here is a plain frozen value. Nothing here asks, judges or prints.

- `answers`   what a host says, or why it does not.
- `findings`  what a check says of a subject.
- `subjects`  what a finding may be about.
- `units`     the units of thresholds.
- `checks`    a check with its needs and thresholds, and its result.
- `causes`    the link between two findings, and how sure it is.
- `reports`   the report, and the host that it is about.
"""

from diagnose.model.answers import (
    NOT_IN_BUNDLE,
    REASONS,
    SAYS_NOTHING,
    Failed,
    Json,
    NoEvidenceError,
    Reason,
    Unavailable,
)
from diagnose.model.causes import CauseLink, Edit, Outcome, RuledOut, Strength
from diagnose.model.checks import (
    ON_ALL,
    Check,
    EvidenceGroup,
    Focus,
    HasSubject,
    Need,
    Result,
    Threshold,
    Verdict,
)
from diagnose.model.findings import (
    CheckItem,
    CheckResult,
    ContainerRun,
    Finding,
    FindingOwner,
    PageVariables,
    Severity,
    Skipped,
    Unexamined,
)
from diagnose.model.reports import (
    Coverage,
    EngineRestart,
    HostFacts,
    HostProfile,
    PartLookedAt,
    RecentChange,
    RecentChanges,
    Report,
    ReportBasis,
    Reported,
    Trait,
)
from diagnose.model.subjects import DAEMON, HOST, Subject, SubjectKind, container
from diagnose.model.units import UNITS, Bytes, Count, Percent, Seconds
