"""The value that a program would take, by what its line says of the one that it has."""

import pytest

from diagnose.first_steps.value_corrections import corrected_value, corrected_word
from tests.inspected import container


def corrected(variable: str, value: str, line: str) -> str:
    one = container("web", Config={"Env": [f"{variable}={value}"]})
    return corrected_value(one, variable, line).get("assignment", "").partition("=")[2]


@pytest.mark.parametrize(
    ("variable", "value", "line", "wanted"),
    [
        ("FORCE_HTTPS", "yes", "FORCE_HTTPS must be a boolean value", "true"),
        ("DEBUG", "0", "DEBUG: expected true or false", "false"),
        ("DEBUG", "True", "strconv.ParseBool: DEBUG must be a bool", "true"),
        ("URL", "wiki.example.com", "URL must be an URL address", "https://wiki.example.com"),
        ("URL", "192.0.2.7", "URL is not a valid URL", "http://192.0.2.7"),
        ("APP_URL", "shop:8080/x", "invalid url: missing scheme", "http://shop:8080/x"),
        (
            "MM_SERVICESETTINGS_SITEURL",
            "chat.example.com",
            "Config.IsValid: model.config.is_valid.site_url.app_error,",
            "https://chat.example.com",
        ),
        (
            "NTFY_BASE_URL",
            "https://ntfy.example.com/",
            "FATAL if set, base-url must not end with a slash (/)",
            "https://ntfy.example.com",
        ),
        (
            "BASE_URL",
            "https://ntfy.example.com",
            "BASE_URL must end with a slash",
            "https://ntfy.example.com/",
        ),
        (
            "DB",
            "postgresql",
            (
                "Unsupported driver specified: 'DB=postgresql'. Valid drivers are: mysql8, postgres12,"
                " cassandra."
            ),
            "postgres12",
        ),
        ("LOG_LEVEL", "INFO", 'LOG_LEVEL must be one of "debug", "info", "warn"', "info"),
        ("LEVEL", "warning", "invalid level, expected one of: debug|info|warn|error", "warn"),
        ("PORT", '"8080"', 'PORT: invalid syntax "8080"', "8080"),
    ],
)
def test_a_value_is_corrected_as_the_line_asks(
    variable: str, value: str, line: str, wanted: str
) -> None:
    assert corrected(variable, value, line) == wanted


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("FORCE_HTTPS", "maybe", "FORCE_HTTPS must be a boolean value"),
        ("PORT", "1", "DEBUG must be a boolean value"),
        ("DATABASE_URL", "db:5432", "invalid url: missing scheme"),
        ("URL", "https://a.example.com", "URL must be an URL address"),
        ("NAME", "shop", "invalid url"),
        ("MODE", "xyz", "expected one of: debug|info|warn"),
        ("MODE", "info", "expected one of: debug|info|warn"),
        ("TIMEOUT", "30", "TIMEOUT must be greater than 60"),
        ("EMPTY", "", "EMPTY must be a boolean value"),
    ],
)
def test_what_a_person_has_to_choose_is_left_to_them(variable: str, value: str, line: str) -> None:
    assert corrected(variable, value, line) == ""


WORDS = {
    "a key of Go's reader, one slip from the known one": (
        (
            'line 21: field lables not found in type struct { Targets []string "yaml:\\"targets\\""; '
            'Labels model.LabelSet "yaml:\\"labels\\"" }'
        ),
        ("lables", "labels"),
    ),
    "a key of Go's reader that is like no known one": (
        'field job not found in type struct { Targets []string "yaml:\\"targets\\"" }',
        None,
    ),
    "one of a list": (
        "unknown variant `elastic`, expected one of `amqp`, `console`, `elasticsearch`, `loki` in `sinks.out`",
        ("elastic", "elasticsearch"),
    ),
    "a suggestion": (
        "unknown field 'jet_stream', did you mean 'jetstream'?",
        ("jet_stream", "jetstream"),
    ),
    "several that are near": (
        "unknown option 'port', expected one of 'ports', 'sport', 'host'",
        None,
    ),
    "none that is near": ("unknown variant `foo`, expected one of `amqp`, `console`", None),
    "no list": ("unknown directive 'foo'", None),
}


@pytest.mark.parametrize(("line", "expected"), WORDS.values(), ids=WORDS)
def test_a_word_of_a_file(line: str, expected: tuple[str, str] | None) -> None:
    assert corrected_word(line) == expected
