"""Options and arguments that the docker command, compose or the engine does not accept.

Most messages name the option and the reason. They do not name which of two to change, and do not
say that nothing on the host is broken: the command alone is.
"""

from diagnose.programs.failures.recognition import Failure

_EXCLUSIVE = (
    Failure(
        name="restart-with-rm",
        mark="autoremove",
        pattern=r"can't create 'AutoRemove' container with restart policy",
        cause="--rm and --restart exclude each other: the one removes the container at its end, "
        "and the other starts it again",
        cure="leave out one of them",
    ),
    Failure(
        name="options-exclude-with",
        mark="with",
        pattern=r"(?P<option>--?[\w-]{1,40}) (?:can(?:not|'t)|may not) be (?:used|combined|specified) "
        r"(?:in combination |together )?with (?P<other>[^\n]{1,80})",
        cause="{option} and {other} exclude each other",
        cure="leave out one of them",
    ),
    Failure(
        name="options-exclude",
        mark=" ",
        pattern=r"""(?x)
              (?P<options>--?[\w-]{1,40}(?:,?\ (?:and|or)\ |,\ )--?[\w-]{1,40})[^\n]{0,40}?[ ]
                (?:are|is)\ (?:incompatible|mutually\ exclusive)
            | (?P<options_with>
                  --[\w-]{1,40}\ is\ not\ (?:yet\ |currently\ )?supported[ ]
                    (?:with|together\ with)\ --?[\w-]{1,40}
                )
            | cannot\ (?:use|specify|combine|set)(?:\ both)?\ (?P<options_both>
                  `?--?[\w-]{1,40}`?[^\n]{1,80}(?:\ and\ |\ with\ |\ together)[^\n]{0,80}
                )
            | (?P<options_once>specify\ only\ one\ -{1,2}[\w-]{1,40})
        """,
        cause="options of the command exclude each other: {options}",
        cure="leave out one of them",
    ),
)

_VALUES = (
    Failure(
        name="sysctl-of-an-option",
        mark="conflicts with the oci",
        pattern=r"sysctl \"(?P<setting>[\w./-]{1,99})\" is not allowed as it conflicts with the OCI \"(?P<option>\w{1,40})\" field",
        cause="{setting} has an option of its own, and may not be set as a sysctl",
        cure="write --{option}= (compose: {option}:) instead of --sysctl {setting}=",
    ),
    Failure(
        name="sysctl-not-namespaced",
        mark="sysctl",
        pattern=r"sysctl '(?P<setting>[\w./-]{1,99})=?[^']{0,99}' is not allowed",
        cause="{setting} is a setting of the whole kernel: no container has its own",
        cure="set it on the host with sysctl -w, and leave it out of the container's options",
    ),
    Failure(
        name="argument-refused",
        mark="invalid argument",
        pattern=r"invalid argument \"(?P<value>[^\"\n]{0,300})\" for \"(?P<option>-[^\"\n]{1,60})\" flag: "
        r"(?P<why>[^\n]{1,300})",
        cause='the option {option} does not accept the value "{value}": {why}',
        cure="correct the value; the command with --help shows what {option} takes",
    ),
    Failure(
        name="number-out-of-range",
        mark=" ",
        pattern=r"""(?x)
              (?P<option>--?[\w-]{2,60}|(?<![\w.-])[a-z][\w.]{0,60}[-.][\w.-]{1,60})[ ]
                (?:can(?:not|'t)|must\ not|may\ not)\ be\ (?P<bound>
                    negative | zero | empty
                  | (?:less|lower|smaller|greater|more|larger)\ than\ [^\n]{1,60}
                )
            | (?P<option_positive>--?[\w-]{2,60}|(?<![\w.-])[a-z][\w.]{0,60}[-.][\w.-]{1,60})[ ]
                (?:must|should|has\ to)\ be\ (?P<bound_positive>
                  (?:an?\ )?(?:
                        positive | non-negative | greater | less | at\ least | between
                      | in\ the\ range | a\ number | an\ integer | in\ whole
                    )[^\n]{0,60}
                )
            | (?P<bound_named>must\ specify\ (?:an?|the)\ [\w -]{1,40})\ for\ log\ opt\ '
                (?P<option_named>[\w-]{1,60})'
        """,
        cause="the value of {option} is outside what docker accepts ({bound})",
        cure="correct the number of {option}, or leave the option out to have the default",
    ),
    Failure(
        name="other-system",
        mark="supported on",
        pattern=r"(?P<what>\w[^\n:]{1,98}?) (?:is|are) (?:only|not) supported on (?:the )?"
        r"(?P<system>windows|linux|(?:this|the current) platform|(?:Windows|Linux) containers)",
        cause="{what} belongs to another operating system than the one of this engine",
        cure="remove the option from the command, the compose file or daemon.json",
    ),
    Failure(
        name="isolation",
        mark="isolation",
        pattern=r"(?:unsupported|invalid) isolation:? \"?(?P<isolation>[\w-]{1,40})",
        cause='the isolation "{isolation}" exists for Windows containers only',
        cure="leave out --isolation, or write default",
    ),
    Failure(
        name="engine-older-than-option",
        mark="requires api version",
        pattern=r"\"?(?P<option>[^\"\n]{1,80}?)\"? requires API version (?P<least>[\d.]+), but the Docker daemon API "
        r"version is (?P<has>\d[\d.]*\d)",
        cause="the engine is older than what {option} needs: it speaks API {has}, and {least} is the least",
        cure="upgrade the engine (docker version shows both), or do without the option",
    ),
    Failure(
        name="experimental",
        mark="experimental",
        pattern=r"(?P<option>\"?[\w -]{1,60}\"?) is only supported on a Docker (?:daemon|cli) with experimental "
        r"(?:cli )?features enabled|(?P<option_mode>\b[\w -]{1,40}) is only supported (?:with|in) experimental mode"
        r"|(?P<option_off>This) experimental feature is disabled by default",
        cause="{option} is experimental, and the engine has such features off",
        cure='set "experimental": true in /etc/docker/daemon.json, and restart the engine',
    ),
    Failure(
        name="ipvlan-option",
        mark="vlan",
        pattern=r"requested (?P<kind>macvlan|ipvlan) (?P<what>mode|flag) '(?P<value>[^']{1,40})' is not valid, "
        r"'(?P<default>\w+)' is the",
        cause='a network of the driver {kind} has no {what} "{value}"',
        cure="correct -o {kind}_{what}=, or leave it out: {default} is the default",
    ),
    Failure(
        name="address-outside-subnet",
        mark="subnet",
        pattern=r"no matching subnet for (?P<what>[\w-]{1,20}) \"?(?P<address>[\da-f.:/]{2,45})"
        r"|invalid (?P<what_parent>[\w-]{1,20}) (?:address )?(?P<address_parent>[\da-f.:/]{2,45}): parent subnet "
        r"[\da-f.:/]{2,45} doesn't contain this address",
        cause="the {what} {address} lies outside the subnet of the network",
        cure="choose an address inside the subnet",
    ),
    Failure(
        name="subnet-malformed",
        mark="invalid",
        pattern=r"invalid (?P<what>subnet|ip-range|gateway|CIDR address|IPAM config\w*)\b:? ?"
        r"(?:netip\.Parse\w+\()?\"?(?P<value>[\d.:a-f/]{0,60})\"?\)?(?:: (?!invalid)[^\n]{0,99}"
        r"(?:no '/'|unexpected|bad|invalid|address)[^\n]{0,99})?$",
        cause="the {what} {value} of the network is not a valid address: a subnet has a length, such as 10.0.0.0/24",
        cure="correct the value",
    ),
    Failure(
        name="value-unknown",
        mark=" ",
        pattern=r"""(?x)
            \b(?:invalid|unsupported|unknown|unrecognized)\ (?:value\ for\ |option\ )?(?P<what>
                  --?[\w-]{1,40} | filter | security-opt | restart\ policy
                | (?:network|PID|pid|ipc|IPC|UTS|uts|userns|USER|cgroup\ namespace)\ mode
                | link-local\ IP | log(?:ging)?\ level | capability | output\ type
                | output\ format | exporter | platform | bool\ value | pull\ policy
                | mount\ type | propagation(?:\ mode)? | device\ mode
                | [\w.-]{1,30}\ option
              )(?:\ option|\ value)?(?:\ \d)?:?\ (?:unknown\ policy\ )?["'`(]?(?P<value>[^\s"'`)]{1,200})
        """,
        cause='docker does not know the value "{value}" for {what}',
        cure="correct it; the command with --help, or docker compose config, shows what is accepted",
    ),
    Failure(
        name="env-file-malformed",
        mark="invalid env file",
        pattern=r"invalid env file \((?P<file>[^)\n]{1,200})\): (?P<why>[^\n]{1,200})",
        cause="a line of the file {file} has another form than NAME=VALUE: {why}",
        cure="correct that line: no space in the name or around the =, and no word export",
    ),
    Failure(
        name="set-malformed",
        mark="cpuset",
        pattern=r"Invalid value (?P<value>\S{0,60}) for cpuset (?P<what>cpus|mems)",
        cause='--cpuset-{what} has "{value}", which is not a list of numbers',
        cure="write it as 0-3 or 0,2; nproc and lscpu show the processors of this host",
    ),
    Failure(
        name="pair-malformed",
        mark="bad format",
        pattern=r"bad format(?: for (?P<option>[\w-]{1,40}))?: \"?(?P<value>[^\s\"]{1,200})",
        cause='"{value}" has not the form with a colon that this option takes (--add-host NAME:ADDRESS, a device PATH:VALUE)',
        cure="write both parts with a colon between them; host-gateway stands for this host's address",
    ),
)

_COMMANDS = (
    Failure(
        name="arguments-number",
        mark=" argument",
        pattern=r"\"?(?P<command>docker[\w -]{1,60}?)\"? (?:requires|accepts) (?P<number>[\w ]{1,40}? arguments?)",
        cause="{command} takes {number}, and got another number: an argument is missing, a space is not quoted, "
        "or an option stands behind the name",
        cure="put options before the name, and quotes around what has spaces; {command} --help shows the form",
    ),
    Failure(
        name="option-unknown",
        mark="unknown",
        pattern=r"unknown (?:shorthand )?flag: '?(?P<option>--?[\w-]{1,60}|\w)",
        cause="this docker command does not know the option {option}: it is misspelt, younger than this version, "
        "or meant for another command",
        cure="compare it with --help of the command; the program's own options stand behind the image",
    ),
    Failure(
        name="command-unknown",
        mark="command",
        pattern=r"unknown (?:docker )?command: \"?(?P<command>[\w -]{1,60})|'(?P<command_old>[\w-]{1,40})' is not a docker command",
        cause="docker has no command {command}: it is misspelt, or its plugin is not installed",
        cure="docker --help lists the commands and plugins; install the plugin's package (such as docker-buildx-plugin)",
    ),
    Failure(
        name="reserved-name",
        mark="is a reserved name",
        pattern=r"'?(?P<name>[\w.-]{1,99})'? is a reserved name",
        cause='"{name}" has a meaning of its own for docker, and cannot be a name',
        cure="choose another name",
    ),
    Failure(
        name="digest-as-name",
        mark="digest",
        pattern=r"(?:cannot|refusing to) (?P<what>import|create a tag|tag|push|commit)[\w ]{0,40} (?:a )?digest reference",
        cause="a digest (@sha256:...) is the sum of what is there already, and cannot be a name for something new",
        cure="name it as NAME:TAG",
    ),
    Failure(
        name="nothing-on-stdin",
        mark="data is empty",
        pattern=r"error reading (?:content )?from (?:\\?\"?-?\\?\"?|STDIN|stdin): data is empty|secret data is empty",
        cause="the secret or config is empty: nothing came through the pipe",
        cure="give it through a pipe, as in printf %s VALUE | docker secret create NAME -",
    ),
    Failure(
        name="mount-option-needs",
        mark="requires",
        pattern=r"option '(?P<option>[\w=-]{1,60})' requires '(?P<needed>[\w=-]{1,60})'",
        cause="the option {option} of --mount works only together with {needed}",
        cure="add {needed}",
    ),
)

REFUSED_OPTIONS = (*_EXCLUSIVE, *_COMMANDS, *_VALUES)
"""The first row that fits counts: rows that name their option come before the forms of any value.
"""
