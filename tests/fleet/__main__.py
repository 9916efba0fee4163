"""`python -m tests.fleet RUNS`: how often a seeded contrast is found, and how often chance is
called one.

The tests take a sample of each; this is the whole measurement, some minutes of CPU.
"""

from __future__ import annotations

import sys

from tests.fleet.test_contrast import null, seeded

runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
sizes = (40, 120, 400)
found = sum(seeded(run, sizes[run % 3]) for run in range(runs))
false = sum(null(10_000 + run, sizes[run % 3]) for run in range(runs))
print(f"seeded contrasts found: {found} of {runs}")
print(f"null runs with a split: {false} of {runs}")
sys.exit(found < 0.95 * runs or false > 0.01 * runs)
