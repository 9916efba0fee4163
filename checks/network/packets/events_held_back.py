"""network.events-held-back: nginx holds back a stream of events that a program sends."""

from diagnose.evidence.network.proxies.nginx.held_events import AllHeldEvents, HeldEvents
from diagnose.first_steps.network.nginx_edits import lines_before
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check

_PASSED_ON = "proxy_buffering off; proxy_cache off;"


@check("network.events-held-back", severity=Severity.warning)
def events_held_back(all_held_events: AllHeldEvents) -> CheckResult:
    """nginx holds back a stream of events that a program sends.

    Chats, progress bars and live logs show nothing, or everything at once at the end. nginx
    collects a program's output until a buffer is full, unless proxy_buffering is off, or the
    program forbids it in its header X-Accel-Buffering.

    The access log shows clients that waited at a path of such a stream, and went without a byte
    (status 499): three or more within five minutes, and none that got any. nginx's configuration is
    read then, and the program is asked for that path, without cookie or login: its answer is a
    stream of events, or wants a login where the path says that it is one.

    It is not asked where clients send data (POST), as to language models: that the answer is a
    stream is then a guess by the path, and is called so.
    """
    for stream in all_held_events:
        yield _finding(stream)


def _finding(stream: HeldEvents) -> Finding:
    hop = stream.hop
    reply = stream.reply
    setting = "proxy_buffering is not off there"
    unsure = ""
    asked_evidence = {}
    if reply is None:
        unsure = ", if that answer is a stream; else the program is slower than they wait"
    else:
        answer = reply.kind
        if not stream.is_seen:
            unsure = ", if that is a stream of events (the program wants a login)"
            answer = f"HTTP status {reply.status}, which wants a login"
        asked_evidence = {
            f"GET {shortened(hop.sent_path(stream.path), 60)} at the program": answer,
            "X-Accel-Buffering": reply.buffering or "not sent",
        }
    return Finding.about(
        stream.program,
        sentence(
            f"clients of {stream.program} wait for {shortened(stream.path, 60)} and leave without "
            f"having received a byte ({count(stream.times, 'time')} recently)",
            f"{hop.label} buffers what the program sends: {setting}{unsure}",
        ),
        present(
            {
                "log": shortened(stream.line, 160),
                **asked_evidence,
                "where that is set": f"{hop.directive} in {stream.file.on_host or stream.file.path_inside}",
            }
        ),
        discriminator=hop.directive,
        touches=subjects_of([hop.proxy]),
        recheck=(stream.program.run,),
        variables=lines_before(hop, stream.file, _PASSED_ON),
    )
