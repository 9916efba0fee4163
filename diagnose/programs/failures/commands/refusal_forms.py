"""The forms in which docker, the engine and the builder refuse what no other row knows.

Each message of a refusal says one of a dozen things: a value has the wrong form, a thing is missing
or there twice, two wishes exclude each other, a part is not supported here. The form is known even
where the subject is new, and with it what has to be changed.
"""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import NO_WORD, Failure

_KIND = (
    r"(?<!set up )(?P<kind>network|volume|container|image|service|secret|config|node|task|plugin|context|builder|stack"
    r"|endpoint|device|platform|profile|project|runtime|manifest|repository|tag|stage|user|group|interface)"
)
_NAME = NO_WORD + r"\"?'?(?P<name>[\w./:@+-]{1,200})'?\"?"
_REASON = r"(?P<why>[^\n]{1,300})"
_OF_DOCKER = LazyPattern(
    r"""
    (?<![\w-])(?:--?[a-z][\w-]* | ["'][^"'\n]{1,80}["'] | \$\{?\w+
    | annotations? | api | arch(?:itecture)?s? | args? | attestations? | aux-address | bind | blkio | bridges?
    | build(?:er|ers|x) | cach(?:e|ing) | cap(?:abilit(?:y|ies))? | cgroups? | cgroup-parent | characters | checkpoints? | cidr
    | cluster | command | compose | condition | configs?(?:\.\S+)? | configurations? | containers? | containerport | contexts?
    | copy | cpus? | cpuset | credentials? | daemon | dependenc(?:y|ies) | destination | devices? | digests? | directory | dns
    | docker(?:file)? | drivers? | endpoints? | entrypoint | env(?:ironment)? | exporters? | expose | extends | features?
    | fields? | filters? | flags? | folder | formats? | frontend | gateway | gpus? | healthcheck | host(?:name|port)?s? | images?
    | index | ingress | interfaces? | interpolation | interval | ipam | ipc | ip(?:v[46])? | isolation | keys?= | labels? | layers?
    | links? | log(?:ging|s)? | mac | manager | manifests? | mask | media\ ?type | memory | metadata | modes? | mounts?
    | mountpoint | names? | namespaces? | networks? | nodes? | oci | options? | outputs? | param(?:eter)?s? | paths? | pids?
    | platforms? | plugins? | policy | pool | ports? | prefix | profiles? | projects? | protos? | providers? | proxy | publish(?:ed)?
    | pull | push | quota | range | reading | reference | registr(?:y|ies) | replicas? | repositor(?:y|ies) | resolv\.conf
    | resources? | restart | routes? | runtimes? | sbom | scanner | schedule | schema | scope | secrets? | security | services?
    | shim | shm | signal | size | slice | sockets? | sources? | spec(?:ification)?s? | ssh | stages? | stdin | storage | subnets?
    | swarm | swap | sysctls? | tags? | target | tasks? | template | timeout | tls | tmpfs | type | uid | gid | ulimits? | urls?
    | user(?:name|ns)? | values? | variables? | volumes? | weight | working[\ _]dir(?:ectory)?)(?![\w-])
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Things that docker, compose and the builder have, and that their messages name."""
_OF_PROGRAMS = LazyPattern(
    r"\b(?:FATAL|FTL)\b|\[(?:ERROR|Error|error|emerg|F|System)\]|\b\w+(?:Exception|Error): |\bCaused by:|InnoDB|\biptables v"
    r"|\(MainThread\)|\bTraceback\b|\bERROR:? +\S+\[|\[\d+\]: |\bHTTP_HOST\b|\bSSL_?\w*|\bnginx: |\bdatabases?\b"
    r"|\b(?:address family|instruction|operation|protocol) (?:is )?not supported\b|\bnot support \S+ instruction"
    r"|: invalid argument\b(?! \")|\b(?:down|up)grad(?:e|ing)\b|\b(?:permissions|signature|tar header|token)\b"
    r"|(?i:\bunsupported protocol\b)|\bfile system\b|\bCPU does not support\b|\bglibc\b"
)
"""Errors of the kernel, or of a program in a container about its own data: no form of docker's."""

_TWICE = (
    Failure(
        name="form-ambiguous",
        mark="is ambiguous",
        pattern=_KIND + " " + _NAME + r" is ambiguous",
        cause="more than one {kind} fits {name}: two have this name, or ids that begin so",
        cure="docker {kind} ls lists them with their ids; use the whole id, and remove the one that is not used",
    ),
    Failure(
        name="form-twice",
        mark="duplicate",
        pattern=r"duplicate (?P<what>[\w -]{1,40}): \"?'?(?P<name>[\w./:@+-]{1,200}?)\.?(?:[\s\"']|$)"
        r"|duplicate (?P<what_short>\w{1,30}) (?:name |key )?"
        + NO_WORD
        + r"\"?'?(?P<name_short>[\w./@+-]{1,200})",
        cause="the {what} {name} is given twice in one command or file",
        cure="remove one of the two; a compose file merges -f files and extends: docker compose config shows the result",
    ),
    Failure(
        name="form-exists",
        mark="already",
        pattern=_KIND
        + r"(?: with name| name)? "
        + _NAME
        + r"(?: [\w ]{1,30})? (?:already (?:exists|in use|present|allocated|connected)|is already)",
        cause="there is a {kind} {name} already",
        cure="docker {kind} ls shows it: use it, take another name, or remove it first",
    ),
)

_MISSING = (
    Failure(
        name="form-port",
        mark=("port", "proto"),
        pattern=r"invalid (?:port|containerPort|hostPort)[^\n]{0,30}?: (?P<why>[^\n]{1,200})|proto(?:col)? \S{1,40} (?:not supported|invalid)",
        cause="a port is written in a form that docker does not read ({why}); where a variable was to give it, that is empty",
        cure="write HOST:CONTAINER, such as 8080:80 or 127.0.0.1:8080:80/udp, and echo each variable in it",
    ),
    Failure(
        name="form-required",
        mark=" ",
        about=_OF_DOCKER,
        unlike=_OF_PROGRAMS,
        pattern=r"""(?x)
              (?P<what>\b[\w."'{}=, -]{2,80}?)\ (?:is|are)[ ]
                (?:required|mandatory|missing|not\ set|empty)\b
            | (?P<what_must>[\w."'{}=, -]{2,80}?)\ (?:must|has\ to)\ be[ ]
                (?:specified|provided|set|given)
            | (?:missing|you\ must\ (?:specify|provide)|no)\ (?P<what_no>[\w."'=, -]{2,60}?)[ ]
                (?:was\ |were\ )?(?:specified|provided|given|selected)\b
            | please\ (?:provide|specify|set|give|use)\ (?P<what_please>[^\n]{2,120})
            | (?P<what_empty>[\w."'=, -]{2,60}?)\ (?:can(?:not|'t)|must\ not|may\ not)\ be[ ]
                (?:empty|blank)
        """,
        cause="something that the command needs was not given: {what}",
        cure="add it; where it comes from a variable, echo the variable: an empty one leaves nothing behind",
    ),
    Failure(
        name="form-link-missing",
        mark="not found",
        pattern=r"(?:parent (?:iface|interface)|interface|link) "
        + NO_WORD
        + r"(?P<name>[\w.@-]{1,16})[^\n]{0,80}[Ll]ink not found",
        cause="this host has no network interface {name}",
        cure="ip -br link lists what there is; correct -o parent=, or create the interface first",
    ),
    Failure(
        name="form-not-found",
        mark=("no", "exist"),
        pattern=_KIND
        + " "
        + _NAME
        + r"(?: [\w ]{1,30})?:? (?:not found|(?:does not|doesn't) exist)"
        r"|no such (?P<kind_no>network|volume|container|image|service|secret|config|node|task|plugin|context|builder"
        r"|stack|device|user|group|interface|host):? "
        + NO_WORD
        + r"\"?'?(?P<name_no>[\w./:@+-]{0,200})",
        cause="there is no {kind} {name} where docker looks for it",
        cure="docker {kind} ls shows what there is; correct the name, or make it first",
    ),
    Failure(
        name="form-path-missing",
        mark="exist",
        pattern=r"(?P<kind>directory|folder|file|path):? "
        + NO_WORD
        + r"\"?'?(?P<path>[\w./@+-]{1,200})\"?'? (?:does not|doesn't) exist",
        cause="there is no {kind} {path} where the command looks for it",
        cure="ls -ld {path}; correct the path, or make it with mkdir -p",
    ),
)

_CHOICES = (
    Failure(
        name="form-exclusive",
        mark=" ",
        about=_OF_DOCKER,
        unlike=_OF_PROGRAMS,
        pattern=r"""(?x)
              (?P<what>[\w"'-][^\n:]{1,119}?)\ (?:
                    conflicts?\ with
                  | (?:is|are)\ (?:incompatible|mutually\ exclusive)
                  | can(?:not|'t)\ be\ (?:used|combined|mixed|set)\ (?:together|with|along)
                )(?P<other>[^\n]{0,120})
            | (?:cannot|can't)\ (?:mix|combine|use\ both|be\ both)\ (?P<what_mix>[^\n]{2,200})
            | (?P<what_with>--[\w-]{1,40})\ is\ not\ (?:yet\ |currently\ )?supported\ with[ ]
                (?P<other_with>[^\n]{1,80})
            | (?P<what_only>[\w"'-][^\n:]{1,119}?)\ (?:can|may|must)\ only\ be\ used[ ]
                (?P<other_only>(?:with|in|on|for)\ [^\n]{1,100})
            | only\ one\ of\ (?P<what_one>[^\n]{2,120}?)\ (?:can|may|must|is)
            | (?P<what_and>[^\n]{2,100}\ and\ [^\n]{2,60})\ (?:cannot|can't|may\ not)[ ]
                (?:both\ )?be
        """,
        cause="two things that were asked for exclude each other: {what}{other}",
        cure="leave out one of them",
    ),
    Failure(
        name="form-unsupported",
        mark=" ",
        about=_OF_DOCKER,
        unlike=_OF_PROGRAMS,
        pattern=r"""(?x)
              (?P<what>
                  [\w"'-][^\n:]{1,119}?\ (?:is|are)\ not\ (?:yet\ |currently\ )?
                    (?:supported|implemented|available)[^\n]{0,100}
                )
            | (?P<what_not>[\w"'-][^\n:]{1,119}?)
                (?P<where>\ do(?:es)?(?:\ not|n't)\ support\ [^\n]{2,120})
            | (?P<what_short>
                  [\w"'-][^\n:]{1,119}?\ not\ (?:yet\ |currently\ )?supported[^\n]{0,100}
                )
            | unsupported\ (?P<what_un>[^\n]{2,150})
            | (?P<what_unable>unable\ to\ export\ multiple\ platforms)
        """,
        cause="this cannot be done here: {what}{where}",
        cure="leave it out, or take a driver, exporter, builder or version that has it (docker version, docker buildx ls)",
    ),
    Failure(
        name="form-disallowed",
        mark=" ",
        pattern=r"(?P<what>[\w\"'-][^\n:]{1,119}?) (?:is|are) (?:not (?:allowed|permitted)|forbidden|disabled|reserved|restricted)(?P<where>[^\n]{0,150})",
        cause="a rule of docker or of this host does not allow it: {what}{where}",
        cure="look at what the message names: leave it out, or change the setting that forbids it",
    ),
)

_STATES = (
    Failure(
        name="form-state",
        mark=" ",
        pattern=r"""(?x)
              (?P<what>[\w"'][\w."'/ -]{1,119}?)\ is\ (?:already|still|not)\ (?P<state>
                    running | stopped | started | paused | removed | connected
                  | initialized | attached | mounted | part\ of\ a\ swarm | enabled
                  | active | locked
                )\b
            | (?:cannot|can't)\ (?P<what_in>[\w ]{2,60})\ in\ (?:the\ |a\ )?
                (?P<state_in>created|running|paused|stopped|deleted|unknown)\ state
            | (?:cannot|can't)\ (?P<what_a>[\w]{2,30})\ an?[ ]
                (?P<state_a>running|stopped|paused|deleted|created)\b
        """,
        cause="what the command is about is in another state than it needs ({state}): {what}",
        cure="docker ps -a, docker network inspect or docker info shows the state; start, stop or leave it first",
    ),
)

_VALUES = (
    Failure(
        name="form-value",
        mark=" ",
        about=_OF_DOCKER,
        unlike=_OF_PROGRAMS,
        pattern=r"(?:invalid|malformed|illegal|bad format (?:for|of)|incorrect|unrecognized"
        r"|(?:unknown|bad) (?:option|value|format|parameter|argument|field|key|type|driver|mode)) (?!memory address)"
        + _REASON
        + r"|(?:failed to parse|can(?:not|'t) parse|could not parse|unable to parse|error parsing|failed to decode) (?P<why_parse>[^\n]{1,300})"
        r"|(?P<why_range>[\w\"'-][^\n:]{1,149}? (?:is not in the range|(?:is )?out of range|is outside|exceeds|is too (?:long|large|small|short|big|high|low))[^\n]{0,150})"
        r"|(?P<why_syntax>syntax error[^\n]{0,200})"
        r"|(?P<why_valid>[\w\"'-][^\n:]{1,199}? (?:is|are) (?:not (?:a )?valid|invalid)[^\n]{0,150})"
        r"|(?P<why_must>[\w\"'-][^\n:]{1,149}? (?:must|should|has to|needs to) (?:be|have|start|begin|end|contain|match)[^\n]{1,150})",
        cause="a value is not accepted as it is written: {why}",
        cure="compare it with --help of the command, or with the file's reference: the form, a variable that is empty, a missing quote",
    ),
)

REFUSAL_FORMS = (*_TWICE, *_MISSING, *_CHOICES, *_STATES, *_VALUES)
"""The first row that fits counts."""
