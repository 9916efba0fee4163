"""One rule of `iptables-save` as its options in order."""

import re

import msgspec

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_ESCAPED = re.compile(r"\\(.)")
_VERBATIM = frozenset(
    {"--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string", "--u32"}
)
"""Options whose one argument may begin with a dash."""
_JUMPS = ("-j", "--jump")
_GOTOS = ("-g", "--goto")


class RuleOption(msgspec.Struct, frozen=True):
    """One option of a rule with its arguments; negated where an exclamation mark precedes it."""

    name: str
    arguments: tuple[str, ...] = ()
    negated: bool = False

    @property
    def first(self) -> str:
        """The first argument, "" without one."""
        return self.arguments[0] if self.arguments else ""

    @property
    def argument(self) -> str:
        """All arguments as one text."""
        return " ".join(self.arguments)

    @property
    def text(self) -> str:
        """The option as the rule writes it."""
        mark = ("!",) if self.negated else ()
        return " ".join((*mark, self.name, *self.arguments))


class RuleTarget(msgspec.Struct, frozen=True):
    """The target of a rule with its options."""

    name: str
    options: tuple[RuleOption, ...] = ()
    returns: bool = True
    """Whether the packet comes back after the target chain: not after a goto."""

    def has(self, name: str) -> bool:
        """Whether the target has an option of this name."""
        return any(option.name == name for option in self.options)

    def first(self, name: str, default: str = "") -> str:
        """The first argument of an option; the default without the option or an argument."""
        values = [option.first for option in self.options if option.name == name and option.first]
        return values[-1] if values else default


class RuleText(msgspec.Struct, frozen=True):
    """A rule: its chain, the options of its matches, and its target, None for a rule without."""

    chain: str
    options: tuple[RuleOption, ...] = ()
    target: RuleTarget | None = None

    def named(self, *names: str) -> list[RuleOption]:
        """The options of these names, in the order of the rule."""
        return [option for option in self.options if option.name in names]


def parse(line: str) -> RuleText:
    """A line that begins with `-A`."""
    options = _options(_words(line))
    chain = next((option.first for option in options if option.name == "-A"), "")
    options = [option for option in options if option.name != "-A"]
    for position, option in enumerate(options):
        if option.name in _JUMPS + _GOTOS:
            of_target = tuple(options[position + 1 :])
            target = RuleTarget(option.first, of_target, returns=option.name in _JUMPS)
            return RuleText(chain, tuple(options[:position]), target)
    return RuleText(chain, tuple(options))


def _words(line: str) -> list[str]:
    """The words of a rule; iptables-save quotes with `"` and escapes with a backslash."""
    if '"' not in line:
        return line.split()
    return [
        _ESCAPED.sub(r"\1", quoted) if quoted else plain for quoted, plain in _WORD.findall(line)
    ]


def _options(words: list[str]) -> list[RuleOption]:
    """The options of a rule with their values; `!` negates the one that follows."""
    options: list[RuleOption] = []
    negated = False
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "!":
            negated = True
            continue
        if not word.startswith("-"):
            continue
        end = position + 1 if word in _VERBATIM else _next_option(words, position)
        options.append(RuleOption(word, tuple(words[position:end]), negated))
        position = end
        negated = False
    return options


def _next_option(words: list[str], position: int) -> int:
    while position < len(words) and words[position] != "!" and not words[position].startswith("-"):
        position += 1
    return position
