import pytest

from diagnose.mappings import first_of, only


def test_the_first_thing_or_the_default():
    assert first_of(["web", "db"]) == "web"
    assert first_of({"web": 80}.items()) == ("web", 80)
    assert first_of([], "") == ""
    assert first_of(iter(()), None) is None
    with pytest.raises(StopIteration):
        first_of(())


def test_the_only_thing():
    assert only({"web"}) == "web"
    assert only(()) is None
    assert only(["web", "db"]) is None
