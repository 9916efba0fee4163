"""An answer without its secrets.

A secret becomes `<redacted:KIND:FINGERPRINT>`: the fingerprint is keyed with 32 random bytes of
this run, so that equal secrets stay recognisable as equal within one run, and nobody can try
passwords against a bundle. Names stay, values go.

`redactor` is the door: it takes an answer, and remembers the secrets of the run. What happens to an
answer, in this order:

1. `own`  the rules of the user's configuration; `bounded` refuses patterns of it that may be slow.
2. `fields`  a walk through the fields of the answer, whose shape is known. `plan` says by its key
   whether a value is kept, read as a command line, or replaced.
3. `scanner`  what is free text: the rules in the table of `rules`, in their order.
4. `redactor`  secrets that the run has met elsewhere, wherever they stand; `json_texts` keeps the
   lines of a file as they were.

The rules of the table, by where a secret stands:

- `tokens`  shows by its own shape; `vendors` the shapes of products, `keys` those of several lines
- `encoded`  in the base64 of a text, or in UTF-16
- `commands`  under an option of a tool; `shell` piped, redirected, or at a place of its own
- `urls`, `headers`  in an address, in what a protocol sends
- `prose`, `notations`  in what a program says, in one notation such as XML
- `assigned`  under a name in any notation; `assigned_values`, `unquoted` where its value ends

What the rules share: `names` what a name says about its value, `looks` what a value says about
itself, `values` how it is replaced, `spans` where it stands, `lines` and `patterns` how a rule is
run.
"""

import re

from diagnose.redact.looks import is_token
from diagnose.redact.patterns import TOKEN
from diagnose.redact.redactor import Redactor

__all__ = ["TOKEN", "Redactor", "holds_token", "is_token"]

_TOKENS = re.compile(TOKEN)


def holds_token(text: str) -> bool:
    """Whether a token is in a text in the place of a secret."""
    return _TOKENS.search(text) is not None
