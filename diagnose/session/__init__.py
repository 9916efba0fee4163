"""One run, from the user's options to the report.

- `request`   what the user asked for: refused where it cannot be done.
- `recorded`  a recording as the host of a run.
- `run`       the run, on this host or on a recording.
"""

from diagnose.session.recorded import manifest, recorded_host, recorded_host_redacted_now, replay
from diagnose.session.request import InvalidRequestError, configuration, redactor, require_known
from diagnose.session.run import (
    ASKED_FIRST,
    Examined,
    LiveHost,
    answers,
    collect,
    diagnose,
    examine,
    live,
)
