"""Values that a program does not accept, where its line has the setting and the value."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure

_NAME = r"(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])"

NAMED_VALUES = (
    Failure(
        name="value-named",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=rf"""(?xi)
            \bparse\ (?P<key_go>{_NAME})\ as\ \w{{1,20}}:[^\n]{{0,60}}?\bparsing\ "(?P<value_go>[^"\n]{{1,60}})"
            | \bassigning\ (?P<key_envconfig>{_NAME})\ to\ [\w.]{{1,60}}:\ converting
                \ '(?P<value_envconfig>[^'\n]{{1,60}})'
            | \binvalid\ value\ '(?P<value_clap>[^'\n]{{1,60}})'\ for\ '(?P<key_clap>--[a-z][\w-]{{1,60}})
            | \binvalid\ '(?P<key_mosquitto>[a-z][\w.]{{1,60}})'\ (?:duration|value)\ (?:in\ configuration\ )?
                \('?(?P<value_mosquitto>[^)'\n]{{1,60}})'?\)
            | \boption\ '(?P<key_choice>[\w.-]{{2,60}})'\ must\ be\ one\ of\ [^\n]{{1,200}}\ configured\ as
                \ '(?P<value_choice>[^'\n]{{1,60}})'
            | \binvalid\ (?:type|value):\ (?:found\ )?\w{{2,20}}\ ["`](?P<value_rust>[^"`\n]{{1,60}})["`],\ expected
                \ [^\n]{{1,60}}?\ for\ key\ "(?P<key_rust>[\w.-]{{1,80}})
            | \binvalid\ (?:bool(?:ean)?|duration|int(?:eger)?|number|url)\ value\ for\ key
                \ (?P<key_kind>{_NAME}|(?-i:[A-Z]{{3,40}})):
                [^\n]{{1,60}}"(?P<value_kind>[^"\n]{{1,60}})"
        """,
        cause='the program does not accept "{value}" as the value of {key}',
        cure="correct {key} where it is set: in the variables, the command or the configuration",
        source="the readers of settings in Go (envconfig) and Rust (clap, config); Authelia's own message",
    ),
)
"""Before the families of values, which do not name the setting."""
