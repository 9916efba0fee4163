"""Variables that a program says it lacks, whatever program it is."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import TypedLike
from diagnose.programs.failures.settings.setting_phrases import GIVEN, KIND, LACKING, OF_DATA

_VARIABLE = "container.variable-missing"

_NAME = r"(?-i:[A-Z][A-Z0-9_]+)\b"
"""The name of a variable behind the word "variable"."""
_NAME_OF_PARTS = r"(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])\b"
"""The name of a variable that nothing announces: with an underscore no other word looks like it."""
_QUOTE = r"[`'\"$({\[]{0,3}[`'\")}\]]{0,3}"
_ABSENT = r"""
    (?:(?:is|are|was|has|have|to|be|been|must|should|cannot|can't|env|environment|variable|value
        |which|that|because|it)\ )*
    (?:(?:not\ |can't\ )be\ (?:empty|blank|null|unset) | required | needed | mandatory
        | not\ (?:\w+\ )?(?:set|defined|provided|found|specified|configured|given|present)
        | un(?:set|defined) | missing | empty | blank
        | (?<=must\ be\ )(?:configured|defined|present|provided|set|specified|supplied))\b
"""
"""Words of programs about a variable that is not there."""
_LACKING = rf"(?:mandatory|missing|required|not\ {GIVEN})"

_HAS_ANOTHER = r"""
    ^(?!.*\b(?:generat(?:ed|ing)\ (?:a\ |an\ )?(?:new|random)|using\ (?:a\ |an\ |the\ )?(?:random|default)
        |falling\ back|default(?:s|ing)\ to|specified,\ leaving|if\ you\ (?:like|need|prefer|want|wish)|to\ (?:enable|turn\ on)\ verbose|in-cluster)\b)
"""
"""Words that exclude a line: another value takes the place, or a cluster gives the missing one."""

_IS_SET = LazyPattern(
    r"(?:^|[.!:>] {1,4})You (?:have )?(?:already )?set\b|\byou've (?:already )?set\b"
)
"""A line about a variable that is set already: Bitnami's "You set the environment variable X"."""

VARIABLES = (
    Failure(
        name="key-not-given",
        mark="generate",
        pattern=rf"(?:refus\w+|cannot|can't|will not|unable) (?:to )?(?:auto-?)?generate (?:an? |the |new )*"
        rf"{_QUOTE}(?P<variable>{_NAME_OF_PARTS})",
        cause="the data is encrypted with the key {variable}, "
        "and the container is started without that variable",
        cure="set {variable} to the key of the container that wrote the data; "
        "a new key cannot read it",
        source="diegosouzapw/OmniRoute#892",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="bitnami-empty",
        mark="environment variable is empty or not set",
        pattern=r"The (?P<variable>[A-Z][A-Z0-9_]+) environment variable is empty or not set",
        cause="the variable {variable} is not set",
        cure="set {variable}",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="supervisor-variable",
        mark="cannot be expanded",
        pattern=r"contains names \('ENV_(?P<variable>[A-Za-z_]\w*)'.{0,400}which cannot be expanded",
        cause="the configuration of supervisord takes the variable {variable}, which is not set",
        cure="set {variable}",
        source="supervisord documentation, environment",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="shell-unbound",
        mark="unbound variable",
        pattern=r"(?P<variable>[A-Za-z_][A-Za-z0-9_]*): unbound variable",
        cause="the start script needs the variable {variable}, which is not set",
        cure="set {variable}",
        source="bash manual, set -u",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="shell-parameter",
        mark=": parameter",
        pattern=r"(?P<variable>[A-Za-z_][A-Za-z0-9_]*): parameter (?:null or )?not set",
        cause="the start script needs the variable {variable}, which is not set",
        cure="set {variable}",
        source="POSIX, parameter expansion",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="python-keyerror",
        mark="keyerror",
        pattern=r"^KeyError: '(?P<variable>(?-i:[A-Z][A-Z0-9_]{2,}))'",
        cause="the program reads the variable {variable}, which is not set",
        cure="set {variable}",
        source="Python documentation, os.environ",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="ruby-keyerror",
        mark="key not found",
        pattern=rf"key not found: \"(?P<variable>{_NAME})\"",
        cause="the program reads the variable {variable}, which is not set",
        cure="set {variable}",
        source="Ruby documentation, ENV.fetch",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="spring-placeholder",
        mark="could not resolve placeholder",
        pattern=r"Could not resolve placeholder '(?P<setting>[\w.-]+)'",
        cause="the program reads the setting {setting}, which no variable and no file gives",
        cure="set the variable of that name, in capitals and with _ for . and -",
        source="Spring Boot documentation, externalized configuration",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="rust-variable",
        mark="notpresent",
        pattern=r"on an `Err` value: NotPresent\b",
        cause="the program reads a variable that is not set, and does not say which",
        cure="compare the container's variables with those that the program's documentation asks for",
        source="Rust documentation, std::env::VarError",
    ),
    Failure(
        name="pydantic-settings",
        mark="validation error",
        pattern=r"validation errors? for (?P<class>\w*(?:Settings|Config|Env)\w*); (?P<setting>[a-z_]\w*); Field required",
        cause="the program's settings ({class}) need {setting}, which is given as a variable and is not set",
        cure="set the variable of that name in capitals, behind the prefix of that class if it has one",
        source="Pydantic documentation, settings",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="secret-made-up",
        mark=("generat", "random"),
        pattern=rf"""(?xm)
            (?<![\w./-])(?P<variable>{_NAME_OF_PARTS}){_QUOTE}\ (?:environment\ variable\ )?
                (?:is|was)\ (?:empty|missing|not\ (?:defined|given|provided|set)|unset)\b
                [^\n]{{0,60}}\b(?:generat(?:ed|ing)|random)\b[^\n]{{0,60}}
                \b(?:(?:at|for)\ (?:each|every|this)\ (?:boot|restart|run|session|start)|invalidated|log(?:ged)?\ out)
        """,
        cause="{variable} is not set, and the program makes a new secret at each start: every restart logs all its "
        "users out, and what the old one signed is refused",
        cure="set {variable} to one random value that stays",
        source="pglombardo/PasswordPusher's own message",
    ),
    Failure(
        name="variable-to-accept",
        mark=("accept", "agree", "true", "yes"),
        pattern=rf"""(?xm)
            (?<![\w./-])(?P<variable>{_NAME_OF_PARTS}){_QUOTE}\ (?:must|has\ to|have\ to|needs?\ to|should)
                \ be\ (?:set\ )?(?:equal\ )?(?:as|to)\ ['"`]?(?P<value>accept(?:ed)?|agreed?|true|yes)\b
        """,
        cause="the program starts only with {variable}={value}",
        cure="set {variable}={value}",
        source="TeamSpeak's own message",
        confirmed_by=_VARIABLE,
        explains_only=True,
    ),
    Failure(
        name="variable-required",
        mark=("variable", "in the server environment"),
        pattern=rf"""(?xm)
            {_HAS_ANOTHER}.*?(?:
            # environment variable X is not set
            variables?\ {_QUOTE}(?P<variable>{_NAME}){_QUOTE}[,:]?\ {_ABSENT}
            # please set the environment variable X
            | \b(?:missing|required|undefined|unset|define|set|provide|specify|configure|export|via
                |needs?|through)\b[^.]{{0,60}}?\bvariables?:?;?\ {_QUOTE}(?P<variable_verb>{_NAME})
            # environment variable not found: X
            | \bvariables?\ (?:is\ |are\ |was\ )?(?:not\ found|not\ set|not\ defined|missing|required
                |undefined|unset)(?:[:,]?\ |\ ?:\ ,\ ){_QUOTE}(?P<variable_behind>{_NAME})
            # the X environment variable is required
            | (?<![\w./-])(?P<variable_subject>{_NAME}){_QUOTE}\ (?:environment|env)\ variable\ {_ABSENT}
            # X is a required environment variable
            | (?<![\w./-])(?P<variable_is>{_NAME}){_QUOTE}\ is\ an?\ (?:required|mandatory)\ (?:environment\ )?variable\b
            # the following environment variables are required; X ...
            | \bvariables?\ are\ (?:required|missing|not\ set|set)\b[^;]{{0,80}};.{{0,60}}?(?P<variable_listed>{_NAME_OF_PARTS})
            # define the X and Y environment variables
            | \b(?:set|define|provide|specify|export|configure)\ (?:the\ |an?\ |your\ )?
                {_QUOTE}(?P<variable_asked>{_NAME}){_QUOTE}
                (?:\ (?:and|or)\ {_QUOTE}(?P<second>{_NAME}){_QUOTE}){{0,3}},?\ (?:environment|env)\ variables?\b
            # X, Y and Z environment variables must be set
            | (?<![\w./-])(?P<variable_pair>{_NAME_OF_PARTS}){_QUOTE}(?:,\ {_QUOTE}{_NAME}{_QUOTE}){{0,6}},?
                \ (?:and|&)\ {_QUOTE}(?P<second_pair>{_NAME}){_QUOTE}\ (?:environment|env)\ variables\ {_ABSENT}
            # please re-run this container with an environment variable $X
            | \bre-?run\b[^.]{{0,60}}\bwith\ (?:an?|the)\ (?:environment|env)\ variable\ \$?
                {_QUOTE}(?P<variable_rerun>{_NAME})
            # it can be specified via the X environment variable
            | \b(?:must|need\ to)\ (?:provide|set|specify)\b.{{0,120}}\bvia\ the\ (?P<variable_via>{_NAME_OF_PARTS})\ (?:environment|env)\ variable\b
            # NATS: variable reference for 'X' on line 6 can not be found; Vector: in config. name = "X"
            | \bvariable\ reference\ for\ '(?P<variable_reference>{_NAME})'
            | \bmissing\ environment\ variable\ in\ config\W{{1,4}}name\ =\ "(?P<variable_config>{_NAME})"
            # set X in the server environment
            | \bset\ (?P<variable_server>{_NAME_OF_PARTS})\ in\ the\ (?:server\ )?environment\b
            # InfluxDB: missing required environment variable {{"variable": "X"}}
            | missing\ required\ environment\ variable\b.{{0,60}}
                \"variable\":\ ?\"(?P<variable_field>{_NAME})\"
            )
        """,
        cause="the program needs a variable that is not set",
        cure="set the variable",
        source="many programs",
        unlike=_IS_SET,
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="setting-required",
        mark="_",
        pattern=rf"""(?xm)
            {_HAS_ANOTHER}.*?(?:
            # X is required; not: if X is not set, nor a number of an error
            (?<![\w./-])(?!CAP_|EAI_|ERR_)(?<!\bif\ )(?<!\bwhen\ )(?<!\bunless\ ){_QUOTE}(?P<variable>{_NAME_OF_PARTS}){_QUOTE}\ {_ABSENT}
            # missing X; missing X or Y
            | \b(?:missing|required|undefined|unset|(?:must|please)\ (?:define|set|provide|specify))
                (?:\ (?:a|value|values|setting|config|configuration|key|env|for|the|var))*:?\ {_QUOTE}
                (?P<variable_verb>{_NAME_OF_PARTS})(?![\w./-])(?![^.;\n]{{0,60}}\b(?:after|before|during)\b)
                (?:{_QUOTE}\ (?:or|and)\ {_QUOTE}(?P<second>{_NAME_OF_PARTS}))?
            # no X provided, no value for X, cannot start without X, X or X_FILE has to be set
            | \bno\ {_QUOTE}(?P<variable_none>{_NAME_OF_PARTS}){_QUOTE}\ (?:is\ |was\ )?{GIVEN}{OF_DATA}
            | \bno\ value\ (?:for|in|of)\ {_QUOTE}(?P<variable_value>{_NAME_OF_PARTS})(?![\w./-]){OF_DATA}
            | (?:\bcan(?:no|'|\ no)t|\bunable\ to|\bwill\ not|\bwon't)\ (?:be\ )?(?:continue|proceed|run|start|work)
                \w*\ without\ (?:an?\ |the\ |your\ )?{_QUOTE}(?P<variable_without>{_NAME_OF_PARTS})
            | {_QUOTE}(?P<variable_either>{_NAME_OF_PARTS}){_QUOTE},?\ or\ {_QUOTE}{_NAME_OF_PARTS}{_QUOTE}
                \ (?:must|has\ to|have\ to|needs?\ to|should)\ be\ {GIVEN}{OF_DATA}
            | {_QUOTE}(?P<variable_option>{_NAME_OF_PARTS}){_QUOTE}\ (?:config\w*\ )?{KIND}\ (?:is|was)\ {LACKING}
            | {_QUOTE}(?P<variable_field>{_NAME_OF_PARTS}){_QUOTE}\ is\ an?\ (?:mandatory|required)\ (?:field\b|{KIND})
            | \bexpected\ (?:the\ )?(?:env\w*\ )?(?:variable\ )?{_QUOTE}(?P<variable_expected>{_NAME_OF_PARTS}){_QUOTE}\ to\ be\ {GIVEN}{OF_DATA}
            # {{ X: [ 'Required' ] }}, as Zod has it
            | {_QUOTE}(?P<variable_subject>{_NAME_OF_PARTS}){_QUOTE}:?\ \[?\ ?['\"]?(?:is\ )?required\b
            )
        """,
        cause="the program needs a setting that is given as a variable, and is not set",
        cure="set the variable",
        source="many programs",
        confirmed_by=_VARIABLE,
    ),
    Failure(
        name="dotnet-connection",
        mark=("connectionstring", "initialization string"),
        pattern=r"Value cannot be null\. \(Parameter 'connectionString'\)|The ConnectionString property has not been initialized"
        r"|Format of the initialization string does not conform to specification",
        cause="the .NET program has no address of its database, or one that it cannot read",
        cure="set ConnectionStrings__NAME, with the name that the program's settings use "
        "(ConnectionStrings__DefaultConnection)",
        source=".NET documentation, configuration providers",
        remedy=TypedLike(r"^ConnectionStrings__"),
    ),
)
