"""Programs whose image lacks a part that its package manager has: scripts stand for the managers,
since a box has no internet."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.named_settings import AT_START, ended
from tests.lab.scenarios.programs.helpers import GOOD, logs, run

IN_LOG = "container.errors-in-log"
_LIBRARY = "libXrender.so.1"
_RENDERS = f"""#!/bin/sh
echo 'info: Microsoft.Hosting.Lifetime[0]
      Application started. Press Ctrl+C to shut down.'
while sleep 1; do
    test -e /usr/lib/{_LIBRARY} && continue
    echo 'fail: Microsoft.AspNetCore.Server.Kestrel[13]
      An unhandled exception was thrown by the application.
      System.Exception: /app/pdf: error while loading shared libraries: {_LIBRARY}: cannot open shared object file: No such file or directory
         at Shop.Invoices.Render(String html)'
done
"""
_APK = b"""#!/bin/sh
test "$1 $2" = "add --no-cache" && mkdir -p /usr/lib && touch /usr/lib/${3#so:}
"""


def _renderer(box: Box, name: str, *libraries: str) -> None:
    """A program of .NET that calls another one, which is linked with a library."""
    files = {f"usr/lib/{library}": (b"", 0o755) for library in libraries}
    files |= {"app/shop": (_RENDERS.encode(), 0o755), "bin/apk": (_APK, 0o755)}
    load(box, f"{name}:1", Recipe(files, ('CMD ["/app/shop"]',)))
    run(box, name, *GOOD, f"{name}:1")
    box.wait_for(lambda: "started" in logs(box, name), what="its first line")


@fault(IN_LOG, subject="container:invoices30", shareable=True)
def library_that_another_program_needs(box: Box) -> None:
    """Each request ends since the image lacks a library; the command installs it."""
    _renderer(box, "invoices30")
    box.wait_for(lambda: logs(box, "invoices30").count("Kestrel") > 4, what="the errors")
    command = first_command(box, IN_LOG, "invoices30")
    box.docker("exec", "invoices30", "test", "!", "-e", f"/usr/lib/{_LIBRARY}")
    box.sh(command)
    box.docker("exec", "--user=0", "invoices30", "rm", f"/usr/lib/{_LIBRARY}")
    seen = logs(box, "invoices30").count("Kestrel")
    box.wait_for(lambda: logs(box, "invoices30").count("Kestrel") > seen, what="the error again")


@healthy(shareable=True)
def library_that_is_there(box: Box) -> None:
    """The same image with the library."""
    _renderer(box, "invoices31", _LIBRARY)


_R = b"""#!/bin/sh
case "$*" in *install.packages*) mkdir -p /usr/lib/R/library/shinythemes; exit 0;; esac
test -d /usr/lib/R/library/shinythemes && exec sleep 1000
echo 'Error in library(shinythemes) : there is no package called "shinythemes"
Execution halted' >&2
exit 1
"""


@fault(AT_START, subject="container:cells30", shareable=True)
def package_that_is_built_into_an_image(box: Box) -> None:
    """A program in R lacks a package; the command builds an image that has it."""
    load(box, "cells30:1", Recipe({"bin/R": (_R, 0o755)}, ('CMD ["R", "-e", "run()"]', "USER app")))
    run(box, "cells30", *GOOD, "cells30:1")
    assert "no package called" in ended(box, "cells30")
    build, _, recreate = first_command(box, AT_START, "cells30").partition(" && ")
    assert recreate == "diagnose recreate cells30 --image cells30:mended | sh"
    box.sh(build)
    assert box.docker("image", "inspect", "--format", "{{.Config.User}}", "cells30:mended").stdout
    run(box, "cells31", *GOOD, "cells30:mended")
    box.wait_state("cells31", "running")
