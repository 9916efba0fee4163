"""network.answers-untranslated: a server's answers come to the host, and to no container."""

from diagnose.evidence.network.sockets.untranslated_answers import (
    UntranslatedAnswer,
    UntranslatedAnswers,
)
from diagnose.first_steps.network.untranslated_steps import untranslated_steps
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check


@check(
    "network.answers-untranslated",
    severity=Severity.warning,
    causes=["container.errors-in-log", "network.call-unanswered", "network.calls-failing"],
)
def answers_untranslated(untranslated_answers: UntranslatedAnswers) -> CheckResult:
    """A server answers a container from another port, and the answer is lost.

    The host translates what a container sends (NAT), and knows an answer by both ports of the call.
    TFTP answers from a new port, cameras (RTSP) and telephones (SIP) send pictures and sound to the
    port that the call named. Such packets end at the host. It shows in the kernel's table of
    connections: packets of a server that the container has called came to a port of the host at
    which nobody listens, and the container waits for UDP at that number. Its log must say
    repeatedly that something does not come.
    """
    for answer in untranslated_answers:
        yield _finding(answer)


def _finding(answer: UntranslatedAnswer) -> Finding:
    container = answer.container
    called = (
        f"port {answer.called_port} ({answer.protocol})" if answer.called_port else "another port"
    )
    return Finding.about(
        container,
        sentence(
            f"{container} gets nothing over UDP from {answer.server}, which it called at {called}",
            f"that server sends from its port {answer.from_port} to port {answer.port} of this host, "
            "which belongs to no call that the host knows",
        ),
        {"log": shortened(answer.line, 160), "UDP socket inside": str(answer.port)},
        signs=frozenset({"timeout"}),
        recheck=(container.run,),
        variables=untranslated_steps(answer),
    )
