"""Complaints about parts that an image does not have: libraries, commands, classes, packages."""

from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure
from diagnose.programs.failures.remedies import COMMANDS, LIBRARIES, Job, Uncovered

DEPENDENCIES = (
    Failure(
        name="library-missing",
        mark=("cannot open shared object file", "system library", "unable to load shared library"),
        pattern=r"(?P<library>[\w.+-]+\.so[.\d]*): cannot open shared object file"
        r"|Unable to load shared library '(?P<library_dotnet>[\w.+-]+)' or one of its dependencies"
        r"|cannot find the required `(?P<library_prisma>\w+)` system library",
        cause="the image lacks the library {library}",
        cure="install the library in the image, or run the image that worked before",
        source="the loader's own message",
        remedy=Uncovered(LIBRARIES),
        build="another",
    ),
    Failure(
        name="plugin-missing",
        mark="",
        pattern=r"""(?x)
            \bunknown\ (?:\w+\ )?plugin:?\ ['"`](?P<plugin>[\w./-]+)
            | \b(?:couldn't|could\ not|cannot|can't|unable\ to)\ (?:find|load|locate)\ (?:any\ |the\ )?(?:\w+\ )?
                plugin:?\ (?:named\ )?['"`](?P<plugin_found>[\w./-]+)
            | \bno\ (?:such\ )?plugin\ (?:found\ |named\ |called\ )?['"`](?P<plugin_named>[\w./-]+)
            | \bunknown\ (?:buffer|filter|format|formatter|input|output|parser)\ (?:template|type):?
                \ ['"`](?P<plugin_kind>[\w./-]+)
            | \bUnable\ to\ load\ plugin\.\ \{:type=>"\w{1,20}",\ :name=>"(?P<plugin_logstash>[\w-]{1,60})"
            | \bmodule\ not\ registered:\ (?P<plugin_caddy>[\w.]{1,80})  # Caddy
            | \bundefined\ but\ requested\ (?:aggregator|input|output|parser|processor):
                \ (?P<plugin_telegraf>[\w.]{1,60})
            | \bplugin\ ['"`](?P<plugin_first>[\w./-]+)['"`]\ (?:could\ not\ be\ found|is\ not\ installed
                |(?:was\ )?not\ found)
        """,
        cause="the program's settings ask for the plugin {plugin}, which the image does not have",
        cure="correct its name, or build an image with it",
        source="Fluentd's and Logstash's own messages",
        of_running=ABOUT_SETTINGS,
        build="another",
        look="image",
    ),
    Failure(
        name="php-vendor",
        mark="vendor/autoload.php",
        pattern=r"(?P<path>/\S*vendor/autoload\.php)",
        cause="the PHP libraries are not installed: {path} is missing, "
        "or a mount over the application hides it",
        cure="run composer install in that folder, or keep the mount away from vendor",
        source="Composer's documentation, autoloading",
        remedy=Job(
            "composer install --no-interaction --no-progress", ("",), user="0", image="composer:2"
        ),
        build="another",
    ),
    Failure(
        name="php-extension",
        mark="",
        pattern=r"""(?x)
            Call\ to\ undefined\ function\ (?:\w{1,80}\\){0,9}(?P<function>(?:apcu?|bc\w{3,6}|bz\w{3,12}
                |ctype|curl|dom|easter|exif|ftp|gd|gmp|gnupg|grapheme|iconv|idn|ldap|imap|intl|json|mb
                |mcrypt|memcache|msgfmt|mysqli|normalizer|numfmt|odbc|openssl|pcntl|pg|posix|pspell
                |readline|sem|shmop|simplexml|snmp|soap|socket|sodium|sqlsrv|ssh2|sysvsem|tidy|utf8|wddx
                |xml\w{0,9}|yaml|zip)_\w{1,60}|image[A-Za-z0-9]{2,40}|cal_days_in_month|gettext|_)\(\)
            | could\ not\ find\ driver
            | requires?\ (?:the\ )?(?:PHP\ extension\ )?ext-(?P<extension>\w+)
            | the\ requested\ PHP\ extension\ (?P<named>\w+)\ is\ missing
            | Class\ ['\"]\\?(?P<named_absent>Collator|DOMDocument|GMP|GearmanClient|Imagick|IntlDateFormatter
                |Memcached?|NumberFormatter|PDO|Redis|RedisCluster|SimpleXMLElement|SoapClient|XMLReader|XMLWriter
                |ZipArchive|mysqli)['\"]\ not\ found
        """,
        cause="the image's PHP lacks an extension that the program needs "
        "(mysqli, pdo_mysql, pdo_pgsql, gd, intl ...)",
        cure="add it to the image: docker-php-ext-install with the extension's name",
        source="docker-library/php#391",
        turns_away=True,
        build="another",
        look="image",
    ),
    Failure(
        name="class-missing",
        mark="",
        pattern=r"""(?x)
            (?:ClassNotFoundException|NoClassDefFoundError):\ (?P<name>[\w./$]+)
            | \buninitialized\ constant\ (?P<name_ruby>[A-Z][\w:]*)
            | \bCannot\ load\ driver\ class:\ (?P<name_spring>[\w.]{3,200})
            | Uncaught\ Error:\ Class\ ['\"](?P<name_php>[^'\"]+)['\"]\ not\ found
        """,
        cause="the class {name} is not in the image: "
        "a library is missing, or has another version than the program needs",
        cure="add the library to the image, or run the image that worked before",
        source="Java's, Ruby's and PHP's own messages",
        build="another",
        look="image",
    ),
    Failure(
        name="php-function",
        mark="undefined function",
        pattern=r"Call to undefined function (?P<function>[\w\\]{1,200})\(\)",
        cause="the code calls the function {function}, which is not there: a file of the program or "
        "of a plugin is missing, or that PHP no longer has it",
        cure="update the program or the plugin that the line names a file of, or run it with the PHP "
        "that it was written for",
        source="PHP's own message",
        look="builds",
    ),
    Failure(
        name="optional-package",
        mark="",
        pattern=r"""(?x)
            ['"`](?P<package>[@\w][\w@/.-]{0,80})['"`]\ is\ required\ to\ be\ installed\b
            | ['"`](?P<package_for>[@\w][\w@/.-]{0,80})['"`]\ package\ is\ required\ for\b
            | \bMissing\ optional\ dependency\ ['"`](?P<package_pandas>[\w.-]{1,80})
            | \bPlease\ install\ (?P<package_sequelize>[@\w][\w@/.-]{0,80})\ package\b
            | \b(?P<package_typeorm>[\w-]{1,80})\ package\ has\ not\ been\ found\ installed\b
            | \bCould\ not\ load\ the\ ['"`](?P<package_native>[\w-]{1,80})['"`]\ module\b
            | \bError\ loading\ (?P<package_django>psycopg2?|MySQLdb)\b.{0,30}\bmodule\b
            | (?:composer\ require|npm\ i(?:nstall)?|yarn\ add|pip3?\ install)\ (?:--?[\w-]+\ ){0,2}
                ['"`]?(?!(?:again|and|before|first|for|from|in|on|or|the|then|to|with|npm|pip)\b|-|\.)
                (?P<package_tool>[@\w][\w@/.\[\]-]{0,80})
        """,
        cause="the image lacks the package {package}, which the program needs for what it is configured to do",
        cure="add the package to the image and build it again, or leave out the setting that needs it",
        source="guaguaguaxia/weekly_report#65; Next.js', pandas', Sequelize's and Django's own messages",
        explains_only=True,
        build="another",
        look="image",
    ),
    Failure(
        name="plugin-unrunnable",
        mark="remote plugin message",
        pattern=r"\bUnrecognized remote plugin message\b",
        cause="a plugin of the program, which is a program of its own, does not run: it is built for another "
        "processor, lacks a library, or may not be executed",
        cure="remove the plugin from the folder of plugins, or install the release of it that fits this image",
        source="teslamate-org/teslamate#3552",
        look="builds",
    ),
    Failure(
        name="perl-module",
        mark="@inc",
        pattern=r"Can't locate (?P<module>[\w/]+)\.pm in @INC",
        cause="the image lacks the Perl module {module}",
        cure="install the module in the image",
        source="perldoc perldiag",
        build="another",
    ),
    Failure(
        name="command-missing",
        mark="",
        pattern=r"""(?x)
            (?:\bline\ \d+|(?:^|[\s/])(?:ba|da|a)?sh(?::\ \d+)?):\ (?P<command>[\w.+/-]+):\ (?:command\ )?not\ found
            | ^/[\w./@+-]{1,200}:\ \d{1,6}:\ (?P<command_script>[\w.+:/-]{1,80}?):\ not\ found$
            | exec:\ \"?(?P<command_exec>[\w.+/-]+)\"?:\ (?:executable\ file\ )?not\ found
            | env:\ (?:can't\ execute\ )?['‘]?(?P<command_env>[\w.+-]+)['’]?:\ No\ such\ file
            | Could\ not\ find\ a\ (?P<command_js>JavaScript\ runtime)
            | ^(?P<command_alone>[a-z][\w.+-]{1,40}):\ command\ not\ found$
            | \bcan't\ find\ command\ '(?P<command_supervisor>[\w.+/-]{1,200})'  # supervisord
            | \bthe\ '(?P<command_django>[a-z0-9]{2,20})'\ program\ installed\ or\ on\ your\ path\b
            | bundler:\ command\ not\ found:\ (?P<command_gem>[\w.+-]+)
            | \bCommand\ \"(?P<command_package>[\w.:+-]+)\"\ not\ found
        """,
        cause="the start calls {command}, which the image does not have",
        cure="install the command in the image, correct PATH, or run the image that worked before",
        source="bash manual, exit status 127",
        remedy=Uncovered(COMMANDS),
        build="another",
    ),
    Failure(
        name="runtime-too-old",
        mark="",
        pattern=r"""(?x)
            (?:\b(?P<runtime>Java|JDK|Node(?:\.js)?|Python|PHP|Ruby|Go
                |Perl|Elixir|OTP)\b(?!\.\w|\ (?:Deprecated|Fatal|Notice|Parse|Warning)\b)
                (?:\ version)?.{0,60}?\b(?:older\ than
                |minimum\ (?:required\ )?version|(?:is|are)\ required
                |is\ not\ supported|no\ longer\ supported|required:?)\b)
            | (?:\brequires?\b.{0,30}?\b(?P<runtime_wanted>Java|JDK|Node(?:\.js)?
                |Python|PHP|Ruby)\b[^.]{0,20}?\d)
            | (?:unsupported|incompatible)\ (?P<runtime_unfit>Java|JDK|Node|Python|PHP|Ruby)\b
            | engine\ \"(?P<runtime_engine>node)\"\ is\ incompatible
        """,
        cause="the image has another version of {runtime} than the program is written for",
        cure="take the base image of the version that the line asks for, "
        "or run the image that worked before",
        source="Jenkins', Composer's, Next.js' and pip's own messages",
        build="another",
        look="builds",
    ),
    Failure(
        name="language-version",
        mark="syntaxerror",
        pattern=r"""(?x)
            ^(?:\w+\.)?SyntaxError:\ (?:Unexpected\ token\ '(?:\.|\?|\?\?=
                |\|\|=|&&=|=)'|Unexpected\ identifier|invalid\ syntax|'.'\ was\ never\ closed
                |Invalid\ or\ unexpected\ token|Unexpected\ token\ '?export)
        """,
        cause="the program's source is not valid for the version of the language in this image: "
        "it is written for another version, or a file is broken",
        cure="take the base image of the version that the program is written for, or correct the "
        "file that the lines above name",
        source="Node.js' and Python's own messages",
        build="another",
    ),
    Failure(
        name="own-code-missing",
        mark="",
        pattern=r"""(?x)
            \bFailed\ opening\ required\ '(?P<file>[^'\n]{2,300})'  # PHP
            | \bCan't\ locate\ (?P<file_perl>[\w/]{2,120}\.p[lm])\ in\ @INC\b
        """,
        cause="the program's own code lacks its file {file}: a mount hides what the image has there, or holds the "
        "code of another version",
        cure="look which mount holds that folder; bring its files to the image's version, or mount only the "
        "program's data and settings",
        source="PHP's and Perl's own messages; nextcloud/docker#251",
        build="another",
    ),
    Failure(
        name="build-missing",
        mark="",
        pattern=r"""(?x)
            could\ not\ find\ a\ (?:valid\ |production\ )?build\ (?:in|of)
            | no\ such\ file\ or\ directory.{0,40}/(?:dist|build|\.next
                |\.output)/(?P<file>[\w./-]+)
        """,
        cause="the application was not built in this image, or a mount hides the built files",
        cure="build it in the image (npm run build), and keep mounts away from its folder",
        source="vercel/next.js, production-start-no-build-id",
        build="another",
        look="image",
    ),
    Failure(
        name="illegal-instruction",
        mark=("illegal instruction", "cpus supporting"),
        pattern=r"\bIllegal instruction\b|\bwas built for CPUs supporting\b",
        cause="the program uses instructions that this processor does not have, or that a virtual "
        "machine hides: many builds need AVX or AVX2",
        cure="give the virtual machine the CPU type host, or run a build for older processors",
        source="RocketChat/Rocket.Chat#32660, open-webui/open-webui#12400",
        confirmed_by="container.cpu-unsupported",
        needs=("sse4_2", "avx", "avx2"),
        look="machine",
        turns_away=True,
    ),
)
