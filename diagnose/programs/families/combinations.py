"""Settings of a program that do not go together: one excludes the other, needs it, or is too large
for it.

Each program checks a few of its own; the words in which they say so are the same.
"""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure

_WORD = r"(?<![\w-])(?:--?)?[A-Za-z][\w.*/-]{1,60}"
_NO_NAME = r"(?!(?:and|as|at|but|if|is|or|than|to|together|when|while|with|without)\b)"
_NAME = rf"{_WORD}(?:\ {_NO_NAME}{_WORD}){{0,3}}?"
"""An option, a key, or up to four words for them."""
KEY = r"(?<![\w.-])(?:--[a-z][\w-]{1,60}|[A-Za-z][A-Za-z0-9]{0,40}(?:[_.-][A-Za-z0-9]{1,40}){1,8})(?![\w-]|\.\w)"
"""A word that can only be the name of a setting."""
_SNAKE = r"[a-z][a-z0-9]{0,40}(?:_[a-z0-9]{1,40}){1,8}"
"""A key of small letters: max_packet_size."""
_VARIABLE = r"(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])"
"""A name of capitals with an underscore, which a variable has."""
_QUOTE = r"['\"`\[<]?"
_UNQUOTE = r"['\"`\]>]?"


def _key(group: str) -> str:
    """The group for a word that can only be the name of a setting, whatever quotes it has."""
    return rf"{_QUOTE}(?P<{group}>{KEY}){_UNQUOTE}"


def _word(group: str) -> str:
    """The group for a single word, whatever quotes it has."""
    return rf"{_QUOTE}(?P<{group}>{_WORD}){_UNQUOTE}"


def _name(group: str) -> str:
    """The group for an option, a key, or a few words, whatever quotes they have."""
    return rf"{_QUOTE}(?P<{group}>{_NAME}){_UNQUOTE}"


_USED = r"(?:combined|configured|defined|enabled|given|set|specified|supplied|used)"
_OF_A_REQUEST = LazyPattern(
    r"\b(?:DELETE|GET|PATCH|POST|PUT) /|\b(?:api|order|request|row|user)(?: \d{1,12})?: ",
    re.IGNORECASE,
)
"""A complaint about what a caller has sent, which is not a setting."""

COMBINATIONS = (
    Failure(
        name="settings-exclude",
        of_running=NEVER,
        unlike=_OF_A_REQUEST,
        mark="",
        pattern=rf"""(?xi)
            \b(?:choose|configure|give|provide|set|specify|use)\ (?:only\ )?either\ {_name("first_either")}\ or
                \ {_name("second_either")},?\ (?:but\ )?not\ both\b
            | {_key("first_mutual")}\ and\ {_key("second_mutual")}[\w\ ]{{0,30}}?\ (?:are|is)\ mutually\ exclusive\b
            | {_word("first_both")}\ and\ {_word("second_both")}\ (?:configuration\ |options\ |settings\ )?(?:are
                \ mutually\ exclusive\b|(?:cannot|can't|can\ not|must\ not|may\ not)\ be\ {_USED}
                \ (?:at\ the\ same\ time|simultaneously|together)\b)
            | \b(?:cannot|can't|can\ not|must\ not|may\ not)\ (?:allow|combine|enable|have|set|specify|use)\ (?:both\ )?
                (?:the\ )?{_name("first_verb")}\ (?:and|together\ with|when|while|with)\ (?:the\ |using\ |another\ )?
                {_name("second_verb")}(?=[\s.,;:!]|$)
            | {_key("first_passive")}\ (?:options?\ )?(?:cannot|can't|can\ not|must\ not|may\ not)\ be\ {_USED}
                \ (?:at\ the\ same\ time\ as|if|simultaneously\ with|together\ with|when|while|with)
                \ (?:the\ |using\ )?{_key("second_passive")}
            | {_key("first_allowed")}\ (?:is\ not|isn't)\ (?:allowed|permitted|supported)
                \ (?:if|in\ combination\ with|together\ with|when|while|with)\ (?:the\ |using\ )?
                {_key("second_allowed")}
            | \bonly\ (?:one\ of\ )?(?:the\ )?{_word("first_only")}\ or\ {_word("second_only")}
                \ (?:\w{{2,20}}\ )?(?:can\ be|may\ be|is|are)\ {_USED}\b
            | ['"`](?P<first_pair>[\w.-]{{2,60}})['"`]\ and\ ['"`][\w.-]{{2,60}}['"`]\ (?:cannot|can't|must\ not)\ be
                \ {_USED}\ at\ the\ same\ time\ as\ ['"`](?P<second_pair>[\w.-]{{2,60}})
            | (?P<first_mode>(?-i:[A-Z][a-z]{{2,20}})(?:\ [a-z-]{{2,20}}){{0,3}}?)\ (?:is|are)\ not\ compatible
                \ with\ (?:the\ )?(?P<second_mode>[a-z][\w-]{{1,20}}(?:\ [\w-]{{2,20}}){{0,3}}?
                \ (?:flag|mode|option|setting))\b
            | {_key("first_fit")}\ (?:conflicts|is\ (?:incompatible|not\ compatible))\ with\ (?:the
                \ )?{_key("second_fit")}
        """,
        cause="two settings of the program exclude each other: {first} and {second}",
        cure="keep one of the two, and take the other one out where it is set",
        source="MariaDB's, memcached's, Mosquitto's, PostgreSQL's and Elasticsearch's own messages",
    ),
    Failure(
        name="settings-belong",
        of_running=NEVER,
        unlike=_OF_A_REQUEST,
        mark="",
        pattern=rf"""(?xi)
            {_key("first_without")}\ (?:option\ )?(?:exists|is\ (?:set|used)|was
                \ given)[^\n.;]{{0,40}}?\ without\ (?:an?\ |the\ )?
                {_key("second_without")}
            | (?P<first_argument>--?\w[\w-]{{0,40}})\ (?:argument|option)\ given,\ but\ no\ {_name("second_argument")}
                \ (?:given|specified)
            | {_word("second_use")}\ must\ be\ {_USED}\ (?:for\ use\ with|to\ use)\ {_word("first_use")}
            | {_name("second_when")}\ must\ be\ {_USED}\ when\ (?:using\ )?{_name("first_when")}(?=[\s.,;:!]|$)
            | \bmethod\ "(?P<first_method>[\w-]{{1,40}})"\ requires\ argument\ "
                (?P<second_method>[^"\n]{{2,60}})"[^\n]{{0,80}}\ to\ be\ set\b
            | {_QUOTE}(?P<first_valid>{KEY}|(?<=')\w{{2,30}}(?=')){_UNQUOTE}\ (?:option\ )?is\ (?:only
                \ valid|valid\ only)\ (?:if|when)
                \ {_name("second_valid")}\ is\b
            | ['"`](?P<first_quoted>[a-z][^'"`\n]{{1,60}})['"`]\ requires
                \ ['"`](?P<second_quoted>[a-z][^'"`\n]{{1,60}})['"`]
            | (?P<first_flag>--[a-z][\w-]{{1,60}})\ requires\ (?P<second_flag>--[a-z][\w-]{{1,60}})
            | (?P<first_feature>[a-z]\w{{1,30}}(?:\ \w{{2,30}}){{0,2}})\ requires
                \ ['"`](?P<second_feature>[\w.-]{{2,60}})['"`]
                \ to\ be\ {_USED}\b
            | \bcannot\ (?:enable|require|use)\ (?P<first_alone>\w[\w-]{{1,30}}(?:\ [\w-]{{2,30}}){{0,3}}?)
                \ without\ (?:an?\ |the\ )?(?P<second_alone>\w[\w-]{{1,30}}(?:\ [\w-]{{2,30}}){{0,3}})$
            | {_key("first_needs")}\ (?:needs|requires)\ {_key("second_needs")}\ to\ be\ (?:enabled|on|set)\b
            | \bif\ {_key("first_if")}\ is\ (?:enabled|set),\ (?:both\ )?{_key("second_if")}\b[^\n]{{0,80}}
                \ (?:must|should)\ (?:also\ )?be\ set\b
            | {_key("second_required")}\ (?:is|are)\ required\ (?:if|when)\ {_key("first_required")}\ is
                \ (?:enabled|set|true)\b
            | \byou\ must\ (?:configure|provide|set|specify)
                \ an?\ (?P<second_must>[\w.-]{{2,40}}(?:\ [\w.-]{{2,40}}){{0,3}}?)
                \ to\ use\ (?P<first_must>[\w.-]{{2,40}})
            | {_key("first_chosen")}\ is\ set\ to\ \S{{1,40}}
                \ but\ (?P<second_chosen>[\w.-]{{2,60}})\ is\ not\ enabled\b
            | {_key("first_enabled")}\ is\ (?:enabled|set|specified),?\ but\ (?:no\ )?{_key("second_enabled")}
                \ (?:is|was)\ (?:(?:not\ )?{_USED}|empty)\b
        """,
        cause="the setting {first} needs a second one, which is not set: {second}",
        cure="set {second} too, or take {first} out",
        source="Mosquitto's, memcached's, PHP-FPM's, PostgreSQL's and Vault's own messages",
    ),
    Failure(
        name="values-unfit",
        of_running=NEVER,
        unlike=_OF_A_REQUEST,
        mark="",
        pattern=rf"""(?xi)
            {_key("first")}(?:\ ?\([^()\n]{{1,60}}\))?\ (?:cannot|can't|must\ not|must|should\ not|should)\ be
                \ (?:bigger|equal\ to\ or\ (?:greater|less)|greater|higher|larger|less|lower|more|smaller)\ than
                (?:\ or\ equal\ to)?\ (?:the\ (?:maximum|size|value)\ of\ )?(?:all\ |the\ )?{_QUOTE}(?P<second>
                    {KEY}|-[A-Za-z]\b){_UNQUOTE}
            | {_key("first_divided")}\ (?:\([^()\n]{{1,60}}\)\ )?must\ (?:be\ evenly\ divisible\ by|divide
                \ evenly\ into)
                \ (?P<second_divided>[\w.-]{{1,60}})
            | {_key("first_sized")}=\S{{1,40}}\ requires\ {_key("second_sized")}\ [<>=]
            | \b(?P<first_scrape>\w{{3,20}}\ timeout)\ greater\ than\ (?P<second_scrape>\w{{3,20}}\ interval)\b
        """,
        cause="the values of two settings do not fit together: {first} and {second}",
        cure="change one of the two as the line says",
        source="nginx', memcached's, MariaDB's, Celery's and Prometheus' own messages",
    ),
    Failure(
        name="value-of-setting",
        of_running=ABOUT_SETTINGS,
        unlike=_OF_A_REQUEST,
        mark="",
        pattern=rf"""(?xi)
            \binvalid\ value\ (?:for|of)\ (?:the\ )?(?:option|parameter|property|setting)\ {_QUOTE}(?P<key_for>
                {KEY}|(?<=['"])\w{{2,60}}(?=['"]))
            | \binvalid\ list\ syntax\ in\ parameter\ "(?P<key_list>[\w.]{{2,60}})"
            | \bparameter\ "(?P<key_kind>[\w.]{{2,60}})"\ requires\ an?\ (?:boolean|integer|numeric)\ value\b
            | \boutside\ the\ valid\ range\ for\ parameter\ "(?P<key_range>[\w.]{{2,60}})"
            | \b(?:invalid|unparsable)\ (?P<key_word>{_SNAKE})\ (?:duration|value)\b
            | \bunable\ to\ parse\ (?:the\ )?(?P<key_parse>{_SNAKE})(?:=|\ value\b|$)
            | \b(?:could\ not|cannot|failed\ to)\ parse\ (?:the\ )?argument\ (?:of|to)\ (?P<key_argument>[\w-]{{2,60}})
            | \bsyntax\ error\ in\ (?P<key_innodb>innodb_\w{{2,60}})
            | \bdue\ to\ an\ invalid\ value\ of\ '(?P<key_rabbit>[\w.]{{2,80}})'
            | ^\W{{0,3}}(?:\d{{10}}:\ )?(?:error:\ |[A-Z]\w{{2,40}}(?:Error|Exception):\ )?{_key("key_must")}
                \ (?:length\ )?must\ be
                \ (?:[<>]|a\ positive
                |between|in\ the\ range|(?:greater|higher|less|lower)\ than\ \d|one\ of|set\ to|\d+\ or\ \d)
            | (?:^|:\ ){_key("key_sign")}\ (?:cannot\ be\ negative|must\ not\ be\ negative
                |must\ not\ end\ with\ a\ slash|must\ start\ with\ ['"`]?https?://)
            | ['"`](?P<key_mail>{_VARIABLE})['"`]\ contains\ invalid\ email\ addresses\b
            | \binvalid\ (?P<key_entry>{_VARIABLE})\ entry\ ['"`]
            | \brequirement\ failed:\ (?P<key_kafka>[a-z]\w{{1,30}}(?:\.\w{{1,30}}){{1,6}})
                \ (?:cannot|must)\b(?!\ be\ set\b)
            | (?:^|\bconfig\w{{0,12}}\b[^\n]{{0,40}}?:\ |\bERR(?:OR)?:?\ )
                ['"`](?P<key_quoted>[A-Za-z][\w.-]{{1,60}})['"`]
                \ must\ be\ (?:an?|at\ (?:least|most)|between|either|greater|in|less|longer|one\ of|shorter)\b
            | \[config\ validation\ of\ (?P<key_kibana>\[[\w.-]{{1,80}}\]\.[\w.-]{{1,80}})\]
            | (?<![\w./-])(?P<key_variable>{_VARIABLE})\ (?:must\ be\ (?:longer|shorter)\ than
                |scheme\ must\ be|has\ an\ invalid\ value)\b
            | ^\W{{0,4}}(?P<key_listed>(?-i:[A-Z][A-Z0-9_]{{1,40}}))\ must\ be\ (?:an?|longer|one|shorter)\b
            | (?:^|\s)(?P<key_flag>--?[A-Za-z][\w.-]{{2,60}})\ cannot\ be
                \ (?:greater|higher|larger|less|lower|smaller)\ than\b
            | \binvalid\ value\ for\ (?:option\ )?['"`]?
                (?P<key_invalid>{_VARIABLE}|--[a-z][\w-]{{1,60}})\b
            | \b(?P<key_size>[a-z]{{3,20}}[ _-](?:key|secret)):?\ (?:key\ size\ )?must\ be
                \ \d{{1,4}}(?:,\ \d{{1,4}}){{0,4}},?
                \ or\ \d{{1,4}}\ (?:bits|bytes|characters)\b
            | \b(?P<key_spaces>[a-z]{{2,20}}[ _-]name)\ (?:cannot|can't|must\ not)\ contain
                \ (?:slashes|spaces|whitespace)\b
            | \bempty\ (?P<key_empty>{_SNAKE})\ value\ in\ configuration\b
        """,
        cause="the program does not accept the value of its setting {key}",
        cure="correct {key} where it is set: in the file, the variables or the command",
        source="PostgreSQL's, Mosquitto's, memcached's, Kafka's and RabbitMQ's own messages",
    ),
)
"""Before the families of single settings, whose words are wider."""
