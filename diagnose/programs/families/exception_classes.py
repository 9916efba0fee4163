"""Complaints by the class of an exception, where no other family knows its message.

Languages build the names of their exceptions from the same words. The class alone shows the kind of
the complaint, in a program that nobody has listed.
"""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, NEVER, Failure

_BEGIN = r"(?:^|[\s:>\]])(?:[\w$]{1,60}(?:\.|::|\\)){0,12}"
"""The beginning of an exception: the packages of its class."""
_END = r"(?:(?:Error|Exception)|(?<=Configured))\b(?:[ \[(][^:\n]{0,40})?:\s*\S"


def _class_pattern(words: str) -> str:
    """A pattern for exceptions whose class contains one of these words."""
    return rf"(?-i:{_BEGIN}\w{{0,40}}(?:{words})\w{{0,40}}?{_END})"


EXCEPTION_CLASSES = tuple(
    Failure(
        name=name,
        of_running=ABOUT_SETTINGS if name == "class-configuration" else NEVER,
        mark=":",
        pattern=_class_pattern(words),
        cause=cause,
        cure=cure,
        source="the words of which Java, Python, .NET, Ruby and PHP build the classes of exceptions",
        look="builds" if name == "class-version" else "",
    )
    for name, words, cause, cure in (
        (
            "class-configuration",
            r"Config|Configuration|Configured|Setting|Settings|Option|Options|Environment",
            "the program does not accept its configuration",
            "correct what the line names in the variables, the command or the configuration of the container",
        ),
        (
            "class-version",
            r"Version|Incompatible|Unsupported(?!Operation)|Migration|Upgrade|Downgrade",
            "two versions do not belong together, of the program, its data, its library or its server",
            "run the build that worked before, or bring the other side to the version that the line asks for",
        ),
        (
            "class-format",
            r"Parse|Parser|Parsing|Syntax|Format|Decode|Decoding|Deserializ|Malformed|Yaml|YAML|Json|JSON|Toml|TOML|Scanner",
            "the program cannot read a file, a setting or an answer as what it takes it for",
            (
                "look at what the line names: a broken or empty file, or a page of an error instead "
                "of an answer"
            ),
        ),
        (
            "class-absent",
            r"NotFound|NoSuch|Missing(?!Method)|DoesNotExist|Unknown|Undefined|Unresolved|Unregistered|NotRegistered",
            "the program cannot find something that it needs",
            "look where the program takes it from: a variable, a mount, its database, or the image",
        ),
        (
            "class-value",
            r"Validation|Invalid(?!Operation|Cast|State)|IllegalArgument|Constraint|OutOfRange",
            "the program does not accept a value that it is given",
            "correct what the line names in the variables, the command or the configuration of the container",
        ),
        (
            "class-timeout",
            r"Timeout|TimedOut|Unavailable",
            "what the program calls or waits for did not answer in time",
            "look at the log of what it calls, then start it again",
        ),
    )
)
"""The last of all families."""
