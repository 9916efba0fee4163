"""network.slow-answers-cut: nginx gives up requests before the program has answered them."""

from diagnose.evidence.network.proxies.nginx.slow_answers import SlowAnswer, SlowAnswers
from diagnose.first_steps.network.nginx_edits import nginx_edit
from diagnose.mappings import present
from diagnose.model import CheckResult, Count, Finding, PageVariables, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check

_LONGER = "300s"


@check(
    "network.slow-answers-cut",
    severity=Severity.warning,
    aloud=("answers some requests too late", "answer some requests too late"),
    causes=("container.answers-with-errors", "container.errors-in-log"),
)
def slow_answers_cut(slow_answers: SlowAnswers, *, least: Count = Count(3)) -> CheckResult:
    """nginx gives up requests before the program has answered them.

    Its clients get 504 after exactly 60 s, or as long as proxy_read_timeout says. The program
    works: other requests to it are answered meanwhile. A report, an import or an answer of a
    language model takes longer than that. It is advice where that was seen fewer than `least`
    times, and where the path is one at which clients wait for news: they ask again.
    """
    for slow in slow_answers:
        yield _finding(slow, least)


def _finding(slow: SlowAnswer, least: int) -> Finding:
    hop = slow.hop
    is_minor = slow.times < least or slow.may_wait_for_news
    setting = "proxy_read_timeout is not set there, and is 60 s by default"
    if hop.read_timeout:
        setting = f"proxy_read_timeout is {hop.read_timeout} there"
    return Finding.about(
        slow.program,
        sentence(
            f"{hop.label} gives up {shortened(slow.what, 60)} of {slow.program} after {slow.limit} "
            f"({count(slow.times, 'time')} recently), and other requests are answered",
            f"{setting}",
        ),
        present(
            {
                "log": shortened(slow.line, 160),
                "where that is set": f"{hop.directive} in {slow.file.on_host or slow.file.path_inside}",
            }
        ),
        discriminator=hop.directive,
        severity=Severity.advice if is_minor else None,
        touches=(slow.proxy.subject,),
        signs=frozenset({"timeout"}),
        recheck=(slow.program.run,),
        variables={"proxy": slow.proxy.name, "longer": _LONGER, **_edit(slow)},
    )


def _edit(slow: SlowAnswer) -> PageVariables:
    """The page variables that let nginx wait longer: in the place of the present time, or before
    the proxy_pass of the location."""
    hop = slow.hop
    if hop.read_timeout:
        old = f"proxy_read_timeout  *{hop.read_timeout};"
        return nginx_edit(hop, slow.file, f"s|{old}|proxy_read_timeout {_LONGER};|")
    target = hop.target.replace(".", "[.]").replace("$", "[$]")
    added = f"proxy_read_timeout {_LONGER};"
    return nginx_edit(hop, slow.file, f"s|proxy_pass  *{target};|{added} &|")
