"""Secrets in command lines that stand under a tool's own option.

`mysql -pX`, `redis-cli -a X`, `curl -u name:X`.

Options with a telling name (`--password X`, `--token=X`) need no tool and are read by `assigned`
and by `fields`.
"""

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.looks import is_mixed
from diagnose.redact.patterns import Mark, verbose
from diagnose.redact.shell import at_places_in_words
from diagnose.redact.values import mark_password


class _Tool(msgspec.Struct, frozen=True):
    """How a family of tools takes secrets."""

    names: str
    """Pattern text of the tools' names."""
    options: tuple[str, ...] = ()
    """Options whose next word is the secret."""
    attached: tuple[str, ...] = ()
    """Options that have the secret in the same word."""
    after: str = ""
    """The secret begins behind this sign: `name:secret`. The whole word is one if there is no sign.
    """
    only_with: str = ""
    """A word without which the options mean something else: `login`."""
    last: str = ""
    """Pattern text of the words with which the last word is the secret."""


_USER = ("-u", "--user", "-U", "--proxy-user", "--auth", "-a", "--basic", "--userpwd")
_TOOLS = (
    _Tool(r"(?:mysql|mariadb)[\w-]*|mycli|proxysql", attached=("-p",)),
    _Tool(r"sshpass|cqlsh|ncftp\w*|mongo\w*", options=("-p",), attached=("-p",)),
    _Tool(
        r"influx|rabbitmqadmin|cypher-shell|couchbase-cli|elasticsearch-users|hydra",
        options=("-p",),
    ),
    _Tool(r"redis-cli|valkey-cli|keydb-cli", options=("-a",), attached=("-a",)),
    _Tool(r"curl|wget|https?|xh", options=_USER, attached=("-u", "-U"), after=":"),
    _Tool(r"etcdctl|nats|rclone", options=("--user",), after=":"),
    _Tool(r"lftp", options=("-u",), after=","),
    _Tool(r"samba(?:\.sh)?", options=("-u",), after=";"),
    _Tool(r"smbclient|rpcclient|winexe|net", options=("-U",), attached=("-U",), after="%"),
    _Tool(r"wbinfo", options=("-a",), after="%"),
    _Tool(r"ldap\w+|kadmin", options=("-w",), attached=("-w",)),
    _Tool(
        r"mosquitto_(?:pub|sub|rr)|ipmitool|sqlcmd|bcp|[it]sql|zip|unzip",
        options=("-P",),
        attached=("-P",),
    ),
    _Tool(r"mosquitto_passwd", last="-b"),
    _Tool(r"7za?|unrar|rar", attached=("-p",)),
    _Tool(r"ssh-keygen", options=("-N", "-P")),
    _Tool(r"nodetool|jmxterm", options=("-pw",)),
    _Tool(r"swaks|sendemail", options=("-ap", "-xp")),
    _Tool(r"transmission-remote|ttyd", options=("-n", "-c"), after=":"),
    _Tool(r"transmission-daemon", options=("-v",)),
    _Tool(r"ss-(?:server|local|redir)|sslocal|ssserver", options=("-k",)),
    _Tool(r"frpc", options=("-t",)),
    _Tool(r"gitlab-runner", options=("-r",), only_with="register"),
    _Tool(r"filebrowser", only_with="users", last="add"),
    _Tool(r"bw", last="login|unlock"),
    _Tool(r"snmp\w+", options=("-c", "-A", "-X")),
    _Tool(
        r"docker|podman|nerdctl|buildah|skopeo|helm|oc|az|crane|oras|regctl",
        ("-p",),
        ("-p",),
        only_with="login",
    ),
    _Tool(r"vault", last="login|unseal"),
    _Tool(r"rabbitmqctl", last="add_user|change_password|authenticate_user"),
    _Tool(r"htpasswd", last=r"-[A-Za-z0-9]{0,8}b[A-Za-z0-9]{0,8}"),
    _Tool(r"xfreerdp|rdesktop", ("-p",), ("/p:",)),
    _Tool(r"openssl", options=("-k", "-K")),
    _Tool(r"mc", last="set|add"),
)
_NAMES = "|".join(tool.names for tool in _TOOLS)
_NAME = LazyPattern(_NAMES)
_ANY = LazyPattern(rf"(?<![\w.-])(?:{_NAMES})(?=[ \t]|\\\r?\n)")
_SIGN = LazyPattern(
    r"mysql|mariadb|mycli|sshpass|cqlsh|mongo|influx|-cli[ \"\\]|curl|wget|http[ \"]|etcd|lftp"
    r"|samba|smbcl|net ads|net rpc|wbinfo|kadmin|ldap|mosq|ipmi|sqlcmd"
    r"|zip|snmp|login|rabbit|htpass|rdp|openssl|mc[ \"]|cypher|couchb|elastics|hydra|isql|tsql"
    r"|nodetool|jmxterm|swaks|sendemail"
    r"|transmission|ttyd|ss-|sslocal|ssserver|frpc|gitlab-runner|filebrowser|bw[ \"]|rar[ \"]|7z"
    r"|keygen|ncftp|winexe|vault"
)
"""A part of the name of each program whose options may hold a password: a cheap look first."""
_OPTION = LazyPattern(
    r" --?[A-Za-z]| /p:| (?:login|unseal|add|add_user|change_password|authenticate_user|alias) "
)
_WORDS_OF_LIST = LazyPattern(
    r"\[\s{0,20}\"(?:[^\"\\\n]|\\.)*+\"(?:\s{0,20},?\s{0,20}\"(?:[^\"\\\n]|\\.)*+\")++\s{0,20}\]"
)
"""A command as a list of JSON: ["mysql", "-psecret"]."""
_QUOTED = LazyPattern(r"\"((?:[^\"\\\n]|\\.)*+)\"")
_AS_USER = frozenset(("-u", "-U", "--user", "--username", "-l", "--login"))
_NO_PASSWORD = LazyPattern(
    r"(?:docker|podman|nerdctl)[\w-]*|sudo|doas|su|ssh|scp|sftp|mkdir|install|rsync|cp|tar|psql"
    r"|pg_\w+|mysql[\w-]*|mariadb[\w-]*"
)
"""Programs whose -p is something else, or the first of several programs."""
_CLUSTER = LazyPattern(r"-[A-Za-z]{1,8}[uU]")
_PORTS = LazyPattern(r"(?:[\d.]+:)?\d{1,5}:\d{1,5}(?:/\w+)?")
_LONGEST_COMMAND = 4000
_SHELL = verbose(
    r"""
      (?P<blank> (?: [ \t] | \\\r?\n | \\{2,4}r?n )++ )      # also a continued line, as it is and as JSON has it
    | (?P<end> [;\n|] | && )
    | (?P<word> (?: [^\s"'|;&\\] | \\(?![\r\n\\]). | "(?:[^"\\]|\\.)*+" | '[^']*+' )++ )
    """,
    re.DOTALL,
)
"""The pieces of a command line, as a shell reads them."""
_NAMED = LazyPattern(r"-|[\w.-]+=")
_MOST_TOOLS = 4
_JSON_QUOTE = '\\"'
"""Before the first word of a quoted command line, in a text as JSON has it: sh -c \\"curl."""
_MOST_QUOTES = 3
"""So deep do command lines in quotes stand in others that are read: each is read once more."""
_ACCOUNT = LazyPattern(r"[a-z_][\w.-]{0,31}:([^\s:]{6,64}):(?:e:)?\d{3,5}(?::[\w:.,/-]{0,60})?")
"""An account as the image of an SFTP server takes it: bob:x:1001."""
_SHARE_USER = LazyPattern(r"[\w.-]{1,32};([^\s;]{4,64})(?:;.*)?")
"""A user as the image of a file server takes it under -u: bob;x."""


class SecretPart(msgspec.Struct, frozen=True, order=True):
    """A secret part of a word: which word, from where to where, and the phrase that names it."""

    word: int
    start: int
    end: int
    phrase: str


def secret_parts(words: list[str]) -> Iterator[SecretPart]:
    """The secret parts of a command line, already split into words, by the tools named in it."""
    tools = 0
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        is_value = before[:1] == "-" and before != "--" and not word.startswith(_JSON_QUOTE)
        tool = None if is_value else _tool_of(word)
        if tool is None or (tool.only_with and tool.only_with not in words):
            continue
        yield from _secrets_of_tool(tool, words, index)
        tools += 1
        if tools == _MOST_TOOLS:
            return
    if not tools:
        yield from _without_a_tool(words)


def _without_a_tool(words: list[str]) -> Iterator[SecretPart]:
    """Secrets that show by their options alone."""
    takes_password = not _AS_USER.isdisjoint(words) and not _begins_without_password(words)
    for at, word in enumerate(words):
        option = words[at - 1] if at else ""
        if takes_password and option in _PASSWORD_OPTIONS and is_mixed(word):
            yield SecretPart(at, 0, len(word), f"{option} {word}")
        shared = _SHARE_USER.fullmatch(word) if option == "-u" else None
        if shared:
            yield SecretPart(at, *shared.span(1), f"{option} {word}")
        account = _ACCOUNT.fullmatch(word) if ":" in word else None
        if account and is_mixed(account[1]):
            yield SecretPart(at, *account.span(1), word)


_PASSWORD_OPTIONS = ("-p", "-P", "-pw")


def _begins_without_password(words: list[str]) -> bool:
    """Whether one of the programs at the beginning takes no password under -p."""
    names = [posixpath.basename(word) for word in words[:4]]
    return any(_NO_PASSWORD.fullmatch(name) for name in names)


def _tool_of(word: str) -> _Tool | None:
    if len(word) > 60:
        return None
    name = posixpath.basename(word).removeprefix(_JSON_QUOTE)
    return _tool(name) if name and _NAME.fullmatch(name) else None


@lru_cache(maxsize=1024)
def _tool(name: str) -> _Tool | None:
    return next((tool for tool in _TOOLS if re.fullmatch(tool.names, name)), None)


def _secrets_of_tool(tool: _Tool, words: list[str], index: int) -> Iterator[SecretPart]:
    for at in range(index + 1, len(words)):
        yield from _secrets_of_word(tool, words, at)
    takes_last = tool.last and any(re.fullmatch(tool.last, word) for word in words)
    if not takes_last or _NAMED.match(words[-1]):
        return
    least = 2 if tool.names == "vault" else 3
    if len(words) - index > least:
        yield from _part(tool, words, len(words) - 1, 0, words[-2])


def _secrets_of_word(tool: _Tool, words: list[str], at: int) -> Iterator[SecretPart]:
    """The secret of one word: the next word's, behind `=`, or joined to a short option."""
    word = words[at]
    following = words[at + 1] if at + 1 < len(words) else "-"
    takes_next = word in tool.options or (tool.after == ":" and _CLUSTER.fullmatch(word))
    if takes_next and not following.startswith("-"):
        yield from _part(tool, words, at + 1, 0, word)
        return
    if word.startswith("--"):
        option, equals, _ = word.partition("=")
        if equals and option in tool.options:
            yield from _part(tool, words, at, len(option) + 1, option)
        return
    if word.startswith("-pass"):
        return
    for option in tool.attached:
        if word.startswith(option) and word != option:
            yield from _part(tool, words, at, len(option), option)


def _part(tool: _Tool, words: list[str], at: int, start: int, option: str) -> Iterator[SecretPart]:
    """The secret in one word behind an option of a tool, if there is one."""
    word = words[at]
    if tool.after:
        begin = word.find(tool.after, start)
        if begin < 0:
            return
        start = begin + len(tool.after)
    end = len(word)
    if tool.after == ";" and word.find(";", start) > start:
        end = word.find(";", start)
    if start < end and not _PORTS.fullmatch(word, start, end):
        yield SecretPart(at, start, end, f"{option} {word}" if start == 0 else word)


def command_secrets(text: str, low: str, mark: Mark) -> str:
    """The text with the secrets of the command lines in it replaced."""
    if '["' in text and _SIGN.search(low):
        text = _WORDS_OF_LIST.sub(lambda hit: _redacted_list(hit[0], mark), text)
    pieces: list[str] = []
    done = 0
    while option := _OPTION.search(text, done):
        start, end = _logical_line(text, option.start(), option.end(), done)
        line = text[start:end]
        pieces += (
            text[done:start],
            _redacted_line(line, mark) if _SIGN.search(line.lower()) else line,
        )
        done = end
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def _logical_line(text: str, left: int, right: int, done: int) -> tuple[int, int]:
    """The line around a place, with the lines that belong to it.

    Those that it continues (after `done`) and those that continue it.
    """
    start = max(done, text.rfind("\n", done, left) + 1)
    while start > done and _is_continued(text, start - 1):
        start = max(done, text.rfind("\n", done, start - 1) + 1)
    end = text.find("\n", right)
    while end >= 0 and _is_continued(text, end):
        end = text.find("\n", end + 1)
    return start, len(text) if end < 0 else end


def _is_continued(text: str, newline: int) -> bool:
    """Whether the line that ends at this place continues, for a shell, on the next one."""
    return text[max(0, newline - 2) : newline].rstrip("\r").endswith("\\")


def _redacted_list(text: str, mark: Mark) -> str:
    """A command line as a list in a text: ["redis-cli", "-a", "x"], with or without commas."""
    spots = [(match.start(1), match.end(1)) for match in _QUOTED.finditer(text)]
    pieces: list[str] = []
    done = 0
    for part in sorted(secret_parts([text[left:right] for left, right in spots])):
        left = spots[part.word][0] + part.start
        right = spots[part.word][0] + part.end
        if left < done:
            continue
        pieces += (text[done:left], mark_password(text[left:right], part.phrase, mark))
        done = right
    return "".join([*pieces, text[done:]])


def _redacted_line(text: str, mark: Mark, depth: int = 0) -> str:
    """The line without the secrets in the arguments of known tools.

    depth: how many quoted command lines it is in: docker exec web sh -c 'curl -u ...'.
    """
    pieces: list[str] = []
    written_to = read_to = 0
    for match in _ANY.finditer(text):
        if match.start() < read_to:
            continue  # another tool among the words of the last command, which were all read
        spans = _shell_words(text, match.start())
        read_to = spans[-1][1] if spans else match.end()
        for left, right, part in _hidden_places(text, spans, depth):
            if left < written_to or left >= right:
                continue
            hidden = text[left:right]
            if part:
                new = mark_password(hidden, part, mark)
            else:
                new = _redacted_line(hidden, mark, depth + 1)
            pieces += (text[written_to:left], new)
            written_to = right
    return "".join([*pieces, text[written_to:]])


def _hidden_places(
    text: str, spans: list[tuple[int, int]], depth: int
) -> list[tuple[int, int, str]]:
    """The secrets of a command, each with the phrase that names it, and the command lines in quotes
    among its words, which have the phrase ""."""
    places: list[tuple[int, int, str]] = []
    secret_words: set[int] = set()
    for part in secret_parts([text[left:right] for left, right in spans]):
        begin = spans[part.word][0]
        places.append(
            (*_place_within_quotes(text, begin + part.start, begin + part.end), part.phrase)
        )
        secret_words.add(part.word)
    if depth < _MOST_QUOTES:
        places += (
            (left + 1, right - 1, "")
            for at, (left, right) in enumerate(spans)
            if at not in secret_words and text[left] in "\"'" and " " in text[left:right]
        )
    return sorted(places)


def _shell_words(text: str, start: int) -> list[tuple[int, int]]:
    """The spans of the words of the command that begins here."""
    spans: list[tuple[int, int]] = []
    at = start
    while piece := _SHELL.search(text, at, start + _LONGEST_COMMAND):
        if piece["end"]:
            break
        if piece["word"]:
            spans.append(piece.span())
        at = piece.end()
    return spans


def _place_within_quotes(text: str, left: int, right: int) -> tuple[int, int]:
    """A part of a word without the quotes around it, or the one that ends it."""
    if text[right - 2 : right] in ('\\"', "\\'"):  # as JSON has them
        return (left + 2 if text[left] == "\\" else left), right - 2
    quote = text[left]
    if quote in "\"'" and text[right - 1] == quote and right - left > 2:
        return left + 1, right - 1
    return (left, right - 1) if text[right - 1] in "\"'" else (left, right)


def redact_words(words: list[str], mark: Mark) -> list[str]:
    """The words of a command line with its tool's secrets replaced."""
    out = list(words)
    done: set[int] = set()
    for part in sorted(secret_parts(words)):
        if part.word in done:
            continue
        done.add(part.word)
        word = words[part.word]
        raw = word[part.start : part.end]
        out[part.word] = (
            word[: part.start] + mark_password(raw, part.phrase, mark) + word[part.end :]
        )
    return at_places_in_words(out, mark)
