"""Obstacles of a start: a slow part, files of an earlier one, a file that is not there yet."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure
from diagnose.programs.failures.remedies import FreshContainer

_TIME = r"(?:\d+(?:\.\d+)?\s?(?:s|secs?|seconds?|m|mins?|minutes?|ms)\b|time\b)"

STARTS = (
    Failure(
        name="start-too-slow",
        of_running=NEVER,
        mark="",
        pattern=rf"""(?x)
            \b(?:failed|unable|did\ not|didn't|does\ not|could\ not)\ (?:to\ )?(?:start|boot|come\ up|become
                \ (?:ready|healthy|available)
                |respond|finish|initiali[sz]e)\ (?:\w+\ ){{0,2}}(?:with)?in\ (?:the\ )?(?:\w+\ )?{_TIME}
            | \b(?:not|never)\ (?:available|healthy|ready|running|started|up)\ (?:after|within)\ (?:the\ )?(?:\w+
                \ )?{_TIME}
            | \btimed?\ ?out\ (?:after\ [\w.]{{1,12}}\ )?(?:while\ )?waiting\ for\ (?!(?:a\ )?(?:response|reply|lock
                |answer)\b)
            | \btimeout\ waiting\ for\ (?!(?:a\ )?(?:response|reply|lock|answer)\b)
            | \bs6-sudoc:\ fatal:\ unable\ to\ get\ exit\ status\ from\ server:\ Operation\ timed\ out
        """,
        cause="a part of the program, or what it waits for, was not up in the time that its start gives it",
        cure="look at the log of what it waits for; where that is only slow (a slow disk, a first start that fills a "
        "database, a small machine), start it again, or raise the time in its settings "
        "(S6_CMD_WAIT_FOR_SERVICES_MAXTIME=0 with s6)",
        source="emqx/emqx#3996, kmahyyg/ztncui-aio#30",
        may_pass=True,
    ),
    Failure(
        name="number-taken",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \b(?:user|group)(?:mod|add):\ [GU]ID\ '?(?P<number>\d{1,10})'?\ (?:already\ exists|is\ not\ unique)
            | \badd(?:user|group):\ [gu]id\ '(?P<number_busybox>\d{1,10})'\ in\ use
        """,
        cause="the image has another user or group with the number {number} already, and its start script makes a new "
        "one with that number",
        cure="choose another number (PUID and PGID, or the variables that the image has for them)",
        source="shadow's and busybox' own messages",
    ),
    Failure(
        name="folder-not-empty",
        of_running=NEVER,
        mark="empty",
        pattern=r"""(?x)
            \bin\ an\ empty\ (?:dir(?:ectory)?|folder)\b
            | \b(?:dir(?:ectory)?|folder|destination|path|target)\b[^\n]{0,120}?\b(?:must|should|has\ to|needs
                \ to)\ be\ empty\b
            | \b(?:dir(?:ectory)?|folder|destination\ path|target)\ ['"`]?[^\s'"`]{1,200}['"`]?\ (?:already
                \ exists\ and\ )?
                (?:is\ not|isn't)\ (?:an\ )?empty\b
            | \bmake\ sure\ (?:that\ )?(?:the\ folder\ )?/\S{1,200}\ is\ empty\b
        """,
        cause="the program wants to set itself up in an empty folder, and there are files in it already: of an "
        "earlier start that was broken off, or of what is mounted there",
        cure="look at the files with ls -la: mount an empty folder there, or move them away if nobody needs them; "
        "where they are the program's own data, the step that sets it up has to be left out",
        source="strapi/strapi-docker#335, Git's own message",
        look="data",
    ),
    Failure(
        name="path-in-the-way",
        of_running=NEVER,
        mark="file exists",
        pattern=r"\b(?:ln|mkdir|mkfifo): (?:can(?:'|no)t create \w+ )?(?P<path>/[\w./@+-]{1,200}): File exists",
        cause="the start makes {path}, which is there already: an earlier start has left it, and its script does not "
        "allow for that",
        cure="remove {path}; where it lies on a share (CIFS, NFS) that shows a link as something else, keep that "
        "folder on a local disk",
        source="jlesage/docker-crashplan-pro#386",
    ),
    Failure(
        name="added-before",
        of_running=NEVER,
        mark="already",
        pattern=r"""(?x)
            \b(?:user|username|account|group|key|entry|repository|source|route|rule)\b[^\n]{0,60}?\balready
                \ (?:been\ )?(?:added|created
                |registered|defined)\ (?:to|in|at)\ ['"`]?(?P<file>/[\w./-]{1,200})
        """,
        cause="the start adds to {file} what its own first start in this container has added already, and ends for "
        "that",
        cure="make a new container from the image, and do not restart the old one",
        source="H2-invent/jitsi-admin#323",
        remedy=FreshContainer(),
    ),
    Failure(
        name="configuration-absent",
        of_running=ABOUT_SETTINGS,
        mark="conf",
        pattern=r"""(?x)
            \bno\ config(?:uration)?(?:\ file)?\ (?:was\ )?(?:found|present|loaded|provided)\ (?:in|at|under)
                \ (?:the\ )?
                (?:file|path|dir(?:ectory)?|folder)?:?\ ?['"`]?(?P<file>/[\w./-]{1,200})
            | \byou\ need\ (?:a|the)\ conf(?:ig(?:uration)?)?[ -]?file\ ['"`]?(?P<file_asked>/[\w./-]{1,200})
            | \b(?:missing|needs?|requires?)\ (?:a|its|the)?\ ?config(?:uration)?\ file:?
                \ ['"`]?(?P<file_needed>/[\w./-]{1,200})
        """,
        cause="the program finds no configuration in {file}: the file is not there, is empty, or is a folder, as "
        "where a mount has made one for a file that the host does not have",
        cure="look at the host's side of the mount with ls -la: put the file there, and correct the path on the host",
        source="gothinkster/moleculer-node-realworld-example-app#4, AVENTER-UG/docker-matrix#6",
    ),
    Failure(
        name="variable-offered",
        of_running=NEVER,
        mark="set ",
        pattern=r"""(?x)
            ^(?!.*\b(?:warn\w*|deprecat\w+|optional)\b).*?\bset\ (?:the\ (?:environment\ )?variable\ )?
                (?P<variable>(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]))\ ?(?:=|to)\ ?['"]?(?P<value>[\w.-]{1,40})['"]?
                \ (?:in|to\ (?:accept|allow|continue|disable|enable|skip))\b
        """,
        cause="the program ends because it asks for a decision, and names a way to give it: {variable}={value}",
        cure="read what the lines above say of it; then set {variable}={value}, or take the other way that they name",
        source="cmccambridge/mosquitto-unraid#41",
        explains_only=True,
    ),
    Failure(
        name="option-offered",
        of_running=NEVER,
        mark="--",
        pattern=r"""(?x)
            ^(?!.*\b(?:warn\w*|deprecat\w+|optional|for\ help)\b).*?
            \bto\ (?:accept|allow|continue|disable|enable|ignore|override|proceed|skip|start)\b[^\n]{0,60}?
            \b(?:add|give|pass|set|specify|use)\ (?:the\ )?(?:flag\ |option\ )?['"`]?(?P<option>--[a-z][\w-]{1,40})\b
        """,
        cause="the program ends because it asks for a decision, and names an option that gives it: {option}",
        cure="read what the line says of it; then put {option} into the command, or give the program what it misses",
        source="Kopia's own message",
        explains_only=True,
    ),
)
"""Before the families of files and data, whose words are wider."""
