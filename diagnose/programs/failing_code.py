"""The place in a program's own code where it failed, as the frames of its trace show it.

Frames of the runtime and of libraries say how a failure came about; the innermost frame of the
program's own code says what the program was doing. The words of its function, class and file tell
what that is about.
"""

import itertools
import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.log_message import plain
from diagnose.word_sets import vocabulary

_FRAME = LazyPattern(
    r"""
    ^\s*at\ (?:async\ |new\ )?(?P<node>[\w$.<>\[\]\ ]{1,120}?)
        \ \((?P<node_file>[^()\s]{1,300}):(?P<node_line>\d{1,7}):\d{1,7}\)$
    | ^\s*File\ "(?P<python_file>[^"]{1,300})",\ line\ (?P<python_line>\d{1,7}),\ in\ (?P<python>\S{1,120})
    | ^\s*at\ (?:[\w.-]{1,60}//?)?(?P<java>(?:[\w$]{1,80}\.){1,12}[\w$<>]{1,80})
        \((?P<java_file>\w{1,80}\.(?:java|kt|scala|groovy)):(?P<java_line>\d{1,7})\)
    | ^\s*at\ (?P<dotnet>(?:[\w<>`]{1,80}\.){1,12}[\w<>`.]{1,80})\([^)\n]{0,400}\)
        \ in\ (?P<dotnet_file>[^:\n]{0,2}:?[^:\n]{1,300}):line\ (?P<dotnet_line>\d{1,7})
    | ^\s*(?:from\ )?(?P<ruby_file>/[^:\s]{1,300}\.rb):(?P<ruby_line>\d{1,7}):in\ [`'](?P<ruby>[^'\n]{1,120})'
    | ^\s*\#\d{1,3}\ (?P<php_file>/[^(\s]{1,300}\.php)\((?P<php_line>\d{1,7})\):\ (?P<php>[\w\\:>-]{1,160})\(
    | ^\s*\((?P<elixir_app>\w{1,60})\ [\w.+-]{1,40}\)\ (?P<elixir_file>\S{1,200}\.exs?):(?P<elixir_line>\d{1,7}):
        \ (?P<elixir>[\w.!?]{1,120})/\d
    """,
    re.VERBOSE,
)
"""A line of a stack trace, with its function, file and line, as seven languages print it."""
_GO_CALL = LazyPattern(
    r"^(?P<go>(?:[\w.-]{1,60}/){0,8}\w[\w-]{0,60}\.[\w.()*·]{1,100})\((?:[^()\n]{0,200})\)$"
)
"""A call of Go, whose place is in the next line."""
_GO_PLACE = LazyPattern(r"^\s+(?P<go_file>/[^:\s]{1,300}\.go):(?P<go_line>\d{1,7})")
_LANGUAGES = ("node", "python", "java", "dotnet", "ruby", "php", "elixir")
_INNERMOST_LAST = frozenset({"python"})
"""Languages that print the innermost frame last."""
_OF_OTHERS = LazyPattern(
    r"""
    /(?:node_modules|site-packages|dist-packages|gems|vendor|pkg/mod|\.pnpm|\.cargo)/ | ^node: | ^internal/
    | ^<frozen | ^[a-z_]+\.js$ | ^/usr/(?:local/)?(?:lib/python|lib/ruby|go/|lib/node|share/(?:perl|php)) | ^/rustc/
    """,
    re.VERBOSE,
)
"""Folders of runtimes and libraries."""
_PACKAGES_OF_OTHERS = LazyPattern(
    r"""
    ^(?: java | javax | jakarta | jdk | sun | com\.sun | kotlin | kotlinx | scala | groovy | akka | reactor | okhttp3
        | org\.(?:apache|springframework|hibernate|eclipse|jboss|postgresql|mariadb|h2|flywaydb|slf4j|yaml|quartz)
        | com\.(?:zaxxer|fasterxml|mysql|google|mongodb|rabbitmq|datastax|microsoft|oracle|amazonaws)
        | io\.(?:netty|lettuce|quarkus|smallrye|micronaut|vertx|grpc|micrometer) | ch\.qos | liquibase
        | System | Microsoft | Npgsql | MySql | MongoDB | StackExchange | Serilog | Newtonsoft | Autofac | DryIoc
        ) (?: \. | $ )
    """,
    re.VERBOSE,
)
"""Packages of Java and .NET that no application has written itself: org.hibernate, Npgsql."""
_APPS_OF_OTHERS = vocabulary(
    "stdlib kernel elixir ecto ecto_sql phoenix plug postgrex db_connection mix ch"
)
_WORD = LazyPattern(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|\d+")
"""The words of a name in camel case, snake case or with hyphens."""


class FailingCode(msgspec.Struct, frozen=True):
    """The innermost frame of a program's own code."""

    function: str
    file: str
    line: int

    def __str__(self) -> str:
        folder, name = posixpath.split(self.file)
        short_path = posixpath.join(posixpath.basename(folder), name)
        return f"{self.function} ({short_path}, line {self.line})"

    @property
    def words(self) -> frozenset[str]:
        """The words of its function and its file, in small letters."""
        name = posixpath.splitext(self.file)[0]
        short_name = " ".join((self.function.split("/")[-1], *name.split("/")[-2:]))
        return words_of_name(short_name)


def words_of_name(text: str) -> frozenset[str]:
    """The words of names in camel case, snake case or with hyphens, in small letters."""
    return frozenset(word.lower() for word in _WORD.findall(text))


def failing_code(lines: Sequence[str]) -> FailingCode | None:
    """The innermost frame of the program's own code; None where the lines show none.

    Of several traces the last one counts: an exception that was passed on is printed again, its own
    trace first in Python, and last in Java (`Caused by`).
    """
    frames = list(_own_frames([plain(line) for line in lines]))
    if not frames:
        return None
    of_last = [frame for frame in frames if frame.trace == frames[-1].trace]
    innermost = of_last[-1] if of_last[-1].language in _INNERMOST_LAST else of_last[0]
    return innermost.code


class _Frame(msgspec.Struct, frozen=True):
    code: FailingCode
    language: str
    trace: int
    """The trace to which it belongs: frames without another line between them."""


def _own_frames(lines: Sequence[str]) -> Iterator[_Frame]:
    """The frames of the program's own code, in the order in which they are printed."""
    trace = 0
    for line, following in itertools.zip_longest(lines, lines[1:], fillvalue=""):
        frame = _FRAME.match(line)
        if frame is not None:
            language = next(name for name in _LANGUAGES if frame[name])
            code = FailingCode(
                frame[language], frame[f"{language}_file"], int(frame[f"{language}_line"])
            )
            app = frame["elixir_app"] or ""
        else:
            call = _GO_CALL.match(line)
            place = _GO_PLACE.match(following)
            if call is None or place is None:
                trace += not line[:1].isspace()
                continue
            language = "go"
            app = ""
            code = FailingCode(
                call["go"].rpartition("/")[2], place["go_file"], int(place["go_line"])
            )
        if not (
            _OF_OTHERS.search(code.file)
            or _PACKAGES_OF_OTHERS.match(code.function)
            or app in _APPS_OF_OTHERS
        ):
            yield _Frame(code, language, trace)
