"""Lines of real logs for the rows of `diagnose/programs/failures/products/runners.py`."""

LINES = {
    "remote-exists": "error: remote origin already exists.",
    "gitea-runner-token": 'level=error msg="poller: cannot register new runner" error="unknown: runner token not found"',
    "jenkins-agent-unreached": "java.io.IOException: http://jenkins:8080/ provided port:50000 is not reachable",
    "gitea-runner-removed": (
        'time="2024-09-11T20:31:18Z" level=error msg="fail to invoke Declare" error="unknown: rpc error: code = Unauthenticated desc = unregistered runner"'
    ),
    "jenkins-agent-port": "java.io.IOException: http://jenkins:8080/tcpSlaveAgentListener/ is invalid: 404 Not Found",
    "jenkins-agent-twice": (
        "SEVERE: The server rejected the connection: agent1 is already connected to this controller. Rejecting this "
        "connection."
    ),
    "jenkins-crumb": (
        "2024-01-05 10:00:00.000+0000 [id=15]\tWARNING\thudson.security.csrf.CrumbFilter#doFilter: No valid crumb was "
        "included in request for /createItem by admin. Returning 403."
    ),
    "runner-configured": (
        "Cannot configure the runner because it is already configured. To reconfigure the runner, run 'config.cmd "
        "remove' or './config.sh remove' first."
    ),
    "runner-as-root": "Must not run with sudo",
    "runner-session": "A session for this runner already exists.",
    "runner-version": (
        "An error occured: Runner version v2.318.0 is deprecated and cannot receive messages."
    ),
    "runner-token": (
        "Http response code: NotFound from 'POST https://api.github.com/actions/runner-registration'"
    ),
}
