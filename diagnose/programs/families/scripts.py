"""Families of complaints: a script that its shell does not understand. Data."""

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import UnixLineEnds

_SCRIPT = r"^(?P<script{}>/?[\w./@+-]{{1,200}}):\ (?:\w{{1,20}}:\ )?(?:line\ )?\d{{1,6}}:\ "
"""The beginning of a complaint of dash, busybox and bash: the script and its line."""
_OF_A_PROGRAM = r"(?=\.{1,2}/|[^:\s]{1,200}(?:\.(?:sh|py|pl|rb|bash|js|php):|/(?:s?bin|scripts?|entrypoints?)[/:]))"
"""Before a path that is run; bash says the same of a file into which it writes."""
_SHELL = r"(?:/(?:usr/)?bin/)?(?:ba|da|a)?sh:\ "
"""The beginning of a shell's complaint about a command behind `-c`: the shell itself."""
_NO_SHELL = rf"(?!{_SHELL})"

SCRIPTS = (
    Failure(
        name="script-expression",
        mark="sed: ",
        pattern=r"""(?x)
            ^sed:\ (?:-e\ expression\ \#\d{1,4},\ char\ \d{1,6}:\ )?(?:no\ previous\ reg(?:exp|ular\ expression)
                |unterminated\ .{1,40}|unknown\ (?:option\ to|command:).{1,40}|bad\ option\ in\ substitution\ expression
                |unmatched\ .{1,20})
        """,
        cause="a script hands sed an expression that it cannot read: a variable that the script puts into it is empty, "
        "or holds a sign of sed's own, such as / or &",
        cure="set the variables that the script reads, as the image's documentation names them; look at those without "
        "a value first",
        source="GNU sed's and busybox' own messages; jderusse/docker-dns-gen#31",
    ),
    Failure(
        name="script-words-quoted",
        mark="not found",
        pattern=rf"""(?x)
            ^(?:[\d:T.Z-]{{4,30}}\ ){{0,2}}{_SCRIPT.format("")[1:]}
            (?P<command>[a-z][\w./-]{{0,40}}(?:\ [\w./:=-]{{1,60}}){{1,8}}):\ (?:command\ )?not\ found$
        """,
        cause='the script {script} has quotes around the whole command "{command}", so that the shell looks for a '
        "program of that name",
        cure="take the quotes away, or put a variable that holds several words into the script without them",
        source="simjanos-dev/LinguaCafe#71",
        of_running=NEVER,
    ),
    Failure(
        name="script-line-ends",
        mark="",
        pattern=rf"""(?x)
            {_SCRIPT.format("")}.{{0,60}}\\r
            | {_SCRIPT.format("_set")}.{{0,20}}\billegal\ option\ -$
            | ^(?P<script_busybox>/?[\w./@+-]{{1,200}}):\ set:\ line\ \d{{1,6}}:\ illegal\ option\ -(?:o\ \w{{1,20}})?$
            | ‘[^’\n]{{0,80}}\\r’ | '\$'\\r'  # as GNU's programs quote a word
            | \benv:\ ['‘]?[\w.-]{{1,40}}(?:\\r|\$'\\r')
            | \^M:\ bad\ interpreter\b | \bbad\ interpreter:\ .{{1,80}}\^M
            | \bunexpected\ token:\ carriage\ return\b  # Elixir
        """,
        cause="the start script has the line ends of Windows (CR LF): the shell takes the CR for a part of the last "
        "word of each line",
        cure="write it with LF: sed -i 's/\\r$//' on the file, git config core.autocrlf input, then build or mount "
        "it again",
        source="mbround18/valheim-docker#170; dash's, bash's and busybox' own messages",
        of_running=NEVER,
        remedy=UnixLineEnds("{script}"),
    ),
    Failure(
        name="script-of-bash",
        mark="",
        pattern=rf"""(?x)
            {_NO_SHELL}{_SCRIPT.format("")}.{{0,20}}\bIllegal\ option\ -o\ pipefail
            | {_NO_SHELL}{_SCRIPT.format("_words")}(?:[Bb]ad\ substitution|\[\[:\ not\ found
                |(?:declare|function|let|shopt|source):\ not\ found
                |[Ss]yntax\ error:\ (?:"(?:\(|redirection)"\ unexpected|unexpected\ "\("))
        """,
        cause="the script {script} is written for bash, and another shell runs it, such as dash or busybox",
        cure="begin it with #!/bin/bash and start it by its path, not behind sh; Alpine's images have no bash of "
        "their own",
        source="dash's and busybox' own messages",
        of_running=NEVER,
    ),
    Failure(
        name="script-not-executable",
        mark=("permission denied", "execute permissions"),
        pattern=rf"""(?x)
            ^(?:{_SHELL}(?:line\ )?\d{{1,6}}:\ |/?[\w./@+-]{{1,200}}:\ (?:exec:\ )?line\ \d{{1,6}}:\ (?:exec:\ )?)
                (?P<path>{_OF_A_PROGRAM}\.{{0,2}}/[\w./@+-]{{1,200}}):\ Permission\ denied$
            | ^(?:/(?:usr/)?bin/)?(?:da|a)?sh:\ (?:\d{{1,6}}:\ )?(?P<path_shell>\.{{0,2}}/[\w./@+-]{{1,200}})
                :\ Permission\ denied$
            | ^(?:ba|z)sh:\ (?P<path_bash>\.{{0,2}}/[\w./@+-]{{1,200}}):\ Permission\ denied$
            | \bexec:\ "?(?P<path_exec>\.{{0,2}}/[\w./@+-]{{1,200}})"?:\ permission\ denied\b
            | \bModule\ (?P<path_redis>/[\w./@+-]{{1,200}})\ failed\ to\ load:\ It\ does\ not\ have\ execute\ perm
            | ^env:\ [‘']?(?P<path_env>\.{{0,2}}/[\w./@+-]{{1,200}})[’']?:\ Permission\ denied$
            | ^\[(?:FATAL\ tini\ \(\d+\)\]\ exec\ (?P<path_tini>/\S{{1,200}})\ failed
                |dumb-init\]\ (?P<path_dumb>/\S{{1,200}})):\ Permission\ denied$
            | \bfailed\ to\ (?:execute|run\ command)\ [‘']?(?P<path_run>\.{{0,2}}/[\w./@+-]{{1,200}})[’']?
                :\ Permission\ denied$
        """,
        cause="the container may not run {path}: the file lacks its mode x, is a folder, or lies on a file system "
        "without programs (noexec)",
        cure="give it the mode with chmod +x where it comes from: on the host if it is mounted, else in the sources of "
        "the image (git update-index --chmod=+x), or start it as sh {path}",
        source="dash's and bash's own messages",
        confirmed_by="container.mount-forbidden",
    ),
    Failure(
        name="shell-command",
        mark="sh: ",
        pattern=rf"""(?x)
            ^{_SHELL}(?:-c:\ )?(?:(?:line\ )?\d{{1,6}}:\ )?
                (?:[Ss]yntax\ error\b|[Bb]ad\ substitution|\[\[:\ not\ found
                |set:\ [Ii]llegal\ option\ -o\ pipefail
                |(?:declare|function|let|shopt|source):\ not\ found)
        """,
        cause="the shell does not understand the command that it is given: a quote or a bracket is in the wrong "
        "place, or the command is written for bash and another shell runs it",
        cure="correct the command of the container; one for bash goes behind bash -c, which images of Alpine lack",
        source="dash's, bash's and busybox' own messages",
        of_running=NEVER,
    ),
    Failure(
        name="script-syntax",
        mark="syntax error",
        pattern=rf"(?x){_NO_SHELL}{_SCRIPT.format('')}[Ss]yntax\ error\b",
        cause="the shell does not understand the script {script}: it has the line ends of Windows (CR LF), is cut "
        "off, or is written for another shell",
        cure="look at the line: sed -n l shows the line ends of Windows as \\r$; sh -n checks the whole script",
        source="dash's and bash's own messages",
        of_running=NEVER,
    ),
)
