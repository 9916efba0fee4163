"""Starts that fail in the runtime's own programs, or in a log driver, in plain words."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

OWN = "the program's own message"

RUNTIMES = (
    Failure(
        name="shim-not-installed",
        mark="binary not installed",
        pattern=r'runtime "(?P<runtime>[^"]+)" binary not installed "(?P<program>[^"]+)"',
        cause="the host has no {program}, the program of its runtime {runtime}",
        cure="install that runtime, or recreate the container with the engine's default one",
        source=OWN,
        page={"without": "runtime"},
    ),
    Failure(
        name="shim-version",
        mark="shim",
        pattern=r"unsupported shim version|shim version mismatch",
        cause="containerd on the disk is of another version than the one that runs: "
        "it was upgraded, and not restarted",
        cure="restart containerd and the engine",
        source="containerd/containerd#9865",
        page={"after_restart": "{container}"},
    ),
    Failure(
        name="runc-needs-newer-library",
        mark="undefined symbol",
        pattern=r"runc: symbol lookup error: .*undefined symbol: (?P<symbol>seccomp\w+)",
        cause="runc needs a newer libseccomp than this host has ({symbol})",
        cure="update libseccomp",
        source="docker/for-linux#1283",
        page={"package": "libseccomp2"},
    ),
    Failure(
        name="runc-library",
        mark="shared libraries",
        pattern=r"runc: error while loading shared libraries: (?P<library>\S+?):",
        cause="runc does not find its library {library}",
        cure="install that library, or runc again",
        source=OWN,
        page={"runtime": "runc"},
    ),
    Failure(
        name="runtime-not-executable",
        mark="permission denied",
        pattern=r"fork/exec (?P<program>/(?:usr|opt|bin|sbin)\S+): permission denied",
        cause="the engine may not execute {program}: the file has lost its x bit, "
        "or its disk is mounted noexec",
        cure="chmod +x {program}",
        source=OWN,
        page={"not_executable": "{program}"},
    ),
    Failure(
        name="runc-broken",
        mark="exit status 127",
        pattern=r"(?P<runtime>[\w./-]*runc) did not terminate success?fully: exit status 127",
        cause="{runtime} itself does not run on this host: a library that it needs is missing",
        cure="install runc again",
        source="moby/moby#39460",
        page={"runtime": "{runtime}"},
    ),
    Failure(
        name="shim-gone",
        mark="/containerd/s/",
        pattern=r"failed to dial \"?/run/containerd/s/\S+: .*(?:connection refused|no such file)",
        cause="the shim of its last run is gone, and containerd still asks it",
        cure="restart the engine, and start the container again",
        source="moby/moby#41385",
        page={"after_restart": "{container}"},
    ),
    Failure(
        name="runtime-cut-off",
        mark="task",
        pattern=r"transport is closing|error reading from server: EOF|ttrpc: closed",
        cause="containerd, or the shim, ended while it started the container",
        cure="start it again; if that fails, read containerd's log",
        source=OWN,
        page={"retry": "{container}"},
    ),
    Failure(
        name="runtime-late",
        mark="context deadline exceeded",
        pattern=r"(?:for container|init-std\w+\"? failed): context deadline exceeded",
        cause="containerd did not get its shim and runtime running in time: "
        "the disk is slow, or the host has too much to do",
        cure="start it again when the host is calm",
        source="moby/moby#39352",
        page={"retry": "{container}"},
    ),
    Failure(
        name="temporary-folder",
        mark="console socket",
        pattern=r"failed to create runc console socket: \w+ (?P<folder>/\S+?)(?:/pty\S*)?: "
        r"no such file",
        cause="the host has no folder {folder}, which the runtime needs",
        cure="make the folder with mode 1777",
        source=OWN,
        page={"temporary": "{folder}"},
    ),
    Failure(
        name="run-is-full",
        mark="no space left",
        pattern=r"(?:mkdir|open|write) (?P<path>/run|/var/run)/\S*: no space left on device",
        cause="/run, where the engine keeps the state of containers, is full",
        cure="find what fills it, and remove that",
        source=OWN,
        page={"full": "{path}"},
    ),
    Failure(
        name="state-left-behind",
        mark="already exists",
        pattern=r"container with (?:given )?id\S* already exists|id already in use"
        r"|task \S+: already exists",
        cause="a start that broke off left the container's state in the runtime's folder",
        cure="restart the engine; what is left lies in /run/containerd and /run/docker/runtime-runc",
        source="moby/moby#38726",
        page={"after_restart": "{container}"},
    ),
    Failure(
        name="runtime-not-itself",
        mark="/proc/self/exe",
        pattern=r"fork/exec /proc/self/exe: (?P<why>no such file or directory|operation not permitted"
        r"|permission denied)",
        cause="the runtime cannot start itself ({why}): /proc is restricted for the engine, "
        "or a security module forbids it",
        cure="look at the mount options of /proc, and at the kernel's log for a denial",
        source="moby/moby#35283",
        page={"kernel_says": "DENIED"},
    ),
    Failure(
        name="gpu-unknown",
        mark="unknown device id",
        pattern=r"device error: (?:unknown device id: )?(?P<gpu>[^:\s]+)(?:: unknown device)?",
        cause="this host has no GPU {gpu}",
        cure="recreate it with a GPU that nvidia-smi lists",
        source="NVIDIA/nvidia-docker#1370",
    ),
    Failure(
        name="gpu-files-in-image",
        mark="file creation failed",
        pattern=r"file creation failed: \S+/merged(?P<path>/\S+): file exists",
        cause="its image brings {path}, which belongs to the host's NVIDIA driver",
        cure="remove that file from the image, which was made on a host with a GPU",
        source="NVIDIA/nvidia-docker#1551",
    ),
    Failure(
        name="gpu-ldconfig",
        mark="ldcache error",
        pattern=r"ldcache error: process (?P<program>\S+) failed",
        cause="{program} fails while the NVIDIA libraries are put into the container",
        cure='set ldconfig = "@/sbin/ldconfig.real" or "@/sbin/ldconfig" in '
        "/etc/nvidia-container-runtime/config.toml, whichever the host has",
        source="NVIDIA/nvidia-docker#1399",
    ),
    Failure(
        name="hook-failed",
        mark="hook #",
        pattern=r"error running (?P<hook>\w+) hook #\d+: exit status \d+, stdout: .*?, "
        r"stderr: (?P<said>(?!nvidia-container-cli).{1,120})",
        cause="a hook of its runtime failed and said: {said}",
        cure="mend what the hook needs, or recreate the container with another runtime",
        source=OWN,
        page={"without": "runtime"},
    ),
)

LOG_DRIVERS = (
    Failure(
        name="awslogs-denied",
        mark="accessdenied",
        pattern=r"AccessDenied\w*: .*perform: (?P<action>[\w:*]+)",
        cause="AWS does not allow this host {action}, which its log driver awslogs needs",
        cure="add that action to the policy of the host's role",
        source=OWN,
    ),
    Failure(
        name="awslogs-group",
        mark="log group",
        pattern=r"specified log group does not exist",
        cause="the log group of its log driver awslogs does not exist",
        cure="create the group, or let the driver do it (awslogs-create-group=true)",
        source="docker docs awslogs",
        page={"added": "--log-opt=awslogs-create-group=true"},
    ),
    Failure(
        name="awslogs-credentials",
        mark="credential",
        pattern=r"NoCredentialProviders|failed to refresh cached credentials|get credentials:",
        cause="its log driver awslogs finds no AWS credentials",
        cure="give the host a role, or dockerd's unit AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        source="docker docs awslogs",
    ),
    Failure(
        name="awslogs-region",
        mark="cannot determine region",
        pattern=r"cannot determine region for awslogs driver",
        cause="its log driver awslogs is not given a region",
        cure="set awslogs-region",
        source="docker docs awslogs",
    ),
    Failure(
        name="splunk-token",
        mark="splunk",
        pattern=r"splunk: failed to verify connection - 40[13]\b",
        cause="Splunk refuses the token of its log driver",
        cure="recreate it with another splunk-token",
        source="docker docs splunk",
    ),
    Failure(
        name="gcplogs-denied",
        mark="google cloud logging",
        pattern=r"Google Cloud Logging: .*(?:PermissionDenied|Unauthenticated)",
        cause="Google Cloud Logging refuses this host, which its log driver gcplogs needs",
        cure="give the host's service account the role Logs Writer",
        source="docker docs gcplogs",
    ),
    Failure(
        name="log-file-read-only",
        mark="-json.log",
        pattern=r"open (?P<path>\S+-json\.log): read-only file system",
        cause="the disk of the data root is read-only, and its log cannot be opened",
        cure="see why the disk is read-only, and remount it",
        source=OWN,
        page={"retry": "{container}"},
    ),
    Failure(
        name="log-folder-gone",
        mark="-json.log",
        pattern=r"open (?P<folder>\S+)/[0-9a-f]+-json\.log: no such file",
        cause="its folder {folder} was removed from the data root",
        cure="make the folder again, and start the container",
        source=OWN,
        page={"device": "{folder}"},
    ),
    Failure(
        name="log-file-denied",
        mark="-json.log",
        pattern=r"open (?P<path>\S+-json\.log): (?:permission denied|operation not permitted)",
        cause="the engine may not write its log file {path}: an attribute (chattr +i, +a), an owner, "
        "or a security module",
        cure="chattr -i -a {path}",
        source=OWN,
        page={"unwritable": "{path}"},
    ),
)
