"""The output of a container, which a program may not open that has changed to another user."""

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import Preceded

OUTPUT_PLACES = (
    Failure(
        name="output-closed",
        of_running=NEVER,
        mark=("/dev/", "/proc/self/"),
        pattern=r"""(?x)
            \b(?:cannot|can't|could\ not|unable\ to|failed\ to)\ open\ ['"]?
                (?P<path>(?:/proc/self|/dev)/(?:fd/[12]|std(?:out|err)))['"]?
                (?:\ for\ writing|[^\n]{0,20}permission\ denied)
            | \bopen\ (?P<path_go>(?:/proc/self|/dev)/(?:fd/[12]|std(?:out|err))):\ permission\ denied
            | ^(?!.*\[(?:alert|warn)\]).*?\bopen\(\)\ "(?P<path_nginx>(?:/proc/self|/dev)/(?:fd/[12]|std(?:out|err)))"\ failed\ \(13
        """,
        cause="the program has changed to another user, who may not open {path}: the container's output belongs to the user "
        "that the container was started as",
        cure="let the start script run `chmod o+w /dev/stdout /dev/stderr` before the program, or let it log to a file in a "
        "folder of its user",
        source="moby/moby#31243",
        remedy=Preceded("chmod o+w /dev/stdout /dev/stderr"),
    ),
)
