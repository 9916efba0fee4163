"""image.newer-passed-over: a deployment has brought a newer image, and did not use it."""

from diagnose.evidence.images.passed_over import PassedOverImage, PassedOverImages
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check


@check(
    "image.newer-passed-over",
    severity=Severity.advice,
    aloud=(
        "runs an older image than the one that was pulled",
        "run older images than those that were pulled",
    ),
)
def newer_passed_over(passed_over: PassedOverImages, clock: Clock) -> CheckResult:
    """A container was made from an older image than the one that was brought for it.

    A deployment pulls a version, and the compose file names another tag, such as `latest`, which
    keeps its former build: the deployment succeeds, and the former program runs. The check reports
    it where an image of the same repository, a newer build, got its name here in the hour before
    the container was made, later than the container's own image did, and no container uses it.
    """
    for image in passed_over:
        yield _finding(image, clock)


def _finding(image: PassedOverImage, clock: Clock) -> Finding:
    container = image.container
    reference = container.config.image
    return Finding.about(
        container,
        f"{container} was created {clock.ago(container.created_at)} from {reference}, an older build "
        f"than {image.newer}, which was pulled or built here {clock.ago(image.brought_at)} "
        "and which no container uses",
        {"image of the container": reference, "newer build that is not used": image.newer},
        discriminator=image.newer,
        recheck=(container.run,),
        variables={"reference": reference, "newer": image.newer},
    )
