"""The numbers of users by name, as the image's own file has them."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.user_numbers import user_numbers
from tests.hosts import Made
from tests.inspected import bind, container, of

PASSWD = "root:x:0:0::/:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("node", "1000:1001"),
        ("node:staff", "1000:staff"),
        ("node:5", "1000:5"),
        ("nobody", "nobody"),
        ("1000", "1000"),
        ("root", "root"),
        ("", ""),
    ],
)
def test_the_number_of_a_name(user: str, expected: str):
    who = container("web", Config={"User": user}, **bind("/srv/data"))
    host = Made({"api.archive": {"type": "file", "hex": PASSWD.encode().hex()}})
    assert user_numbers(host, of(who)).of(who) == expected


def test_nothing_is_asked_where_nothing_is_mounted():
    who = container("web", Config={"User": "node"})
    host = Made({})
    assert user_numbers(host, of(who)).of(who) == "node"
    assert host.asked == []
