"""Exceptions and the frames of a stack trace, as the languages print them."""

import re

from diagnose.lazy_pattern import LazyPattern

EXCEPTION_LINE = LazyPattern(
    r"""
    ^(?:
          \d{4}-\d\d-\d\d[T ][\d:.,]{8,18}Z?\s{1,3}
        | \[v[\d.]{1,20}\]\  | \t | \ {6}(?=[A-Z]\w{0,60}\.)
      )?(?P<cause>\s*(?:Caused\ by:\ |--->\ ))?
      (?:Exception\ in\ thread\ "[^"]*"\ |Unhandled\ [Ee]xception[.:]\ )?(?P<name>
          (?:[A-Za-z_$][\w$]*(?:\.|::))*[A-Z][\w$]*
            (?:Error|Exception|Exit|Interrupt|Warning|Failed|NotFound|Timeout)\b
        | (?:[a-z_]\w*\.)*(?:exceptions|errors)\.[A-Z]\w+
        | (?:java\.lang|System)\.Exception\b
      )(?:[ \[(][^:]{0,40})?(?::|$)
    """,
    re.VERBOSE,
)
"""An exception by its class: Python, Java, Node, Ruby, .NET, whose console indents it by six."""
OUTER_EXCEPTIONS = LazyPattern(
    r"^.{1,600} ---> (?=(?:[A-Z]\w{0,60}\.){1,8}[A-Z]\w{0,80}(?:Error|Exception): \S)"
)
"""The text before the innermost exception of .NET, where the whole chain is one line."""
RUBY_EXCEPTION = LazyPattern(
    r"^\S{1,300}:\d{1,9}:in [`'][^'\n]{0,300}': .*\([A-Z]\w*(?:::\w+)*\)\s*$"
)
"""The exception that ends a Ruby program follows the place that raised it."""
ELIXIR_EXCEPTION = LazyPattern(
    r"^(?:\d\d:[\d:.]{5,12} )?\*\* \((?:[A-Z]\w{0,60}\.){0,8}[A-Z]\w{0,60}\) \S"
)
"""An exception as Elixir prints it, which its tool Mix does too."""
QUOTED_EXCEPTION = LazyPattern(
    r"(?:\b(?:[a-z_]\w{0,60}\.){2,20}|#<(?:[A-Z]\w{0,60}::){0,4})[A-Z]\w{0,80}(?:Exception|Error): \w"
)
"""An exception that a message of the program's own quotes."""
CAUSE_LINE = LazyPattern(r"^\s*(?:Caused by: | ?---> |Reason: |caused by: |Likely root cause: )")


VAGUE_CAUSE = LazyPattern(r": (?:(?:Permission|Access) (?:is )?denied|Invalid argument)\.?$")
"""A cause that explains less than its effect, which names the path: .NET's UnauthorizedAccess."""
CHAIN_NOTICE = LazyPattern(
    r"^(?:The above exception was the direct cause|During handling of the above exception)"
)
FRAME_LINE = LazyPattern(
    r"""
    ^\s+at\ \S | ^\*\*\ (?:Callback\ mode|Last\ (?:event|message)|Postponed|Queued|Stacktrace|When\ )
    | ^\s*File\ "[^"]*",\ line\ \d+ | ^\s+from\ \S+:\d+ | ^\s+from\ <internal:
    | ^\s*\#\d+\ (?!.*\bERROR\b)
    | ^goroutine\ \d+ | ^created\ by\ | ^\s+\S+\.go:\d+ | ^\s*\.\.\.\ \d+\ (?:more|common)
    | ^\s*\d+:\ 0x[0-9a-f]+
    | ^(?:github\.com|main|runtime|golang\.org|go\.[\w.]+)[/.][^\s]*(?:\(|$)
    | ^[a-z0-9]{2,6}\s+0x[0-9a-f]+$ | ^\s*-{3}\ End\ of
    | ^\s*stack\ backtrace: | ^\s+\d+:\s+(?:\w+::|0x) | ^PC=0x | ^stack:\ frame | ^runtime:
    | ^Stack\ trace: | ^\s+thrown\ in\ /
    | ^Traceback\ \(most | ^\s*\[signal\ SIG | ^\s+\^+\s*$ | ^\s*[~^]+\s*$
    | ^\s*throw\ (?:err|er|new)\b | ^node:internal | ^node:events
    | ^\s+\([a-z]\w{0,40}(?:\ [\w.-]{1,30})?\)\ \S{1,200}:\d+:\ \S  # Elixir
    | ^\s{0,4}\d{4}-\d\d-\d\d\ [\d:]{8}\ [+-]\d{4}\ \[\w{4,5}\]:\ (?:\#\d{1,4}\ )?/\S{1,300}:\d{1,6}:in\ [`']  # Fluentd
    | ^\s+(?:cmd|code|errno|killed|signal|syscall):\s\S+,?$ | ^\s*rflags\b | ^-+\ Native\ stack | ^\s+in\ `
    """,
    re.VERBOSE,
)
"""A frame of a stack, a register, a caret under source text."""
_OF_ERLANG = LazyPattern(
    r"""
    (?:^|[>\]])\s{1,80}(?:
          [\w']{1,80}:['\w/$^-]{1,120}/\d{1,3}\ line\ \d
        | (?:crasher|errorContext|initial\ call|offender|pid|registered_name|supervisor):
            (?:\s|$)
        | (?:reason:\s{1,9})?(?:[\[{][^\s"]+|(?<!\]\ )[\[{])$
        | [a-z]\w*,[^\s"]*[\]}),]$
      )
    """,
    re.VERBOSE,
)
"""A frame of Erlang, where in its tree of processes a failure was, or a part of a term without any
text; a process or a level stands before. `[Error: text] {` is an error of Node.js."""


def is_frame(text: str) -> bool:
    """Whether a line is a part of a stack trace."""
    return FRAME_LINE.match(text) is not None or _OF_ERLANG.search(text) is not None
