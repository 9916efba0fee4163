"""Random hostile hosts, made by a grammar: what is in every place that a container controls.

A container, its image, or whoever wrote its compose file controls labels, environment, commands,
names, log lines, errors, health output, image history, volumes, the events of all these, and (with
rights) comments of rules. Texts are long, deep, repeated or mixed, and as many as an engine may
give.
"""

from __future__ import annotations

import copy
import functools
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import inspect

from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from diagnose.questions.question import typed
from diagnose.recording.recorder import RecordedAnswer
from tests.laws.patterns import RUNS, pattern_of
from tests.redact.worst import Worst, worst_texts

LONGEST = 64 << 10
"""Characters of one text: more than one line of an engine's log holds, and more than is searched
for secrets."""

_WORDS = (
    *("Cookie: ", "Authorization: Bearer ", "password=", "token=http://", "key: ", ":x@"),
    *("user:pa@", "x@sha256:", "https://a:b@c/"),
    *("curl -u a:", "mysql -p", "--password ", "AKIA", "ghp_", "-----BEGIN RSA PRIVATE KEY-----\n", "eyJ", "Set-Cookie: a=", "jdbc:"),
    *("no space left on device ", "connection refused ", "exec format error ", "Traceback (most recent call last):\n", "FATAL: "),
    *("lookup db on 127.0.0.11:53: ", "port is already allocated ", "permission denied ", "level=error msg=", "at java.lang.", "panic: "),
    *("{", "[", '{"a":', "<redacted:", "(", "((", "\\", '"', "'", "`", "$(", "${", "%s", "--", "-rf ", "- "),
    *("=", ";", ",", " ", "\t", "\n"),
    *("\r\n", "\0", "\x1b[32m", "\x1b]0;", "\x9b", "\x7f", "\u202e", "\u2066", "\ufeff", "é", "漢", "🐳", "\ud83d", "a", "A"),
    *("0", "f", "-", "_"),
    *("10.0.0.1", "::1", "0001-01-01T00:00:00Z", "2026-11-26T18:00:00.000000000Z ", "/var/lib/docker/", "../", "key.id=", "sha256:"),
)  # fmt: skip
_OPENING = {"{": "}", "[": "]", "(": ")", '{"a":': "}", "<": ">", "Some(": ")"}


def text(choice: random.Random) -> str:
    """One hostile text: `text = long | deep | repeated | mixed | read`."""
    form = choice.choice((_long, _deep, _repeated, _mixed, _mixed, _read))
    return form(choice)[:LONGEST]


def _length(choice: random.Random) -> int:
    return int(2 ** choice.uniform(2, 16))


def _long(choice: random.Random) -> str:
    return choice.choice(_WORDS) + choice.choice(_WORDS)[:1] * _length(choice)


def _deep(choice: random.Random) -> str:
    opening, closing = choice.choice(list(_OPENING.items()))
    depth = _length(choice) // len(opening)
    return (
        opening * depth + choice.choice(_WORDS) + (closing * depth if choice.random() < 0.5 else "")
    )


def _repeated(choice: random.Random) -> str:
    part = "".join(choice.choices(_WORDS, k=choice.randint(1, 3))) or "a"
    return (
        choice.choice(("", *_WORDS))
        + part * (_length(choice) // len(part) + 1)
        + choice.choice(("", "\x01", "\n"))
    )


def _mixed(choice: random.Random) -> str:
    return "".join(choice.choices(_WORDS, k=choice.randint(1, 300)))


def _read(choice: random.Random) -> str:
    """What a pattern of the checks or of the evidence reads, repeated or before a word."""
    run = choice.choice(list(RUNS.values()))
    worst = choice.choice(_worst_texts(pattern_of(run)))
    return worst.text(_length(choice)) + choice.choice(("", *_WORDS))


@functools.cache
def _worst_texts(pattern: re.Pattern[str]) -> list[Worst]:
    return list(worst_texts(pattern, tries=1))


Edit = Callable[[Any, random.Random], None]


def _texts(choice: random.Random, most: int = 200) -> list[str]:
    """Few long texts, or many of which most are short."""
    number = choice.choice((1, 2, 5, most))
    return [text(choice)[: LONGEST if number < most else 300] for _ in range(number)]


def _pairs(choice: random.Random) -> dict[str, str]:
    return {text(choice)[:2000]: value for value in _texts(choice)}


def _listed(answer: Any, choice: random.Random) -> None:
    """GET /containers/json."""
    for container in choice.sample(answer, k=min(len(answer), 3)):
        container["Labels"] = {**(container.get("Labels") or {}), **_pairs(choice)}
        container["Command"] = text(choice)
        container["Image"] = choice.choice((container["Image"], text(choice)))
        container["Status"] = choice.choice((container["Status"], text(choice)))


def _inspected(answer: Any, choice: random.Random) -> None:
    """GET /containers/ID/json: one to four of the places."""
    config, host, state = answer["Config"], answer["HostConfig"], answer["State"]
    places: list[Callable[[], Any]] = [
        lambda: config.update(Env=[f"{name}={value}" for name, value in _pairs(choice).items()]),
        lambda: config.update(Labels={**(config.get("Labels") or {}), **_pairs(choice)}),
        lambda: config.update(Cmd=_texts(choice), Entrypoint=_texts(choice)),
        lambda: config.update(Image=text(choice), User=text(choice), WorkingDir=text(choice), Hostname=text(choice)),
        lambda: config.update(Healthcheck={"Test": ["CMD-SHELL", *_texts(choice)]}),
        lambda: state.update(Error=text(choice), Status=choice.choice(("created", "exited")), ExitCode=127),
        lambda: state.update(Health={"Status": "unhealthy", "FailingStreak": 9, "Log": _probes(choice)}),
        lambda: host.update(Binds=_texts(choice), ExtraHosts=_texts(choice), Links=_texts(choice)),
        lambda: host.update(SecurityOpt=_texts(choice), CapAdd=_texts(choice), Dns=_texts(choice), DnsSearch=_texts(choice)),
        lambda: host.update(LogConfig={"Type": choice.choice(("json-file", text(choice))), "Config": _pairs(choice)}),
        lambda: answer.update(Mounts=[_mount(choice) for _ in range(choice.choice((1, 5, 100)))]),
        lambda: answer.update(Path=text(choice), Args=_texts(choice)),
        lambda: answer.update(Name="/" + text(choice)[:200].replace("\0", "")),
        lambda: answer["NetworkSettings"].update(Networks=_endpoints(answer, choice)),
    ]  # fmt: skip
    for place in choice.sample(places, k=choice.randint(1, 4)):
        place()


def _probes(choice: random.Random) -> list[Any]:
    begun, ended = "2026-11-26T18:00:00Z", "2026-11-26T18:00:01Z"
    return [
        {
            "Start": begun,
            "End": choice.choice((ended, text(choice))),
            "ExitCode": 1,
            "Output": text(choice),
        }
        for _ in range(5)
    ]


def _mount(choice: random.Random) -> dict[str, Any]:
    return {
        "Type": choice.choice(("bind", "volume", text(choice)[:50])),
        "Name": text(choice)[:300],
        "Source": "/" + text(choice),
        "Destination": "/" + text(choice),
        "RW": True,
    }


def _endpoints(answer: Any, choice: random.Random) -> dict[str, Any]:
    known = answer["NetworkSettings"].get("Networks") or {}
    for endpoint in known.values():
        endpoint["Aliases"] = _texts(choice)
        endpoint["DNSNames"] = _texts(choice)
    return {**known, text(choice)[:300]: {"NetworkID": "f" * 64, "Aliases": _texts(choice)}}


def _log(answer: Any, choice: random.Random) -> None:
    """GET /containers/ID/logs."""
    for key, value in list(answer.items()) if isinstance(answer, dict) else ():
        if isinstance(value, list):
            answer[key] = [*value, *_texts(choice)]
        elif isinstance(value, str):
            answer[key] = value + "\n" + "\n".join(_texts(choice))


def _anywhere(answer: Any, choice: random.Random) -> None:
    """One to twenty strings of any other answer."""
    places = list(_strings(answer))
    for holder, key in choice.sample(places, k=min(len(places), choice.randint(1, 20))):
        kept = holder[key] if choice.random() < 0.5 else ""
        holder[key] = kept + text(choice)


def _strings(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        items = ()
    for key, child in items:
        if isinstance(child, str):
            yield value, key
        else:
            yield from _strings(child)


EDITS: dict[str, Edit] = {"api.containers": _listed, "api.container": _inspected, "api.logs": _log}
CONTROLLED = (
    *("api.containers", "api.container", "api.logs", "api.events", "api.image", "api.images", "api.image_history", "api.volumes"),
    *("api.networks", "api.system_df", "api.archive", "kernel.log", "journal", "processes", "process", "nftables", "iptables"),
    *("file.read", "file.list", "file.stats", "netns", "netns.watched", "cgroups", "fs.walk", "fs.layers", "mounts"),
    *("api.info", "api.recheck", "deleted_files", "open_under", "listeners", "unit", "validate", "image.downloads"),
    *("api.services", "api.tasks", "api.nodes", "netns.filter", "dns.query", "site"),
)  # fmt: skip
"""Answers that hold what a container, its image or its program wrote, or what is called after it.
"""


MADE = (
    *("file.compose", "file.compose-contents", "file.compose-found", "file.compose-project", "file.compose-service"),
    *("file.compose-variables", "file.compose-volumes", "file.dollars", "file.emptied", "file.references", "file.texts"),
    *("file.builds", "file.built-pages", "file.hidden", "host.docker-jobs", "host.rule-flushes", "host.shell-variables"),
    *("cron.calls", "log_files", "net.host-calls", "net.page", "netns.callers", "api.logs.answered", "api.logs.since"),
)  # fmt: skip
"""Answers of readers of compose files, of files that these name, and of other files of users. No
recorded host has them: they are made from their types."""


def made_answer(question: AnyQuestion, choice: random.Random) -> Json:
    """An answer of the right shape, with hostile texts and with the question's own words in it."""
    plain = typed(question)
    words = [holder[key] for holder, key in _strings(_arguments(plain))]
    return _value(inspect.type_info(type(plain).ANSWER), words, choice)


def _arguments(question: AnyQuestion) -> dict[str, Any]:
    return {name: getattr(question, name) for name in question.__struct_fields__}


def _value(kind: inspect.Type, words: Sequence[str], choice: random.Random) -> Json:
    def several(item: inspect.Type) -> list[Json]:
        return [_value(item, words, choice) for _ in range(choice.choice((0, 1, 2, 5)))]

    match kind:
        case inspect.StrType():
            return choice.choice((text(choice), *words))
        case inspect.BoolType():
            return choice.random() < 0.5
        case inspect.IntType():
            return choice.choice((-1, 0, 1, 80, 2**31, 2**62))
        case inspect.FloatType():
            return choice.choice((-1.0, 0.0, 1e9, 1e300))
        case inspect.LiteralType():
            return choice.choice(kind.values)
        case inspect.UnionType():
            return _value(choice.choice(kind.types), words, choice)
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType():
            return several(kind.item_type)
        case inspect.FrozenSetType():
            return several(kind.item_type)
        case inspect.DictType():
            keys = map(str, several(kind.key_type))
            return {key: _value(kind.value_type, words, choice) for key in keys}
        case inspect.StructType():
            fields = kind.fields
            return {field.encode_name: _value(field.type, words, choice) for field in fields}
    return None


COMPOSED = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.oneoff": "False",
    "com.docker.compose.project.working_dir": "/srv/shop",
    "com.docker.compose.project.config_files": "/srv/shop/compose.yaml,/srv/shop/compose.prod.yaml",
}


def composed(recording: Mapping[AnyQuestion, RecordedAnswer]) -> dict[AnyQuestion, RecordedAnswer]:
    """The recorded host, all of whose containers are of one compose project with files."""
    changed = dict(recording)
    for question, entry in recording.items():
        if question.kind == "api.container" and not isinstance(entry.answer, Failed):
            answer: Any = copy.deepcopy(entry.answer)
            config = answer["Config"]
            config["Labels"] = {**(config.get("Labels") or {}), **COMPOSED}
            changed[question] = RecordedAnswer(answer)
    return changed


def hostile_host(
    recording: Mapping[AnyQuestion, RecordedAnswer], choice: random.Random
) -> tuple[dict[AnyQuestion, RecordedAnswer], list[AnyQuestion]]:
    """The recorded host with hostile texts in one to six of its answers, and which answers these
    are."""
    candidates = [
        question
        for question, entry in recording.items()
        if question.kind in CONTROLLED and not isinstance(entry.answer, Failed) and entry.answer
    ]
    kinds = sorted({question.kind for question in candidates})
    changed: dict[AnyQuestion, RecordedAnswer] = dict(recording)
    chosen = []
    for kind in choice.choices(
        kinds, weights=[4 if kind in EDITS else 1 for kind in kinds], k=choice.randint(1, 6)
    ):
        question = choice.choice([candidate for candidate in candidates if candidate.kind == kind])
        answer = copy.deepcopy(changed[question].answer)
        edit = EDITS.get(kind, _anywhere) if choice.random() < 0.8 else _anywhere
        edit(answer, choice)
        changed[question] = RecordedAnswer(answer)
        chosen.append(question)
    return changed, chosen
