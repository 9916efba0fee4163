"""nginx's configuration as a tree, in diagnose/nginx_text.py."""

from __future__ import annotations

import time

import pytest

from diagnose.nginx_text import Directive, kept, read, text_of

TEXTS: dict[str, tuple[str, list[str]]] = {
    "a comment with a brace": ("user www; # not { this\npid x;", ["user www;", "pid x;"]),
    "quotes": ("set $a \"b; c\"; return 200 'it\\'s';", ['set $a "b; c";', "return 200 \"it\\'s\";"]),
    "an empty word": ("map $u $c { default upgrade; '' close; }", ["map $u $c {", "default upgrade;", '"" close;', "}"]),
    "a variable in braces": ("proxy_pass http://${up}:80/;", ['proxy_pass "http://${up}:80/";']),
    "without spaces": ("server{listen 80;}", ["server {", "listen 80;", "}"]),
    "not finished": ("server { listen 80; proxy_pass http://a", ["server {", "listen 80;", "}"]),
    "a brace too many": ("} pid x;", []),
    "nothing": ("", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "lines"), TEXTS.values(), ids=TEXTS)
def test_texts(text: str, lines: list[str]) -> None:
    tree = read(text)
    assert list(text_of(tree)) == lines
    assert read("\n".join(lines)) == tree


def test_deep_blocks_do_not_end_the_run() -> None:
    read("a {" * 5000)


def test_many_braces_of_variables_that_are_not_closed_take_no_time() -> None:
    """Each was searched to the end of the text: 2.3 s for 64 KiB."""
    text = "${A:-" * 13_000
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 1.0


def test_directives_that_are_wanted() -> None:
    tree = read("http { gzip on; server { listen 80; location / { gzip off; root /x; } } }")
    assert list(kept(tree, {"http", "server", "listen"})) == [
        Directive(("http",), (Directive(("server",), (Directive(("listen", "80")),), True),), True)
    ]
