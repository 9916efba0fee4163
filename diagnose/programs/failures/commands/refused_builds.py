"""Errors of BuildKit and the older builder about a Dockerfile, options and caches that they refuse.

No step has run: the message is about the request, and not about a program in the image.
"""

from diagnose.programs.failures.recognition import NO_WORD, Failure

_COPIES = (
    Failure(
        name="several-sources",
        mark="more than one source file",
        pattern=r"When using (?P<instruction>COPY|ADD) with more than one source file",
        cause="{instruction} has several sources, or a pattern that several files match, and its last word is not a folder",
        cure="write a slash at the end of the last word, such as ./ or /app/",
    ),
)

_STORE = (
    Failure(
        name="build-cache-damaged",
        mark="e",
        pattern=r"""(?x)
              failed\ to\ mount\ \S{1,99}:\ snapshot\ \S{0,99}\ does\ not\ exist
            | snapshot\ \S{0,99}\ ?does\ not\ exist:\ not\ found
            | failed\ to\ get\ state\ for\ index\ \d+
            | failed\ to\ compute\ cache\ key:\ [^\n]{0,200}
                (?:unexpected\ EOF|snapshot|no\ such\ file|structure\ needs\ cleaning)
            | missing\ descriptor\ handlers\ for\ lazy\ blobs
            | parent\ snapshot\ \S{1,99}\ does\ not\ exist
            | failed\ to\ create\ lease
            | failed\ to\ prepare\ \S{1,99}\ as\ \S{1,99}
        """,
        cause="the builder's cache refers to layers that are gone: it was damaged, or cleared while it was in use",
        cure="docker builder prune -a clears the cache (the next build takes longer); then repeat the build",
        source="moby/buildkit#2288",
    ),
    Failure(
        name="old-layer-gone",
        mark="layer does not exist",
        pattern=r"failed to export image: [^\n]{0,300}layer does not exist|failed to get layer \S{1,99}: layer does not exist",
        cause="a layer that an earlier step made was removed while the build ran, as by docker system prune",
        cure="repeat the build, and do not prune during builds",
    ),
)

_DOCKERFILE = (
    Failure(
        name="context-unreadable",
        mark="error checking context",
        pattern=r"error checking context: '?(?:no permission to read from|can't stat) '(?P<path>[^'\n]{1,300})'",
        cause="the build context holds {path}, which the user of the command may not read: often the data folder of a database",
        cure="write that folder into .dockerignore, or build in a folder of its own",
        source="moby/moby#21860",
    ),
    Failure(
        name="dockerfile-outside",
        mark="must be within the build context",
        pattern=r"the Dockerfile \((?P<file>[^)\n]{1,300})\) must be within the build context",
        cause="{file} lies outside the folder that is sent as the build context, which the older builder does not take",
        cure="name a folder above it as the context: docker build -f FILE FOLDER; BuildKit (docker buildx build) takes both",
    ),
    Failure(
        name="exposed-protocol",
        mark="invalid proto",
        pattern=r"invalid proto(?:col)?: ?\"?(?P<protocol>[^\s\"]{0,40})",
        cause='the port has "{protocol}" as its protocol, and only tcp, udp and sctp exist',
        cure="write it as in EXPOSE 53/udp",
    ),
    Failure(
        name="user-not-in-stage",
        mark=("invalid ", "no matching entries in", "unable to "),
        pattern=r"invalid (?P<kind>user|group) index: [^\n]{0,200}|(?:unable to (?:convert|find)|no matching entries in) "
        r"(?P<kind_old>user|uid|group|gid)[^\n]{0,60}(?:string|passwd|group) file",
        cause="--chown or --chmod of a COPY or ADD, or a USER, names a {kind} that the image of this stage does not have",
        cure="create it in a RUN step above, or write the number of its id",
    ),
    Failure(
        name="buildx-not-installed",
        mark="buildx component",
        pattern=r"BuildKit is enabled but the buildx component is missing or broken",
        cause="builds should run with BuildKit, and its plugin, buildx, is not installed for this docker command",
        cure="install docker-buildx-plugin (Debian's own package: docker-buildx), or build with DOCKER_BUILDKIT=0",
    ),
    Failure(
        name="build-cancelled",
        mark="context canceled",
        pattern=r"failed to solve: (?:Canceled: )?context canceled|^ERROR: (?:failed to build: )?context canceled",
        cause="the command that built ended before the build: Ctrl-C, a limit of time in CI, or a connection that was cut",
        cure="repeat it; where it is cut each time, build on the engine's own host, or raise the limit of the CI job",
    ),
    Failure(
        name="needs-buildkit",
        mark="requires buildkit",
        pattern=r"the (?P<option>--[\w-]{1,40}) option requires BuildKit",
        cause="{option} works with BuildKit only, and this build ran with the older builder",
        cure="install the package docker-buildx-plugin, or set DOCKER_BUILDKIT=1",
    ),
    Failure(
        name="platform-argument",
        mark="platform",
        pattern=r"failed to (?:process arguments for platform|parse platform) (?P<value>[^\s:]{0,99})",
        cause="FROM --platform={value} uses a variable that is unknown there, or no platform",
        cure="declare the variable with ARG above the first FROM; $BUILDPLATFORM and $TARGETPLATFORM need no ARG",
    ),
    Failure(
        name="stage-base-empty",
        mark=("should not be blank", "failed to parse stage name"),
        pattern=r"base name \((?P<value>[^)\n]{0,200})\) should not be blank|failed to parse stage name \"(?P<value_stage>[^\"\n]{0,200})\"",
        cause="the image of a FROM line is empty or no valid name ({value}): a variable in it has no value",
        cure="give the ARG above FROM a default, or pass --build-arg",
    ),
    Failure(
        name="frontend-version",
        mark="frontend",
        pattern=r"invalid dockerfile frontend version \"?(?P<version>[^\s\"]{0,60})",
        cause='the line # syntax= at the top of the Dockerfile asks for a version that does not exist ("{version}")',
        cure="write # syntax=docker/dockerfile:1, or leave the line out",
    ),
    Failure(
        name="mount-option-value",
        mark="invalid value for",
        pattern=r"invalid value for (?P<option>sharing|type|target|source|required|mode|uid|gid|readonly): (?P<value>[^\s]{1,99})",
        cause='RUN --mount has "{value}" for {option}, which BuildKit does not know',
        cure="sharing takes shared, private or locked; required and readonly take true or false",
    ),
    Failure(
        name="dockerfile-line",
        mark="dockerfile parse error",
        pattern=r"dockerfile parse error(?: on)? line (?P<line>\d{1,6}): (?P<why>[^\n]{1,300})",
        cause="line {line} of the Dockerfile is not valid: {why}",
        cure="correct line {line}; a line that continues needs a backslash at its very end",
    ),
    Failure(
        name="dockerfile-empty",
        mark=("cannot be empty", "file with no instructions", "no build stage"),
        pattern=r"the Dockerfile (?:\((?P<file>[^)\n]{0,300}?)\) )?cannot be empty|file with no instructions|no build stage in current context",
        cause="the Dockerfile has no FROM before its first instruction, or is empty",
        cure="begin it with FROM IMAGE",
    ),
)

_OPTIONS = (
    Failure(
        name="exporter-without-target",
        mark="is required for",
        pattern=r"output (?P<kind>directory|file writer|file) is required for (?P<exporter>\w{1,20}) exporter",
        cause="--output type={exporter} has to know where to write to",
        cure="add dest=, as in --output type={exporter},dest=out",
    ),
    Failure(
        name="exporter-unsupported",
        mark="driver",
        pattern=r"""(?x)
              (?P<what>
                    multiple\ platforms
                  | (?:OCI|docker|local|tar)\ exporter
                  | cache\ export | attestations? | multi-platform\ build
                )[^\n]{0,60}?\ (?:is|are)\ not\ (?:currently\ )?supported\ for\ (?:the\ )?
                docker\ driver
            | not\ supported[^\n]{0,60}docker\ driver
        """,
        cause="the builder inside the engine (driver docker) cannot do this: {what}",
        cure="docker buildx create --use makes a builder that can, or turn on the containerd image store of the engine",
    ),
    Failure(
        name="source-policy",
        mark="policy",
        pattern=r"(?:could not resolve image due to policy|denied by policy|not allowed by policy)",
        cause="a source policy that was given to this build forbids the image or file it wants to fetch",
        cure="look at the file that --source-policy, buildctl --source-policy-file or EXPERIMENTAL_BUILDKIT_SOURCE_POLICY "
        "names, or use an image that it allows",
    ),
    Failure(
        name="attestation-option",
        mark="sbom",
        pattern=r"sbom scanner cannot be empty|failed to (?:parse|generate) sbom",
        cause="the build should have a list of its software (--sbom, --attest type=sbom), and the scanner for it is "
        "not named or cannot run",
        cure="write --sbom=true, or --attest type=sbom,generator=IMAGE",
    ),
    Failure(
        name="entitlement",
        mark="entitlement",
        pattern=r"(?:granting )?entitlement \"?(?P<right>[\w.-]{1,60})\"? is not allowed|(?P<right_missing>[\w.-]{1,60}) is not allowed by entitlements",
        cause="the build wants {right}, which this builder does not allow",
        cure="docker buildx build --allow {right}, and a builder made with --buildkitd-flags '--allow-insecure-entitlement {right}'",
    ),
    Failure(
        name="ssh-key-missing",
        mark="ssh key",
        pattern=r"no SSH key \"(?P<id>[\w.-]{1,60})\" forwarded from the client",
        cause="a RUN step mounts the ssh key {id}, and the command did not give it",
        cure="docker build --ssh {id}, with the key in ssh-agent (ssh-add -l lists it)",
    ),
    Failure(
        name="secret-missing",
        mark="secret",
        pattern=r"secret "
        + NO_WORD
        + r"(?P<name>[\w.-]{1,99}):? not found|failed to (?:stat|open|get) secret[^\n]{0,200}",
        cause="a RUN step needs the secret {name}, and the command did not give it",
        cure="docker build --secret id=NAME,src=FILE with the id that the step has",
    ),
)

_SOURCES = (
    Failure(
        name="git-login-missing",
        mark="failed to fetch remote",
        pattern=r"failed to fetch remote (?P<url>\S{1,300}?):? [^\n]{0,300}(?:could not read Username|Permission denied \(publickey\)"
        r"|Authentication failed|Repository not found|Host key verification failed)",
        cause="the repository {url} is private or not there, and the builder has no login for it",
        cure="give the build a token (--secret id=GIT_AUTH_TOKEN,env=TOKEN) or --ssh default for an address of ssh",
        source="docker docs build contexts",
    ),
    Failure(
        name="git-fetch-failed",
        mark="git",
        pattern=r"failed to (?:fetch remote|rev-parse|resolve) (?P<url>\S{1,300}?\.git\S{0,99}?|\S{0,300}git\S{0,300}?)(?:#\S{1,99})?:? (?P<why>[^\n]{1,300})",
        cause="the builder could not fetch {url}: {why}",
        cure="git ls-remote URL on this host shows whether the address and the branch exist",
    ),
    Failure(
        name="dockerfile-not-there",
        mark="in dockerfile path",
        pattern=r"unable to evaluate symlinks in Dockerfile path: lstat (?P<file>/\S{1,300}): no such file",
        cause="the folder of the build has no Dockerfile ({file})",
        cure="go to the folder that has it, or name the file: docker build -f PATH CONTEXT (compose: build.dockerfile)",
        source="docker's own message",
        confirmed_by="image.build-failed",
    ),
)

_STAGES = (
    Failure(
        name="stage-unknown",
        mark=("could not be found", "failed to reach build target"),
        pattern=r"target stage \"?(?P<stage>[\w.-]{1,100})\"? could not be found|failed to reach build target (?P<stage_old>[\w.-]{1,100}) in Dockerfile",
        cause="the Dockerfile has no stage {stage}, which --target (compose: build.target) names",
        cure="grep -n FROM Dockerfile lists the stages: correct the name, or add AS {stage}",
    ),
    Failure(
        name="stages-in-a-circle",
        mark=("circular dependency", "refers to current build stage"),
        pattern=r"circular dependency detected on stage:? (?P<stage>[\w.-]{1,100})|(?P<stage_own>invalid from flag value \S{1,100}): refers to current build stage",
        cause="a stage of the Dockerfile copies from a stage that is built from it: {stage}",
        cure="break the circle: take the file from a third stage, or from the build context",
    ),
    Failure(
        name="context-not-there",
        mark="resolve : lstat",
        pattern=r"resolve : lstat (?P<path>[\w./@+-]{1,300}): no such file or directory",
        cause="there is no {path} below the folder from which the build was started",
        cure="ls -d {path}; go to the right folder, or correct the context or -f (compose: build.context, build.dockerfile)",
    ),
)

REFUSED_BUILDS = (*_COPIES, *_STORE, *_STAGES, *_DOCKERFILE, *_OPTIONS, *_SOURCES)
"""The first row that fits counts."""
