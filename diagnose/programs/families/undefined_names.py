"""Names that a configuration uses and does not define: a receiver, a parser, a module."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure

_KIND = (
    r"backend|cluster|entry\ ?point|exporter|extension|filter|input|listener|middleware|module|output|parser|pipeline"
    r"|plugin|processor|provider|receiver|resolver|secret|sink|source|template|time\ interval|transform|upstream"
)
"""Parts that one place of a configuration defines and another one names."""
_NAME = r"[\w./@*-]{1,80}"

UNDEFINED_NAMES = (
    Failure(
        name="name-undefined",
        of_running=ABOUT_SETTINGS,
        mark=("not ", "n't ", "undefined ", "unknown "),
        pattern=rf"""(?xi)
            \breferences\ (?P<kind_pipeline>[a-z]{{3,20}})\ "(?P<name_pipeline>{_NAME})"\ which\ is\ not\ configured\b
            | \b(?P<kind_graph>input)\ "(?P<name_graph>{_NAME})"\ for\ (?:sink|transform)\ "{_NAME}"\ doesn't\ match\b
            | \b(?P<kind_not>{_KIND})\ ['"`](?P<name_not>{_NAME})['"`]\ (?:is|was)\ not\ (?:declared|defined|enabled
                |registered)\b
            | \bundefined\ (?P<kind_undefined>{_KIND})\ ['"`](?P<name_undefined>{_NAME})['"`]
            | \b(?P<kind_driver>storage\ ?driver)\ not\ registered:\ (?P<name_driver>{_NAME})
            | \bunknown\ (?P<kind_store>secret\ ?store)\ for\ "@\{{(?P<name_store>[\w-]{{1,60}}):
        """,
        cause="the configuration names the {kind} {name}, and that is not defined there: it is misspelt, or its "
        "own part is missing or not enabled",
        cure="correct {name} where it is used, or define it; a plugin or module of that name has to be in the image",
        source="OpenTelemetry's, Vector's, Fluent Bit's, Telegraf's and Alertmanager's own messages",
    ),
)
"""Before the families of settings, whose words are wider."""
