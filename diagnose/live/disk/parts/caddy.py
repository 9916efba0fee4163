"""The parts of a Caddyfile that pass requests on: the rest is not recorded. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.caddy_text import read
from diagnose.nginx_text import Directive, text_of

_PASSING = frozenset(
    {"handle", "handle_path", "import", "path", "reverse_proxy", "rewrite", "route", "to", "uri"}
)
"""The directives that say to whom a request goes, and by which path."""
_MATCHER = "@"
_IMPORT = "import"


def sites(text: str) -> Iterator[str]:
    """Each site as a block of its addresses, in the form of nginx's files."""
    directives = read(text)
    imports = [
        directive
        for directive in directives
        if directive.name == _IMPORT and not directive.is_block
    ]
    blocks = [directive for directive in directives if directive.is_block and directive.name]
    if len(directives) == len(imports) + sum(1 for directive in directives if directive.is_block):
        yield from text_of([*(_site(block) for block in blocks), *imports])
    elif directives:
        # a file with one site may leave its braces out
        first, *rest = directives
        yield from text_of([_site(Directive(first.words, tuple(rest), is_block=True))])


def _site(block: Directive) -> Directive:
    return msgspec.structs.replace(block, inner=tuple(_kept_directives(block.inner)))


def _kept_directives(directives: Sequence[Directive]) -> Iterator[Directive]:
    for directive in directives:
        if directive.name in _PASSING or directive.name.startswith(_MATCHER):
            yield _site(directive)
