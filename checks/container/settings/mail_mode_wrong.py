"""container.mail-mode-wrong: a container begins its calls of a mail server in the wrong way."""

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
    minutes shows a call that failed in this way, and advice where only the variables show it:
    programs give such names other meanings.
    """
    for mode in mail_modes:
        begins = "with TLS" if mode.at_once else "in plain text (STARTTLS)"
        wants = "in plain text (STARTTLS)" if mode.at_once else "with TLS"
        yield Finding.about(
            mode.container,
            sentence(
                f"{mode.container} begins its connections to a mail server {begins}, but port "
                f"{mode.port} expects them to begin {wants}",
                "" if mode.line else "its log does not say so yet",
            ),
            present(
                {
                    f"Config.Env {mode.port_variable}": str(mode.port),
                    f"Config.Env {mode.mode_variable}": mode.value,
                    "log": shortened(mode.line, 160),
                }
            ),
            severity=Severity.warning if mode.line else Severity.advice,
            discriminator=mode.mode_variable,
            recheck=(mode.container.run,),
            variables=_change(mode),
        )


def _change(mode: MailMode) -> PageVariables:
    """The variable that makes port and mode agree.

    A switch goes off: STARTTLS is then used where the server offers it. Otherwise the port is that
    of the mode.
    """
    if mode.mode_variable == mode.port_variable:
        return {}
    if mode.at_once and mode.is_switch:
        return {"correct": f"{mode.mode_variable}=false"}
    port = TLS_PORT if mode.at_once else STARTTLS_PORT
    return {"correct": f"{mode.port_variable}={port}"}
