"""network.sub-path-unknown: a program does not know the path at which a proxy serves it."""

from diagnose.evidence.network.proxies.pages.strayed_pages import StrayedPages
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check


@check("network.sub-path-unknown", severity=Severity.warning)
def sub_path_unknown(strayed_pages: StrayedPages) -> CheckResult:
    """A program does not know the path of the site at which a proxy serves it.

    Its pages load, and ask for their scripts and styles at the root of the site, where the proxy
    has none: the page stays blank. The access log of the proxy shows it, where it names the page
    that asks: at least four requests for two or more scripts and styles, all of them outside the
    page's path and all answered with 404.
    """
    for page in strayed_pages:
        yield Finding.about(
            page.container,
            sentence(
                f"{page.container} has none of the scripts that pages below {page.below} ask for "
                f"({count(page.times, 'time')} recently: {shortened(page.files[0], 60)})",
                f"the program behind {page.below} believes that it is served at /",
            ),
            {"log": shortened(page.line, 160), "asked for": list(page.files[:4])},
            discriminator=page.below,
            recheck=(page.container.run,),
            variables={"below": page.below},
        )
