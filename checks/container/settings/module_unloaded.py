"""container.module-unloaded: a module of a program has settings, and is not loaded."""

from diagnose.evidence.containers.settings.unloaded_modules import UnloadedModule, UnloadedModules
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check


@check(
    "container.module-unloaded",
    severity=Severity.advice,
    aloud=(
        "does not load a module that it has settings for",
        "do not load modules that are set up",
    ),
)
def module_unloaded(unloaded_modules: UnloadedModules) -> CheckResult:
    """A program does not load a module for which it has settings.

    Odoo runs jobs of `queue_job` only where its list of server-wide modules has that. PostgreSQL
    takes settings of `pg_cron` and other libraries, and ignores them where it does not preload the
    library. Neither logs anything. The check reads the command, the variables, and the file of
    settings as the container sees it. Where another container of the same image loads the module,
    nothing is said.
    """
    for unloaded in unloaded_modules:
        yield _finding(unloaded)


def _finding(unloaded: UnloadedModule) -> Finding:
    container = unloaded.container
    module = unloaded.module
    loads = f"only {unloaded.listed}" if unloaded.listed else "no such module"
    return Finding.about(
        container,
        f'{container} has a setting for its module "{module}" but does not load it: it loads {loads}',
        {"setting": unloaded.setting, f"modules to load, by {unloaded.listed_in}": unloaded.listed},
        discriminator=module,
        recheck=(container.run,),
        variables={"module": module, "wanted": ",".join(filter(None, (unloaded.listed, module)))},
    )
