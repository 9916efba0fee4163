"""Settings that a program asks for, in the words of programs that check themselves."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.families.combinations import KEY

_OF_A_REQUEST = LazyPattern(
    r"\b(?:DELETE|GET|PATCH|POST|PUT) /|\b(?:body|form|payload|request)\b|\bAPI Error\b",
    re.IGNORECASE,
)
"""A complaint about what a caller has sent."""

ASKED_SETTINGS = (
    Failure(
        name="setting-asked",
        of_running=NEVER,
        unlike=_OF_A_REQUEST,
        mark="",
        pattern=rf"""(?xi)
            ['"`]?(?P<key_empty>{KEY})['"`]?\ (?:cannot|can't|must\ not|may\ not)\ be
                \ (?:blank|empty|null|unset)\ (?:if|when)\b
            | \bcould\ not\ find\ key:?\ ['"`](?P<key_unfound>[\w.-]{{2,60}})
            | \byou\ must\ (?:give|pass|provide|set|specify|supply)\ (?:an?\ |the\ )?(?:argument|flag|key|option
                |parameter|setting)\ ['"`]?(?P<key_must>[\w.-]{{2,60}})
            | \b(?:ensure|make\ sure)\ (?:that\ )?(?P<key_either>either\ (?:the\ )?['"`]?[\w.-]{{1,40}}['"`]?\ or
                \ (?:the\ )?['"`]?[\w.-]{{1,40}}['"`]?(?:\ \w{{2,20}})?)\ is\ (?:configured|defined|set)\b
            | \brequires?\ an?\ non-empty\ ['"`]?(?P<key_filled>[\w.-]{{2,60}})
            | \bsection/key\ \[(?P<key_section>[\w./-]{{2,80}})\]\ not\ found\ in\ config\b
            | \bis\ missing\ (?:the\ )?['"`]?(?P<key_part>[\w.-]{{2,40}})['"`]?\ (?:sub)?section\b
            | \bno\ (?P<key_none>[a-z]{{3,20}}(?:\ [a-z]{{3,20}})?)\ (?:are\ |is\ |were\ )?(?:configured|defined|found
                |set|specified)\ in\ (?:the\ |your\ )?config
            | \bno\ (?P<key_nothing>[a-z]{{3,20}})\ found,\ did\ you\ provide\ a\ valid\ config
            | \b(?:config\w*|service)\b[^\n]{{0,80}}\bmust\ have\ (?P<key_least>at\ least\ one\ [a-z]{{3,20}})\b
            | \brequired\ (?:argument\ )?(?P<key_flag>--[a-z][\w-]{{2,60}})\b[^\n]{{0,100}}
                \b(?:is\ (?:empty|missing|not\ set)|to\ be\ set)\b
            | (?:^|:\ |msg=")(?:the\ )?(?P<key_noun>(?!(?:an?|and|for|of|or|this|to|your)\b)
                (?:[a-z][\w-]{{1,20}}\ ){{0,3}}(?:address|bucket|config(?:uration)?|data\ ?dir(?:ectory)?|domain|dsn
                |email|endpoint|host(?:name)?|region|secret|storage|store|token|ur[il]))
                \ is\ (?:missing|required|not\ (?:configured|defined|provided|set|specified))(?=[.,;:!"]|$)
            | \bthe\ (?P<key_kind>[a-z_]{{2,30}}\ (?:block|role|section|tag))\ is\ (?:missing|required)\b
        """,
        cause="the program does not start without {key}, which its configuration lacks",
        cure="add {key} to the configuration, as the documentation of this version names it",
        source="Authelia's, Grafana's, OpenTelemetry's, Vector's and Watchtower's own messages",
    ),
)
"""Before the families of refused values and of exceptions, whose words are wider."""
