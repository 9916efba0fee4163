"""Builds at fault: a program that was not built whole, that starts only once, that fails itself."""

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import FreshContainer

BUILDS = (
    Failure(
        name="prisma-openssl",
        mark="openssl-1.1.x",
        pattern=r"could not locate the Query Engine for runtime \"(?P<platform>[\w.-]*openssl-1\.1\.x)\"",
        cause="the client of Prisma was not generated for {platform}, which Prisma also takes an image for that "
        "has no OpenSSL",
        cure="install openssl in the Dockerfile before npx prisma generate (apk add openssl, apt-get install openssl), "
        "and build the image again",
        source="prisma/orm#25817",
        build="another",
        look="image",
    ),
    Failure(
        name="prisma-client",
        mark=("prisma", "query engine"),
        pattern=r"""(?x)
            @prisma/client\ did\ not\ initialize\ yet
            | Query\ [Ee]ngine\ (?:library|binary)?\ ?for\ (?:the\ )?(?:current|your)\ platform\b.{0,60}?
                \bcould\ not\ be\ found
            | Prisma\ Client\ (?:could\ not\ locate\ the\ Query\ Engine|was\ generated\ for)
            | Prisma\ has\ detected\ that\ this\ project\ was\ built\ on
        """,
        cause="the Prisma client was not generated in this image, or was generated on another "
        "platform than the image's",
        cure="run npx prisma generate in the Dockerfile, behind the install of the packages, and "
        "build the image again",
        source="prisma/orm#16642, prisma/orm#23132",
        build="another",
        look="image",
    ),
    Failure(
        name="task-missing",
        mark="",
        pattern=r"""(?x)
            \bDon't\ know\ how\ to\ build\ task\ '(?P<task>[^'\n]{1,100})'  # Rake
            | \bNo\ rule\ to\ make\ target\ [`'](?P<task_make>[^'\n]{1,100})'
            | \bCommand\ "(?P<task_yarn>[\w:.-]{1,80})"\ not\ found\.
        """,
        cause="the start calls {task}, a task that this build of the program does not have",
        cure="correct the command of the container; where the image's own script calls it, "
        "run another build of the image",
        source="Rake's, make's and Yarn's own messages; zengxs/gitlab-arm64#53",
        of_running=NEVER,
        build="another",
        look="scripts",
    ),
    Failure(
        name="application-not-found",
        mark="",
        pattern=r"""(?x)
            Could\ not\ import\ (?:module\ )?[\"'](?P<name>[\w.]+)[\"']
            | Failed\ to\ find\ (?:attribute|application\ object)\ ['\"](?P<name_gunicorn>[^'\"]+)['\"]\ in
            | Failed\ to\ parse\ ['\"](?P<name_call>[^'\"]+)['\"]\ as\ an\ attribute\ name
            | Attribute\ \"(?P<name_uvicorn>[^\"]+)\"\ not\ found\ in\ module
            | Unable\ to\ load\ (?P<name_celery>celery\ application)
            | The\ module\ (?P<name_module>[\w.]+)\ was\ not\ found
        """,
        cause="the command names {name}, and no such application is in the folder where it starts: "
        "the module has another name or lies deeper, or a mount hides the code",
        cure="name it as it lies below the working directory (folder.module:app), correct the working "
        "directory, or keep mounts away from the code",
        source="Uvicorn's, Gunicorn's and Celery's own messages",
        build="another",
        look="image",
    ),
    Failure(
        name="assembly-missing",
        mark="could not load file or assembly",
        pattern=r"Could not load file or assembly '(?P<assembly>[^',]{1,200})",
        cause="the image lacks the .NET assembly {assembly}, or has another version of it: the program "
        "was published for another .NET version, or not as a whole",
        cure="take the runtime image of the version that the program was built for, and publish it again",
        source="aspnet/aspnet-docker#233",
        build="another",
        look="image",
    ),
    Failure(
        name="bean-missing",
        mark=("that could not be found", "unable to resolve service for type"),
        pattern=r"required a (?:single )?bean of type '(?P<bean>[\w.$]+)' that could not be found"
        r"|Unable to resolve service for type '(?P<bean_dotnet>[\w.`<>,\[\]]{1,200})'",
        cause="the application is not put together: nothing makes its part {bean}, as where a profile or "
        "a setting leaves it out",
        cure="give it the profile that it is run with elsewhere (SPRING_PROFILES_ACTIVE), or run the build "
        "that worked before",
        source="Spring Boot's and .NET's own messages",
        build="earlier",
    ),
    Failure(
        name="native-module",
        mark=("could not load the", "could not be found, and is needed", "@rollup/rollup-"),
        pattern=r"Could not load the \"(?P<module>[\w@/-]+)\" module using the (?P<platform>[\w-]+) runtime"
        r"|The package \"(?P<module_esbuild>@esbuild/(?P<platform_esbuild>[\w-]+))\" could not be found, and is needed"
        r"|Cannot find module '?(?P<module_rollup>@rollup/rollup-(?P<platform_rollup>[\w-]+))",
        cause="the module {module} was installed for another system than the image's ({platform})",
        cure="install the packages in the Dockerfile, and keep node_modules of the host out of it with "
        ".dockerignore",
        source="lovell/sharp's own message",
        build="another",
        look="image",
    ),
    Failure(
        name="start-not-repeatable",
        mark="",
        pattern=r"""(?x)
            \bline\ \d+:\ (?P<name>\w+):\ readonly\ variable
            | \b(?:ln|mkdir):\ .{0,60}?['\"‘](?P<name_file>[^'\"’]+)['\"’]?:\ File\ exists
            | \b(?:adduser|useradd|addgroup|groupadd):\ (?:The\ )?(?:user|group)\ ['\"`‘]?(?P<name_user>[\w.-]+)
                ['\"`’]?\ (?:already\ exists|in\ use)
        """,
        cause="the start script finds what its own first start in this container has left: "
        "it can run only once in each container ({name})",
        cure="make a new container from the image, and do not restart the old one",
        source="arevindh/pihole-speedtest#21, nextcloud/docker#1339",
        explains_only=True,
        of_running=NEVER,
        remedy=FreshContainer(),
    ),
)

PROGRAM_FAULTS = (
    Failure(
        name="configuration-code-fails",
        mark="config",
        pattern=r"""(?x)
            \bconfig(?:uration)?\ file:?\ ['"]?(?P<path>/[\w./@+-]{1,200})['"]?:?\ [^\n]{0,40}
                \b(?:Attribute|Reference|Type|Key)Error:\ \S
        """,
        cause="the program's configuration {path} is code, and reads a value that is not there: a variable of the "
        "container is most likely not set",
        cure="look in that file which variables it reads (process.env, os.environ), and set those that are missing",
        source="ekristen/docker-index#16",
        of_running=NEVER,
    ),
    Failure(
        name="error-unhandled",
        mark="{:error",
        pattern=r"\bno (?:case clause matching|match of right hand side value):? [^\"\n]{0,40}\{:error,[^\"\n]{0,160}?"
        r"(?:message|reason): \"(?P<message>[^\"\\\n]{4,300})",
        cause="what the program calls has answered with an error that it does not expect: {message}",
        cure="correct what that message names; it is the server's, or the file system's under it",
        source="plausible/analytics#4167",
        of_running=NEVER,
    ),
    Failure(
        name="program-fault",
        mark="",
        pattern=r"""(?x)
            ^(?!.*\b(?:env|getenv|config|settings?|options?)\b)(?!.*['"][A-Z][A-Z\d]*_[A-Z\d_]+['"]).*?(?:
            invalid\ memory\ address\ or\ nil\ pointer\ dereference
            | \bindex\ out\ of\ range\ \[\d+\]\ with\ length
            | \bslice\ bounds\ out\ of\ range\b | \bassignment\ to\ entry\ in\ nil\ map\b
            | \bfatal\ error:\ (?:all\ goroutines\ are\ asleep|concurrent\ map)\b | \binterface\ conversion:\ interface
            | \bindex\ out\ of\ bounds:\ the\ len\ is\b | `Option::unwrap\(\)`\ on\ a\ `None`\ value  # Rust
            | \binternal\ error:\ entered\ unreachable\ code\b | \bassertion\ (?:`[^`\n]{1,80}`\ )?failed:
            | \bTypeError:\ Cannot\ call\ method\ '\w+'\ of\ (?:null|undefined)
            | \bUnboundLocalError\b | \bIndexError:\ (?:list|string|tuple)\ index\ out\ of\ range
            | \b(?:ArrayIndexOutOfBounds|ClassCast|ConcurrentModification|IllegalState|InvalidCast
                |InvalidOperation)Exception\b
            | \bUndefined\ (?:array\ key|index|offset|property)\b
            | \*\*\ \((?:Argument|Arithmetic|BadMap|CaseClause|CondClause|Match|Protocol\.Undefined)Error\)  # Elixir
            | \bTypeError:\ (?:Cannot\ (?:read|set)\ propert(?:y|ies)|undefined\ is\ not\ a\ function)
            | \bTypeError:\ \S+\ is\ not\ a\ (?:function|constructor)
            | \bReferenceError:\ \w+\ is\ not\ defined
            | \bAttributeError:\ '\w+'\ object\ has\ no\ attribute
            | \bTypeError:\ (?:'\w+'\ object\ is\ not|\w+\(\)\ (?:got\ an\ unexpected|missing\ \d+\ required))
            | \bNoMethodError\b|\bundefined\ (?:local\ variable\ or\ )?method\ [`'].{1,80}\ for\ (?:nil|an\ instance)
            | \bNullPointerException\b|\bNoSuchMethodError\b|\bNullReferenceException\b
            | \bCall\ to\ (?:a\ member\ function|undefined\ method)\b
            | \bUndefinedFunctionError\b|\bFunctionClauseError\b
            )
        """,
        cause="the program itself fails: its code does not expect what it meets, such as a setting "
        "without a value, data of another version, or an answer that did not come",
        cure="run the build of the image that worked before, or a newer one; the lines above it say "
        "what the program did last",
        source="containrrr/watchtower#719; Go's, Node.js', Python's, Ruby's, Java's and PHP's own "
        "messages",
        of_running=NEVER,
        build="earlier",
        look="builds",
    ),
)
