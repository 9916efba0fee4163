"""Secrets in command lines that stand under a tool's own option: `mysql -pX`, `redis-cli -a X`, `curl -u name:X`.

Options with a telling name (`--password X`, `--token=X`) need no tool and are read by the scanner and by `fields`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from diagnose.redact.names import is_mixed, lazy
from diagnose.redact.shell import at_places_in_words, in_shell
from diagnose.redact.tokens import Mark
from diagnose.redact.values import mark_password


class _Tool(NamedTuple):
    """How a family of tools takes secrets. An option's part after `after` is secret, the whole when it is empty."""

    names: str
    options: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    after: str = ""
    only_with: str = ""
    last: tuple[str, ...] = ()


_USER = ("-u", "--user", "-U", "--proxy-user", "--auth", "-a", "--basic", "--userpwd")
_TOOLS = (
    _Tool(r"(?:mysql|mariadb)[\w-]*|mycli|proxysql", attached=("-p",)),
    _Tool(r"sshpass|cqlsh|ncftp\w*|mongo\w*", options=("-p",), attached=("-p",)),
    _Tool(r"influx|rabbitmqadmin|cypher-shell|couchbase-cli|elasticsearch-users|hydra", options=("-p",)),
    _Tool(r"redis-cli|valkey-cli|keydb-cli", options=("-a",), attached=("-a",)),
    _Tool(r"curl|wget|https?|xh", options=_USER, attached=("-u", "-U"), after=":"),
    _Tool(r"etcdctl|nats|rclone", options=("--user",), after=":"),
    _Tool(r"lftp", options=("-u",), after=","),
    _Tool(r"smbclient|rpcclient|winexe|net", options=("-U",), attached=("-U",), after="%"),
    _Tool(r"ldap\w+", options=("-w",), attached=("-w",)),
    _Tool(r"mosquitto_(?:pub|sub|rr)|ipmitool|sqlcmd|bcp|[it]sql|zip|unzip", options=("-P",), attached=("-P",)),
    _Tool(r"mosquitto_passwd", last=("-b",)),
    _Tool(r"7za?|unrar|rar", attached=("-p",)),
    _Tool(r"ssh-keygen", options=("-N", "-P")),
    _Tool(r"nodetool|jmxterm", options=("-pw",)),
    _Tool(r"swaks|sendemail", options=("-ap", "-xp")),
    _Tool(r"transmission-remote|ttyd", options=("-n", "-c"), after=":"),
    _Tool(r"transmission-daemon", options=("-v",)),
    _Tool(r"ss-(?:server|local|redir)|sslocal|ssserver", options=("-k",)),
    _Tool(r"frpc", options=("-t",)),
    _Tool(r"gitlab-runner", options=("-r",), only_with="register"),
    _Tool(r"filebrowser", only_with="users", last=("add",)),
    _Tool(r"bw", last=("login", "unlock")),
    _Tool(r"snmp\w+", options=("-c", "-A", "-X")),
    _Tool(
        r"docker|podman|nerdctl|buildah|skopeo|helm|oc|az|crane|oras|regctl",
        ("-p",),
        ("-p",),
        only_with="login",
    ),
    _Tool(r"vault", last=("login", "unseal")),
    _Tool(r"rabbitmqctl", last=("add_user", "change_password", "authenticate_user")),
    _Tool(r"htpasswd", last=("-b", "-nb", "-bn", "-cb", "-bc", "-Bb", "-nbB", "-bnB", "-Bbn", "-cBb")),
    _Tool(r"xfreerdp|rdesktop", ("-p",), ("/p:",)),
    _Tool(r"openssl", options=("-k", "-K")),
    _Tool(r"mc", last=("set", "add")),
)
_ANY = lazy(rf"(?<![\w.-])(?:{'|'.join(tool.names for tool in _TOOLS)})(?=[ \t])")
_SIGN = lazy(
    r"mysql|mariadb|mycli|sshpass|cqlsh|mongo|influx|-cli[ \"]|curl|wget|http[ \"]|etcd|lftp|smbcl|ldap|mosq|ipmi|sqlcmd"
    r"|zip|snmp|login|rabbit|htpass|rdp|openssl|mc[ \"]|cypher|couchb|elastics|hydra|isql|tsql|nodetool|jmxterm|swaks|sendemail"
    r"|transmission|ttyd|ss-|sslocal|ssserver|frpc|gitlab-runner|filebrowser|bw[ \"]|rar[ \"]|7z|keygen|ncftp|winexe|vault"
)
_OPTION = lazy(r" -[A-Za-z]| /p:| (?:login|unseal|add|add_user|change_password|authenticate_user|alias) ")
_WORDS_OF_LIST = lazy(r"\[\s*\"(?:[^\"\\\n]|\\.)*\"(?:\s*,?\s*\"(?:[^\"\\\n]|\\.)*\")+\s*\]")
_QUOTED = lazy(r"\"((?:[^\"\\\n]|\\.)*)\"")
_AS_USER = frozenset(("-u", "-U", "--user", "--username", "-l", "--login"))
_NO_PASSWORD = lazy(
    r"(?:docker|podman|nerdctl)[\w-]*|sudo|doas|su|ssh|scp|sftp|mkdir|install|rsync|cp|tar|psql|pg_\w+|mysql[\w-]*|mariadb[\w-]*"
)
"""Programs whose -p is something else, or the first of several programs."""
_CLUSTER = lazy(r"-[A-Za-z]{1,8}[uU]")
_WORD = lazy(r"(?:[^\s\"'|;&]|\"(?:[^\"\\]|\\.)*\"|'[^']*')+")
_SEGMENT_END = lazy(r"[|;\n]|&&")
_NAMED = lazy(r"-|[\w.-]+=")


class SecretPart(NamedTuple):
    """A secret part of a word: which word, from where to where, and the phrase that names it."""

    word: int
    start: int
    end: int
    phrase: str


def secret_parts(words: list[str]) -> Iterator[SecretPart]:
    """The secret parts of a command line, already split into words, by the first tool named in it."""
    for index, word in enumerate(words[:4]):
        tool = _tool(word.rpartition("/")[2])
        if tool and (not tool.only_with or tool.only_with in words):
            yield from _of_tool(tool, words, index)
            return
    if not _AS_USER.isdisjoint(words) and not any(
        _NO_PASSWORD().fullmatch(word.rpartition("/")[2]) for word in words[:4]
    ):
        for at, (option, word) in enumerate(itertools.pairwise(words), 1):
            if option in ("-p", "-P", "-pw") and is_mixed(word):
                yield SecretPart(at, 0, len(word), f"{option} {word}")


@lru_cache(maxsize=1024)
def _tool(name: str) -> _Tool | None:
    return next((tool for tool in _TOOLS if re.fullmatch(tool.names, name)), None)


def _of_tool(tool: _Tool, words: list[str], index: int) -> Iterator[SecretPart]:
    for at in range(index + 1, len(words)):
        word = words[at]
        takes_next = word in tool.options or (tool.after == ":" and _CLUSTER().fullmatch(word))
        if takes_next and at + 1 < len(words) and not words[at + 1].startswith("-"):
            yield from _part(tool, words, at + 1, 0, word)
        elif word.startswith("--"):
            option, equals, _ = word.partition("=")
            if equals and option in tool.options:
                yield from _part(tool, words, at, len(option) + 1, option)
        elif not word.startswith("-pass"):
            for option in tool.attached:
                if word.startswith(option) and len(word) > len(option):
                    yield from _part(tool, words, at, len(option), option)
    enough = len(words) - index > 3 - (tool.names == "vault")
    if tool.last and not set(tool.last).isdisjoint(words) and enough and not _NAMED().match(words[-1]):
        yield from _part(tool, words, len(words) - 1, 0, words[-2])


def _part(tool: _Tool, words: list[str], at: int, start: int, option: str) -> Iterator[SecretPart]:
    word = words[at]
    if tool.after:
        found = word.find(tool.after, start)
        if found < 0:
            return
        start = found + len(tool.after)
    if start < len(word):
        yield SecretPart(at, start, len(word), f"{option} {word}" if start == 0 else word)


def command_secrets(text: str, low: str, mark: Mark) -> str:
    """The text with the secrets of the command lines in it replaced."""
    text = in_shell(text, low, mark)
    if '["' in text and _SIGN().search(low):
        text = _WORDS_OF_LIST().sub(lambda m: _in_list(m[0], mark), text)
    pieces: list[str] = []
    done = 0
    while option := _OPTION().search(text, done):
        start = max(done, text.rfind("\n", done, option.start()) + 1)
        end = text.find("\n", option.end())
        end = len(text) if end < 0 else end
        line = text[start:end]
        pieces += (text[done:start], _in_line(line, mark) if _SIGN().search(line.lower()) else line)
        done = end
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def _in_list(text: str, mark: Mark) -> str:
    """A command line as a list in a text: ["redis-cli", "-a", "x"], with or without commas."""
    spots = [(found.start(1), found.end(1)) for found in _QUOTED().finditer(text)]
    for part in sorted(secret_parts([text[left:right] for left, right in spots]), reverse=True):
        left = spots[part.word][0]
        raw = text[left + part.start : left + part.end]
        text = text[: left + part.start] + mark_password(raw, part.phrase, mark) + text[left + part.end :]
    return text


def _in_line(text: str, mark: Mark) -> str:
    pieces: list[str] = []
    done = 0
    name, end = "", 0
    for found in _ANY().finditer(text):
        if found.start() < done or (found[0] == name and found.start() < end):
            continue  # the same tool again, among its own words
        name = found[0]
        stop = _SEGMENT_END().search(text, found.end())
        end = min(stop.start() if stop else len(text), found.start() + 4000)
        spans = [(word.start(), word.end()) for word in _WORD().finditer(text, found.start(), end)]
        words = [text[left:right] for left, right in spans]
        for part in sorted(secret_parts(words)):
            left, right = spans[part.word][0] + part.start, spans[part.word][0] + part.end
            quote = text[left]
            if quote in "\"'" and text[right - 1] == quote and right - left > 2:
                left, right = left + 1, right - 1
            elif text[right - 1] in "\"'":
                right -= 1
            raw = text[left:right]
            if left < done or not raw:
                continue
            pieces += (text[done:left], mark_password(raw, part.phrase, mark))
            done = right
    if not pieces:
        return text
    pieces.append(text[done:])
    return "".join(pieces)


def redact_words(words: list[str], mark: Mark) -> list[str]:
    """The words of a command line with its tool's secrets replaced."""
    out = list(words)
    for part in sorted(secret_parts(words), reverse=True):
        word = out[part.word]
        raw = words[part.word][part.start : part.end]
        out[part.word] = word[: part.start] + mark_password(raw, part.phrase, mark) + word[part.end :]
    return at_places_in_words(out, mark)
