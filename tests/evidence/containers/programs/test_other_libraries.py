"""What images have in the place of a library that is missed."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.programs.other_libraries import other_libraries
from diagnose.model import Failed, Json
from tests.checks.container.evidence import failed_with_log
from tests.hosts import Made
from tests.inspected import of

LINE = "engine: error while loading shared libraries: libssl.so.1.1: cannot open shared object file"
RELEASE = b'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n'
LAYER = "/layers/1/diff"


def image(folder: str, *names: str) -> Made:
    """An image of one layer, with these files in a folder."""

    def statuses(question: Any) -> Json:
        here = {"type": "folder"}
        return {
            path: here if path == LAYER + folder else {"failed": "missing"}
            for path in question.paths
        }

    return Made(
        {
            "api.image": {
                "Id": "sha256:1111",
                "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": LAYER}},
            },
            "file.stats": statuses,
            "file.list": {"entries": [{"name": name, "type": "file"} for name in names]},
            "api.archive": {"type": "file", "hex": RELEASE.hex()},
        }
    )


NAMES = {
    "another version": (
        ("/usr/lib", "libssl.so.3", "libz.so.1"),
        "Debian GNU/Linux 12) has no libssl.so.1.1",
    ),
    "the very one": (
        ("/usr/local/lib", "libssl.so.1.1", "libssl.so.3"),
        "has libssl.so.1.1 in /usr/local/lib, where",
    ),
    "the very one, where the loader looks": (("/usr/lib", "libssl.so.1.1"), ""),
    "nothing like it": (("/usr/lib", "libsslx.so.1", "libz.so.1"), ""),
}


@pytest.mark.parametrize(("names", "says"), NAMES.values(), ids=NAMES)
def test_other_library(names: tuple[str, ...], says: str) -> None:
    container, log_tails = failed_with_log(LINE)
    found = other_libraries(image(*names), of(container), log_tails).of(container)
    assert says in (found.clause if found else "")
    assert (found is None) is (says == "")


def test_an_image_that_is_not_known() -> None:
    container, log_tails = failed_with_log(LINE)
    host = Made({"api.image": Failed("gone", "")})
    assert other_libraries(host, of(container), log_tails).of(container) is None
