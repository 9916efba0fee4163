"""What several tests of collectors use."""

from __future__ import annotations

import json

from diagnose.model import Json


def plain(answer: Json) -> Json:
    assert json.loads(json.dumps(answer)) == answer
    return answer


PRESSURE = """\
some avg10=1.50 avg60=0.92 avg300=1.50 total=18074931
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
"""
