"""Complaints by the last lines of a program, where none of them explains its end."""

from diagnose.programs.failures.recognition import Failure

LAST_RESORTS: tuple[Failure, ...] = (
    Failure(
        name="logs-elsewhere",
        mark="logging ",
        pattern=r"\blogging (?:\w+ ){0,4}(?:to|in)(?: file)? ['\"]?(?P<log>/[\w./-]+\.(?:err|log))\b",
        cause="the program writes what goes wrong into its own file {log}, and not into the log of its container",
        cure="read the end of {log}",
        source="ClickHouse/ClickHouse#10046",
    ),
    Failure(
        name="usage-printed",
        mark=("usage", "  -"),
        pattern=r"^\s*usage:?\s*$|^\s*usage: (?!.*\d ?(?:%|[kmgt]i?b\b))\S"
        r"|^ {2}-[a-z][\w.-]{1,60}(?: (?:duration|float|int|string|uint|value))?$",
        cause="the program printed how it is used, and ended: it was given no command, "
        "not the one that starts it, or an option that it does not know",
        cure="compare the words behind the image's name (command in compose) with the printed ones: the line "
        "above the list names an unknown option, and docker logs shows it",
        source="keycloak/keycloak#24411",
    ),
)
"""In the order in which they are looked for."""
