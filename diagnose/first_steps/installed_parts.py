"""The command that installs a part that an image lacks, with the image's own package manager.

Alpine and Red Hat find a package by the library that it has. Debian calls packages of libraries
after them: libXrender.so.1 is in libxrender1 (Debian Policy, 8.1). R and Perl have one name for a
package and for the module that a program loads. That does not hold for Python: cv2 is in
opencv-python, and a wrong name installs a stranger's code.
"""

import posixpath

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

_LIBRARY = LazyPattern(r"(?P<stem>[A-Za-z][\w.+-]{0,60})\.so(?P<version>(?:\.\d{1,4}){0,3})")
_OF_WHEELS = LazyPattern(
    r"lib(?:c10|caffe2|cublas|cudart|cudnn|cufft|cupti|curand|cusolver|cusparse|nccl|nv\w{2,20}|tensorflow|torch)"
)
"""Libraries of PyTorch, TensorFlow and CUDA, which come with wheels or NVIDIA's own packages: no
distribution has them."""
_IMAGE = LazyPattern(r"[\w][\w./:@-]{0,200}")
_PART = LazyPattern(r"[A-Za-z][\w.:]{0,80}")
_OF_GLIB = frozenset({"libgio-2.0", "libglib-2.0", "libgobject-2.0", "libgthread-2.0"})
"""Libraries that one package has, which is named after another one."""
_INSTALLS_LIBRARY = (
    "if command -v apk >/dev/null; then apk add --no-cache so:{library}; "
    'elif command -v dnf >/dev/null; then dnf install -y "{library}()(64bit)"; '
    "else apt-get update && apt-get install -y "
    "$(apt-cache pkgnames | grep -Ex '{package}(\\.[0-9]+)?(t64|v5|-turbo)?' | sort | tail -n 1) && "
    "ldconfig -p | grep -F {library}; fi"
)
"""Debian's releases since 2024 have some packages under a name that ends in t64."""
_INSTALLS = {
    "r-package": """R -q -e 'install.packages("{part}"); library("{part}")'""",
    "perl-module": "cpanm {part} || cpan -T {part}",
}
_INSTALLS_FONTS = (
    "if command -v apk >/dev/null; then apk add --no-cache fontconfig ttf-dejavu; "
    "elif command -v dnf >/dev/null; then dnf install -y fontconfig dejavu-sans-fonts; "
    "else apt-get update && apt-get install -y fontconfig; fi"
)
"""Debian's fontconfig brings a font with it."""
_LIBRARY_FAILURES = ("library-missing", "shared-library")


def installer_of(failure: Recognised | None) -> str:
    """The command of a shell that installs what a program misses; "" where none is known."""
    if failure is None:
        return ""
    values = failure.values
    if failure.name == "java-fonts":
        return _INSTALLS_FONTS
    if failure.name in _LIBRARY_FAILURES:
        return _library_installer(values.get("library") or values.get("library_musl") or "")
    template = _INSTALLS.get(failure.name, "")
    part = values.get("module", "").replace("/", "::")
    return template.replace("{part}", part) if template and _PART.fullmatch(part) else ""


def _library_installer(library: str) -> str:
    match = _LIBRARY.fullmatch(posixpath.basename(library))
    if match is None or _OF_WHEELS.match(match["stem"]):
        return ""
    package = _debian_package(match["stem"], match["version"])
    return _INSTALLS_LIBRARY.replace("{library}", match[0]).replace("{package}", package)


def _debian_package(stem: str, version: str) -> str:
    """A pattern for the package of Debian that has a library: its name, and its version behind it.

    Of 50 libraries that users miss it finds 49 in Debian 12; some packages leave out a hyphen or
    the version.
    """
    if stem in _OF_GLIB:
        return r"libglib2\.0-0"
    name, number = (
        text.lower().replace("_", "-").replace(".", r"\.").replace("+", "[+]")
        for text in (stem, version.lstrip("."))
    )
    number_pattern = f"(-?{number})?" if stem[-1].isdigit() and number else number
    return name.replace("-", "-?") + number_pattern


def mended_image(container: Container, failure: Recognised | None) -> PageVariables:
    """The variables of a page that builds an image with the part, for a program that has ended."""
    image = container.config.image
    if failure is None or not _IMAGE.fullmatch(image) or image.startswith("sha256:"):
        return {}
    java = _newer_java(container, failure)
    installer = installer_of(failure)
    user = container.config.user
    if java:
        steps = [f"FROM {image}", *java]
    elif installer:
        steps = [f"FROM {image}", "USER 0", f"RUN {installer}", *([f"USER {user}"] if user else [])]
    else:
        return {}
    return {"dockerfile": "\n".join(steps), "mended": container.mended_image}


def _newer_java(container: Container, failure: Recognised) -> list[str]:
    """The steps that put a newer Java beside the image's own, before it in the search path.

    Nothing where the command names its Java by a path. Images of Alpine need one for their C
    library.
    """
    words = container.config.words
    if failure.name != "java-class-version" or not words or words[0] != "java":
        return []
    kind = "-alpine" if _is_of_alpine(container) else ""
    source = f"eclipse-temurin:{failure.values['built']}-jre{kind}"
    return [
        f"COPY --from={source} /opt/java/openjdk /opt/java/newer",
        "ENV JAVA_HOME=/opt/java/newer PATH=/opt/java/newer/bin:$PATH",
    ]


def _is_of_alpine(container: Container) -> bool:
    """Whether the image's name or its variables say that it is made from Alpine."""
    variable_names = (name for name, _ in container.config.environment)
    return any("alpine" in text.lower() for text in (container.config.image, *variable_names))
