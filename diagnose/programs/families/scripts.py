"""Families of complaints: a script that its shell does not understand. Data."""

from __future__ import annotations

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import UnixLineEnds

_SCRIPT = r"^(?P<script{}>/?[\w./@+-]{{1,200}}):\ (?:\w{{1,20}}:\ )?(?:line\ )?\d{{1,6}}:\ "
"""As dash, busybox and bash begin a complaint: with the script and its line."""
_SHELL = r"(?:/(?:usr/)?bin/)?(?:ba|da|a)?sh:\ "
"""So they begin one about a command behind `-c`: with the shell itself."""
_NO_SHELL = rf"(?!{_SHELL})"

SCRIPTS = (
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
            | \bbad\ interpreter:\ .{{1,80}}\^M
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
