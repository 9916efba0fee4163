"""Lines in which docker and compose list the end of a container, and which are not a message of its
program."""

from diagnose.programs.failures.recognition import Failure

LISTED_ENDS = (
    Failure(
        name="killed",
        mark="exited with code 137",
        pattern=r"\bexited with code 137\b",
        cause="something sent SIGKILL: the kernel for memory beyond the container's limit or for short memory of the host, "
        "or docker stop after ten seconds without an end",
        cure="docker inspect -f '{{.State.OOMKilled}}' CONTAINER prints true where memory was the reason; "
        "then docker update --memory gives more",
        confirmed_by="container.oom-killed",
    ),
    Failure(
        name="segmentation-fault",
        mark="exited with code 139",
        pattern=r"\bexited with code 139\b",
        cause="the program ended by a segmentation fault (SIGSEGV): a defect of the program or of a library, "
        "or an image that was built for another processor",
        cure="pull the image again, or take another release of it; dmesg | grep segfault names the library",
        confirmed_by="container.crashed",
    ),
    Failure(
        name="command-not-found",
        mark="exited with code 127",
        pattern=r"\bexited with code 127\b",
        cause="a shell or the runtime did not find the program that it was to run",
        cure="docker logs --tail 5 CONTAINER names the program; correct command or entrypoint, or build the image with it",
        confirmed_by="container.entrypoint-missing",
    ),
    Failure(
        name="listed-as-restarting",
        mark="restarting (",
        pattern=r"\bRestarting \((?P<code>\d{1,3})\) [^\n]{0,60}ago(?:\s[^\n]{0,300}?\s(?P<name>[\w.-]{1,255})\s*$)?",
        cause="the program of container {name} ends with code {code} again and again, and docker starts it each time",
        cure="docker logs --tail 30 {name} shows what it prints before it ends: ask about that",
        confirmed_by="container.restart-loop",
    ),
    Failure(
        name="listed-as-unhealthy",
        mark="(unhealthy)",
        pattern=r"\bUp [^\n(]{1,60}\(unhealthy\)(?:\s[^\n]{0,300}?\s(?P<name>[\w.-]{1,255})\s*$)?",
        cause="container {name} runs, and its health check fails",
        cure="docker inspect -f '{{json .State.Health}}' {name} shows what the health check printed",
        confirmed_by="container.unhealthy",
    ),
    Failure(
        name="nested-without-privileges",
        mark="apparmor detection and --privileged",
        pattern=r"AppArmor detection and --privileged mode might break",
        cause="the container of docker-in-docker (docker:dind) runs without --privileged, so the engine in it does not start",
        cure="GitLab: privileged = true below [runners.docker] in the runner's config.toml; "
        "compose: privileged: true; or mount the host's /var/run/docker.sock instead of dind",
        source="docker-library/docker#38",
    ),
)
"""The first row that fits counts."""
