"""The oldest TLS that a container's OpenSSL takes."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.settings.tls_floors import tls_floors
from diagnose.programs.failures import recognise
from diagnose.programs.families import FAMILIES
from diagnose.programs.telling_line import TellingLine
from tests.hosts import Made
from tests.inspected import container

REFUSED = "SSL_accept() failed: error:0A000102:SSL routines::unsupported protocol"
FILES = {
    "a limit": (REFUSED, "[system]\nMinProtocol = TLSv1.2\n", "MinProtocol = TLSv1.2"),
    "all versions": (REFUSED, "MinProtocol = None\n", ""),
    "the oldest": (REFUSED, "MinProtocol = TLSv1\n", ""),
    "a comment": (REFUSED, "# MinProtocol = TLSv1.2\n", ""),
    "another complaint": ("certificate signed by unknown authority", "MinProtocol = TLSv1.2\n", ""),
}


@pytest.mark.parametrize("name", FILES)
def test_limits_in_the_file_of_openssl(name: str) -> None:
    line, text, wanted = FILES[name]
    mail = container("mail")
    failure = recognise([line], None, FAMILIES)
    error = RepeatedError(mail, TellingLine(line, 0), 9, 12, failure=failure)
    floors = tls_floors(Made({"file.read": {"text": text}}), RepeatedErrors((error,)))
    floor = floors.of(mail)
    assert (floor.setting if floor is not None else "") == wanted
