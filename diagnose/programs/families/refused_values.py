"""Values that a program does not accept, where the line says no more of them."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure

REFUSED_VALUES = (
    Failure(
        name="value-refused",
        of_running=ABOUT_SETTINGS,
        mark="",
        pattern=r"""(?x)
            invalid\ (?:value|format|port|url|uri|address|choice|host|configuration\ property)
            | \bparameter\ (?P<value_ranged>[A-Z]\w{1,60})\ at\ line\ \d{1,6}:\ value\ out\ of\ range\b
            | value\ of\ \S+\ is\ forbidden | \bbad\ (?:bool(?:ean)?|int(?:eger)?|numeric)\ value\b
            | (?<![\w./-])(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])\b['"`]?(?:=\S{1,80}\ is\ (?:not\ |un)supported
                |:\ expected\ (?:an?\ )?(?:boolean|float|int(?:eger)?|number|url)\b)
            | \b(?:bad|unknown|unsupported|wrong)\ (?:value\ (?:for|of)\ )?['"`]?
                (?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])\b['"`]?(?:\ is)?[:=]?\ ?['"`]\S
            | (?<![\w./-])(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])\b['"`]?\ is\ (?:invalid|malformed|not\ valid)\b
            | \b(?:invalid|unknown|unsupported)\ (?:auth\w*|backend|database|db|dialect|driver|engine|log|provider
                |storage|time)[\ -]?(?:format|kind|level|mode|type|zone)?:?\ ['"`](?P<value>[\w./-]{1,60})['"`]
            | \b[Ww]rong\ time\ ?zone\ specified:\ (?P<value_zone>[\w./+-]{1,60})
            | \bcannot\ parse\ ['"`](?P<value_mapped>[\w.-]{1,60})['"`]\ as\ (?:bool|duration|float|u?int)
            | unsupported\ \w+\ specified | \bvalid\ (?:choices|drivers|options|values)\ are\b
            | (?:is\ not|not\ appear\ to\ be)\ an?\ valid\b
            | \bnot\ a\ valid\ (?:boolean|date|duration|integer|ip|number|port|size|time|url)\b
            | \b(?:option|parameter|setting|value)\ ['"`][^'"`\n]{1,80}['"`]\ is\ invalid\b
            | \bneeds\ to\ contain\ the\ protocol\b | \brelative\ URL\ without\ a\ base\b
            | \binvalid\ authentication\ method\ " | \binvalid\ (?:float|int)\ value\b
            | \bgot\ an?\ \w{1,20}\ but\ expected\ an?\ \w | \bwrong\ value\ of\ "\w{1,60}"\ in\ config\ file\b
            | must\ not\ be\ (?:less|greater|more)\ than\b
            | must\ be\ (?:an?|one\ of|set\ to|between|at\ least|greater|less|positive|numeric)\b
            | requirement\ failed:  # Kafka
            | Saved\ \w+\ name\ .{1,40}\ !=  # Cassandra
            | (?:could\ not|cannot|can't|failed\ to)\ parse\ (?:the\ )?(?:value|url|port|duration|integer|size)
        """,
        cause="the program does not accept the value of a setting",
        cure="correct the value of the setting that the line names",
        source="many programs",
    ),
)
"""Behind the lines of a configuration file, which give the place too."""
