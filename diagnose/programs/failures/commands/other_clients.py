"""Errors of programs that command an engine for a user: CI servers, managers, test libraries."""

from diagnose.programs.failures.recognition import Failure

OTHER_CLIENTS = (
    Failure(
        name="portainer-environment",
        mark="is unreachable",
        pattern=r"environment named (?P<name>[\w.-]{1,60}) is unreachable",
        cause="Portainer does not reach the engine {name}: its socket is not mounted, may not be opened, or the engine takes no API as old as "
        "Portainer's (engine 29 with Portainer before 2.33)",
        cure="docker logs --tail 20 portainer says which; /var/run/docker.sock has to be mounted into it, and a newer Portainer speaks the "
        "newer API",
        source="portainer/portainer#12925",
        confirmed_by="daemon.client-api-too-old",
    ),
    Failure(
        name="testcontainers-no-engine",
        mark="valid docker environment",
        pattern=r"Could not find a valid Docker environment",
        cause="Testcontainers finds no engine: none runs, this user may not open its socket, or the library's API is older than engine 29 takes",
        cure="docker ps as the same user says which of the first two; for the third, a newer Testcontainers, or api.version=1.44 in "
        "~/.docker-java.properties",
        source="testcontainers/testcontainers-java#11210",
        confirmed_by="daemon.client-api-too-old",
    ),
    Failure(
        name="testcontainers-port-closed",
        mark="container port to open",
        pattern=r"Timed out waiting for container port to open \((?P<ports>[^)\n]{1,100})",
        cause="the program of the test's container did not listen within the time that the test waits, or listens on its own 127.0.0.1",
        cure="read what it printed (container.getLogs()); raise withStartupTimeout where it is only slow",
        source="testcontainers' own message",
    ),
    Failure(
        name="agent-without-docker",
        mark="docker: not found",
        pattern=r"(?:script\.sh|/sh: eval|step_script)[^\n]{0,60}: docker: not found",
        cause="the agent that runs the job has no docker command: it is itself a container without one",
        cure="install docker-ce-cli in the agent's image and mount /var/run/docker.sock into it, or run the job on the image docker:cli",
        source="jenkinsci/docker#626",
    ),
    Failure(
        name="runner-cache-volume",
        mark="waiting for permission container",
        pattern=r"waiting for permission container to finish: exit code (?P<code>\d{1,3})",
        cause="the helper container of gitlab-runner could not set up the cache volume, and ended with code {code}: no room on the disk, or its "
        "image is for another processor",
        cure="df -h and docker system df on the runner's host; docker volume prune removes old caches",
        source="gitlab-org/gitlab-runner's own message",
        confirmed_by="storage.disk-full",
    ),
    Failure(
        name="runner-network-in-use",
        mark="failed to remove network for build",
        pattern=r"Failed to remove network for build",
        cause="a container of the job is still attached to the job's network, so that gitlab-runner cannot remove it",
        cure="docker ps -a --filter network=NETWORK lists it; docker network prune removes networks that nobody uses",
        source="gitlab-org/gitlab-runner's own message",
    ),
    Failure(
        name="python-package-missing",
        mark="docker sdk for python",
        pattern=r"required Python library \(Docker SDK for Python",
        cause="Ansible's modules for Docker need the Python package docker on the host that they change, for the Python that Ansible takes there",
        cure="install it there (Debian: apt-get install python3-docker), or set ansible_python_interpreter to a Python that has it",
        source="ansible/ansible's own message",
    ),
)
"""The first row that fits counts."""
