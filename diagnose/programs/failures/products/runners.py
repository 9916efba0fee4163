"""Known failures of runners and agents of build servers: their registration, and the user they
run as."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import FreshContainer, SetAside, TypedLike

_OPTION = "container.option-missing"

RUNNERS = (
    Failure(
        name="jenkins-agent-port",
        mark="tcpslaveagentlistener/ is invalid",
        pattern=r"(?P<url>https?://\S{1,200})/tcpSlaveAgentListener/ is invalid: (?P<status>\d{3})",
        cause="{url} answers the agent with {status}: Jenkins has its port for inbound agents switched off, or its "
        "address has a further part (--prefix), or another server answers there",
        cure="switch the port on in Manage Jenkins, Security (Agents, Fixed: 50000), or correct JENKINS_URL; with "
        "-webSocket (JENKINS_WEB_SOCKET=true) no port is needed",
        source="Jenkins documentation, inbound agents",
    ),
    Failure(
        name="jenkins-agent-unreached",
        mark="is not reachable",
        pattern=r"(?P<url>https?://\S{1,200}) provided port:(?P<port>\d{1,5}) is not reachable",
        cause="{url} tells its agents to call port {port}, and nothing answers there: the port is not published, or a "
        "proxy or a firewall is in between",
        cure="publish port {port} of Jenkins too; or recreate the agent with --env=JENKINS_WEB_SOCKET=true, which needs "
        "no port but that of the pages",
        source="Jenkins documentation, inbound agents",
        confirmed_by=_OPTION,
        needs=("--env=JENKINS_WEB_SOCKET=true",),
    ),
    Failure(
        name="jenkins-agent-twice",
        mark="already connected to this",
        pattern=r"\b(?P<agent>[\w.-]{1,80}) is already connected to this (?:controller|master)\. Rejecting this connection",
        cause="another container or machine is connected to Jenkins as the agent {agent}: each name is for one only",
        cure="stop the other one, or make a further agent in Jenkins and give this container its name and secret",
        source="Jenkins' own message",
        turns_away=True,
    ),
    Failure(
        name="jenkins-crumb",
        mark="no valid crumb was included",
        pattern=r"No valid crumb was included in request for (?P<path>/\S{0,200})",
        cause="a request came without Jenkins' token against forged requests (crumb), or with the one of a lost session: "
        "Jenkins was restarted, a script sends none, or a proxy changes the caller's address",
        cure="sign in again; a script uses an API token instead of a password; behind a proxy correct the address of "
        "Jenkins (Manage Jenkins, System) and let the proxy pass the host on",
        source="Jenkins documentation, CSRF protection",
    ),
    Failure(
        name="runner-configured",
        mark="because it is already configured",
        pattern=r"Cannot configure the runner because it is already configured",
        cause="the folder of the runner has the settings of an earlier start (.runner, .credentials), and its start script "
        "registers it again",
        cure="make a new container from the image, or mount no volume over the runner's folder; where it has to stay the "
        "same runner, let the script skip config.sh when .runner is there",
        source="actions/runner's own message",
        remedy=FreshContainer(of_working_folder=True),
    ),
    Failure(
        name="remote-exists",
        mark="already exists",
        pattern=r"\berror: remote \w{1,40} already exists\.",
        cause="the start script makes its copy of a repository again at each start, and the copy of the first start is "
        "still in the container",
        cure="make a new container from the image; a restart of this one fails again",
        source="utkuozdemir/github-readme-stats-selfhosted#2",
        remedy=FreshContainer(),
    ),
    Failure(
        name="runner-as-root",
        mark=("must not run with sudo", "must not run interactively with sudo"),
        pattern=r"^Must not run (?:interactively )?with sudo",
        cause="GitHub's runner does not run as root unless it is allowed to",
        cure="recreate it as another user, or with --env=RUNNER_ALLOW_RUNASROOT=1",
        source="actions/runner, config.sh",
        confirmed_by=_OPTION,
        needs=("--env=RUNNER_ALLOW_RUNASROOT=1",),
    ),
    Failure(
        name="runner-session",
        mark="session for this runner already exists",
        pattern=r"A session for this runner already exists",
        cause="GitHub still holds the session of another runner with the same credentials: two "
        "containers share one runner's folder, or the previous one was killed a moment ago",
        cure="stop the other container; give each runner a registration of its own; a killed one's session ends by "
        "itself within minutes",
        source="actions/runner's own message",
        turns_away=True,
    ),
    Failure(
        name="runner-version",
        mark="deprecated and cannot receive messages",
        pattern=r"\bRunner version v(?P<version>\d[\d.]{0,20}) is deprecated and cannot receive messages",
        cause="GitHub gives jobs to newer runners only: version {version} of this one is no longer accepted, and its "
        "updates of itself are switched off",
        cure="pull a newer image of the runner and recreate its container from it; a tag with a fixed version has to be "
        "changed",
        source="actions/runner#3466",
        look="builds",
    ),
    Failure(
        name="gitea-runner-removed",
        mark="unregistered runner",
        pattern=r"code = Unauthenticated desc = unregistered runner\b",
        cause="Gitea or Forgejo does not know this runner any more: it was removed there, or its file .runner is of another "
        "server",
        cure="move the file .runner in its data folder away and start it again: it registers with the token that it is given, "
        "for which the server shows a new one",
        source="go-gitea/gitea#32029",
        remedy=SetAside(".runner", ("/data",)),
        turns_away=True,
    ),
    Failure(
        name="runner-token",
        mark="runner-registration'",
        pattern=r"Http response code: (?P<status>\w{1,30}) from 'POST https://\S{1,120}/actions/runner-registration'",
        cause="GitHub refuses the registration of the runner ({status}): its token is older than one hour, was used up, "
        "or belongs to another repository or organisation than the address",
        cure="take a new token from Settings, Actions, Runners, or give the image a personal access token that makes one "
        "at each start",
        source="GitHub documentation, adding self-hosted runners",
        remedy=TypedLike(r"TOKEN|_PAT$"),
    ),
    Failure(
        name="gitea-runner-token",
        mark=("runner token", "runner registration token"),
        pattern=r"\brunner (?:registration )?token (?:has already been activated|has been invalidated|not found)\b",
        cause="Gitea or Forgejo does not take the registration token of the runner: it is not known there, was used up, "
        "or a newer one has replaced it",
        cure="take a new token from Settings, Actions, Runners (or: gitea actions generate-runner-token), and give it to "
        "the runner in place of the old one",
        source="go-gitea/gitea#27871",
        remedy=TypedLike(r"REGISTRATION_TOKEN$|RUNNER_TOKEN$"),
        turns_away=True,
    ),
)
"""In the order in which a line is compared with them."""
