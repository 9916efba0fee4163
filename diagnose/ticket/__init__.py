"""The bundle for a ticket: sealed, proven clean, delivered, and read back without trust.

- `create`   the run that a bundle is made from; `further_questions` is what it asks beyond it.
- `bundle`   what goes in, and what is shed to keep the size.
- `readable` what is left out so that a reader does not refuse it.
- `texts`    the texts that people ask for, made from the recording.
- `anonymize`  the finished recording with other names: `identities` finds what is named,
               `addresses` keeps prefixes, `vocabulary` knows which words tell nothing.
- `proof`    the second pass over the finished bytes: it knows no patterns, only the values that
             were redacted.
- `seal`     encrypts a bundle for its reader, and signs it.
- `write`    to stdout, or to a file that is whole or not there.

`recording.archive` reads what somebody sent.
"""
