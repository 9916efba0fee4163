"""container.mail-mode-wrong: a container begins its calls of a mail server in the wrong way."""

from __future__ import annotations

from diagnose.evidence.containers.settings.mail_modes import (
    STARTTLS_PORT,
    TLS_PORT,
    MailMode,
    MailModes,
)
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check


@check("container.mail-mode-wrong", severity=Severity.warning)
def mail_mode_wrong(mail_modes: MailModes) -> CheckResult:
    """A container's variables pair a port of mail with the wrong kind of TLS.

    At port 465 a client begins with TLS. At 25, 587 and 2525 it begins in plain text, and asks for
    TLS by STARTTLS. With the other kind, the client reads the server's greeting as TLS, or both
    wait for each other until a time limit. It is a warning where the program's log of the last five
    minutes shows a call that failed in such a way, and advice by the variables alone: programs give
    such names other meanings.
    """
    for item in mail_modes:
        begins = "with TLS" if item.at_once else "in plain text (STARTTLS)"
        wants = "in plain text (STARTTLS)" if item.at_once else "with TLS"
        finding = Finding.about(
            item.container,
            sentence(
                f"{item.container} begins its calls of a mail server {begins}, and port {item.port} "
                f"wants them to begin {wants}",
                "" if item.line else "its log does not say so yet",
            ),
            present(
                {
                    f"Config.Env {item.port_variable}": str(item.port),
                    f"Config.Env {item.mode_variable}": item.value,
                    "log": shortened(item.line, 160),
                }
            ),
            severity=Severity.warning if item.line else Severity.advice,
            discriminator=item.mode_variable,
            stable=(item.container.life,),
        )
        yield finding.with_variables(_change(item))
    return None


def _change(item: MailMode) -> PageVariables:
    """The variable that makes the two agree.

    A switch goes off: STARTTLS is then used where the server offers it. Otherwise the port is that
    of the mode.
    """
    if item.mode_variable == item.port_variable:
        return {}
    if item.at_once and item.is_switch:
        return {"correct": f"{item.mode_variable}=false"}
    port = TLS_PORT if item.at_once else STARTTLS_PORT
    return {"correct": f"{item.port_variable}={port}"}
