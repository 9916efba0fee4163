"""Words as somebody types them in a hurry, and questions that are about no page."""

from __future__ import annotations

import pytest

from diagnose.symptoms import search
from diagnose.symptoms.page_words import read
from diagnose.symptoms.spelling import is_one_slip

READ_AS = {
    "conatiner keeps restaring": ["container", "keeps", "restarting"],
    "hotreload is broken": ["hot", "reload", "is", "broken"],
    "health-check": ["health", "check"],
    "I cannot log in": ["i", "cannot", "login"],
    "cant write to /var/lib/grafana": ["cant", "write", "to", "/var/lib/grafana"],
    "Umgebungsvariable wird nicht gesetzt": ["umgebungsvariable", "wird", "nicht", "gesetzt"],
}


@pytest.mark.parametrize("text", READ_AS)
def test_words_are_read_as_the_pages_write_them(text: str) -> None:
    assert read(text) == READ_AS[text]


@pytest.mark.parametrize("other", ["contaner", "conntainer", "cintainer", "conatiner", "container"])
def test_one_slip(other: str) -> None:
    assert is_one_slip("container", other)


@pytest.mark.parametrize("other", ["contanier2", "cotnaienr", "contains", "contain"])
def test_more_than_one_slip(other: str) -> None:
    assert not is_one_slip("container", other)


@pytest.mark.parametrize(
    "question",
    [
        "Die Festplatte ist voll",
        "le conteneur redémarre en boucle",
        "el certificado ha caducado",
        "gitlab pipeline is red",
        "immich does not import photos from the phone",
    ],
)
def test_a_question_of_other_words_names_no_page_rather_than_a_wrong_one(question: str) -> None:
    assert search.matching(question) == ()
