"""The telling line of real logs: right in most of the corpus, measured apart on the third that was
set aside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.programs.telling_line import says_what_is_wrong, telling_line

LOGS = Path(__file__).parent.parent / "data" / "program_logs"
MARK = ">> "


def logs(name: str) -> dict[str, tuple[list[str], set[int]]]:
    """Name of a log -> its lines without empty ones, and the places of those that are right."""
    found = {}
    for section in re.split(r"(?m)^=== ", (LOGS / name).read_text())[1:]:
        head, _, body = section.partition("\n")
        rows = [row for row in body.split("\n") if row.removeprefix(MARK).strip()]
        right = {place for place, row in enumerate(rows) if row.startswith(MARK)}
        found[head.partition(" |")[0]] = [row.removeprefix(MARK) for row in rows], right
    return found


def wrong(name: str) -> dict[str, str]:
    """The logs in which another line was chosen, with that line."""
    chosen = {log: telling_line(lines) for log, (lines, _) in logs(name).items()}
    return {
        log: line.text
        for log, line in chosen.items()
        if line is None or line.index not in logs(name)[log][1]
    }


@pytest.mark.parametrize("name", ["tuning.txt", "holdout.txt"])
def test_the_line_that_explains_is_chosen_in_nine_of_ten_logs(name: str):
    missed = wrong(name)
    assert len(missed) <= 0.1 * len(logs(name)), sorted(missed)


def test_the_corpus_is_as_large_as_it_says():
    every = logs("tuning.txt") | logs("holdout.txt")
    assert len(every) >= 90
    assert all(right for _, right in every.values())


DETAILS = {
    "the causes that anyhow lists": (
        [
            "Error: failed to load settings",
            "",
            "Caused by:",
            "    0: could not read /etc/gate/config.toml",
            "    1: No such file or directory (os error 2)",
        ],
        ("could not read /etc/gate/config.toml", "No such file or directory (os error 2)"),
    ),
    "causes of which one repeats the other": (
        [
            "Error: Could not run server",
            "",
            "Caused by:",
            '   0: error returned from database: role "gate" does not exist',
            '   1: role "gate" does not exist',
            "",
            "Location:",
        ],
        ('error returned from database: role "gate" does not exist',),
    ),
    "the causes that miette draws": (
        [
            "Error:   × could not parse the configuration",
            "  ├─▶ TOML parse error at line 3, column 1",
            "  ╰─▶ missing field `listen`",
        ],
        ("TOML parse error at line 3, column 1", "missing field `listen`"),
    ),
    "what a line with a colon announces": (
        [
            "ERROR: Your license cannot be read:",
            "the file is of another product",
            "2026-03-04 10:00:01 [info] shutting down",
        ],
        ("the file is of another product",),
    ),
    "a list below a line with a colon": (
        [
            "Unhandled exception. OptionsValidationException: the configuration is invalid:",
            "- Endpoint has to be a URL",
            "- Timeout has to be positive",
            "Goodbye",
        ],
        ("- Endpoint has to be a URL", "- Timeout has to be positive"),
    ),
    "information below a line with a colon": (
        ["error: cannot load the plugin:", "INFO: 3 plugins are loaded"],
        (),
    ),
    "an exception whose message has several lines": (
        [
            "Caused by: org.flywaydb.core.api.FlywayValidateException: Validate failed: failed validation",
            "Migration checksum mismatch for migration version 2",
            "-> Applied to database : 14048",
            "\tat org.flywaydb.core.Flyway.migrate(Flyway.java:205)",
        ],
        ("Migration checksum mismatch for migration version 2", "-> Applied to database : 14048"),
    ),
    "a quoted line of a configuration": (
        [
            "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***",
            "Reading the configuration file, at line 4",
            ">>> 'requirepass'",
            "wrong number of arguments",
        ],
        ("Reading the configuration file, at line 4", ">>> 'requirepass'"),
    ),
    "a mistake in a YAML file": (
        [
            "while parsing a block mapping",
            '  in "<unicode string>", line 5, column 3:',
            "expected <block end>, but found '<block mapping start>'",
            '  in "<unicode string>", line 6, column 4:',
        ],
        ('in "<unicode string>", line 6, column 4:',),
    ),
    "the message of an object that begins in the line": (
        [
            "[tube] 2026-01-02 10:00:00.770 error: Configuration error. {",
            '  "err": {',
            '    "stack": "Error: secrets.tube is missing",',
            '    "message": "secrets.tube is \\"missing\\"\\nGenerate one"',
            "  }",
            "}",
        ],
        ('secrets.tube is "missing"',),
    ),
    "an object without a message": (
        ["Error: connect ECONNREFUSED 10.0.0.3:5432 {", "  errno: -111,", "  code: 'X'", "}"],
        (),
    ),
    "a message behind the object": (
        ["error: cannot start {", "  code: 7", "}", "  message: 'of another one'"],
        (),
    ),
    "a panic of Rust": (
        ["thread 'main' panicked at src/main.rs:14:44:", "called `Result::unwrap()` on a value"],
        ("called `Result::unwrap()` on a value",),
    ),
    "a server that an old client does not reach": (
        [
            "psycopg2.OperationalError: could not connect to server: Connection refused",
            '\tIs the server running on host "127.0.0.1" and accepting',
            "\tTCP/IP connections on port 5432?",
        ],
        (
            'Is the server running on host "127.0.0.1" and accepting',
            "TCP/IP connections on port 5432?",
        ),
    ),
    "a hint that goes on in the next line": (
        [
            "Error: Database is uninitialized and superuser password is not specified.",
            "       You must specify POSTGRES_PASSWORD to a non-empty value for the",
            "       superuser. See docker run.",
            "       It is never read again",
        ],
        (
            "You must specify POSTGRES_PASSWORD to a non-empty value for the superuser. See docker run.",
        ),
    ),
    "a hint above another message": (
        [
            "Error: the database is not initialized, and no password was given",
            "       You must specify a non-empty value for the superuser of it",
            "waiting for the database",
        ],
        ("You must specify a non-empty value for the superuser of it",),
    ),
    "a message in a frame": (
        [
            " ›   Error: There was an error: EACCES: permission denied, mkdir",
            " ›   '/usr/local/lib/node_modules/n8n/dist/public'",
            "Goodbye",
        ],
        ("'/usr/local/lib/node_modules/n8n/dist/public'",),
    ),
    "a hint below its own heading": (
        [
            "ERROR Unable to initialize backend: Unable to write to the backend",
            "      > Please ensure MinIO binary has write permissions for the backend",
            "      HINT:",
            "        The disk size is less than 900MiB threshold",
        ],
        (
            "> Please ensure MinIO binary has write permissions for the backend",
            "HINT: The disk size is less than 900MiB threshold",
        ),
    ),
    "the causes that eyre numbers": (
        [
            "Error: ",
            "   0: Error in store",
            "   1: No space left on device (os error 28)",
            "Location:",
        ],
        ("0: Error in store",),
    ),
    "an exception of one line": (
        ["ValueError: invalid port", "Goodbye", "see you", "and more", "of it"],
        (),
    ),
}


@pytest.mark.parametrize("name", DETAILS)
def test_what_belongs_to_the_line(name: str):
    lines, expected = DETAILS[name]
    chosen = telling_line(lines)
    assert chosen is not None
    assert chosen.details == expected


def test_a_message_that_was_broken_at_the_edge_of_a_terminal_is_whole():
    chosen = telling_line(
        [
            "In StreamHandler.php line 111:",
            '  The stream or file "/var/www/firefly-iii/storage/logs/ff3-cli-2020-07-20.lo',
            '  g" could not be opened: failed to open stream: Permission denied',
        ]
    )
    assert chosen is not None
    assert "ff3-cli-2020-07-20.log" in chosen.text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("start.sh: line 2: set: pipefail\r: invalid option name", "pipefail\\r: invalid"),
        ("env: ‘bash\r’: No such file or directory", "‘bash\\r’"),
        ("error: cannot open the file\r", "error: cannot open the file"),
        ("error: cannot load 10%\rerror: cannot load 20%", "10%error"),
    ],
)
def test_a_carriage_return_in_a_word_is_seen(line: str, expected: str):
    chosen = telling_line([line])
    assert chosen is not None
    assert expected in chosen.text
    assert "\r" not in chosen.text


WORDS_IN_NUMBERS = "101,110,118,105,114,111,110,109,101,110,116,32,118,97,114,105,97,98,108,101,32,68,65,84,65,66,65,83,69,95,85,82,76,32,105,115,32,109,105,115,115,105,110,103,46,10,70,111,114,32,101,120,97,109,112,108,101,58,32,101,99,116,111,58,47,47,85,83,69,82,58,80,65,83,83,64,72,79,83,84,47,68,65,84,65,66,65,83,69,10"
ADDRESS_IN_NUMBERS = "101,99,116,111,58,47,47,115,104,111,112,58,109,97,100,101,45,117,112,45,98,108,117,101,64,100,98,47,115,104,111,112"


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (WORDS_IN_NUMBERS, '"environment variable DATABASE_URL is missing."'),
        (ADDRESS_IN_NUMBERS, f"<<{ADDRESS_IN_NUMBERS}>>"),
        ("101,110,999,105,114,111,110,109", "<<101,110,999,105,114,111,110,109>>"),
    ],
    ids=["words", "what may be a secret", "no text"],
)
def test_a_text_that_erlang_prints_as_numbers_is_read(numbers: str, expected: str):
    """A text that may hold a password stays what it is: redaction has not seen it."""
    chosen = telling_line([f"init terminating (message=><<{numbers}>>)"])
    assert chosen is not None
    assert chosen.text == f"init terminating (message=>{expected})"


def test_a_sentence_about_debugging_is_no_information():
    lines = [
        "error decoding 2 sections:",
        "the logging exporter has been deprecated, use the debug exporter instead",
    ]
    chosen = telling_line(lines)
    assert chosen is not None
    assert lines[1] in chosen.whole


def test_an_exception_is_not_the_rest_of_the_line_above():
    chosen = telling_line(
        [
            "fail: Microsoft.AspNetCore.Server.Kestrel[13]",
            f"      Connection id {'A' * 60}: An unhandled exception was thrown by the application.",
            "      Npgsql.NpgsqlException (0x80004005): Exception while reading from stream",
        ]
    )
    assert chosen is not None
    assert chosen.text.startswith("Npgsql.NpgsqlException")


def test_a_line_with_a_time_of_its_own_is_not_the_rest_of_the_one_before():
    chosen = telling_line(
        [
            "     7:20220916:180617.860 using configuration file: /etc/zabbix/zabbix_server.conf",
            '     7:20220916:180617.869 cannot use database "zabbix": its "users" table is empty',
        ]
    )
    assert chosen is not None
    assert chosen.text.startswith("7:20220916:180617.869 cannot use database")


CHOSEN = {
    "a warning that complains, above ordinary words and an end that says nothing": [
        '{"level":"info","msg":"starting"}',
        '{"level":"warn","msg":"config rejected","reason":"unknown field \\"listen_addres\\" in config"}',
        '{"level":"info","msg":"shutting down"}',
    ],
    "the complaint above the description of a program of .NET": [
        "starting the gate",
        "Unrecognized command or argument '--lisen'.",
        "Description:",
        "  Gate",
        "Usage:",
        "  gate [options]",
    ],
    "the reason in a crash report of Erlang": [
        "[error] <0.254.0>   crasher:",
        '[error] <0.254.0>     reason: {error,"Cookie file /srv/.erlang.cookie must be accessible by owner only"}',
        "[error] <0.254.0>     initial call: application_master:init/4",
    ],
    "what failed, and not that its caller gave up": [
        "INFO starting the importer",
        "ERROR cannot open /srv/import/orders.csv",
        "ERROR importer stopped with an error: context canceled",
    ],
    "what stands below a heading": [
        "Error description:",
        '            "Mnesia could not connect to any nodes."},',
        "Log files (may contain more information):",
    ],
    "a level behind the name of a logger": [
        "cache    warn No Redis client initialized, skipping",
        "pre      error Found undeployed database alterations, you must deploy them first",
        "index    error Error while initializing app:",
        "index    error Error: Undeployed database alterations found.",
    ],
    "the option above a usage text": [
        "waiting for the database",
        "nc: invalid option -- 'k'",
        "Usage: nc [-iN] [-wN] [-l] [-p PORT] [-f FILE|IPADDR PORT] [-e PROG]",
        "\t-w SEC\tConnect timeout",
        "  -c, --config FILE      must be given where no default exists",
    ],
    "a level between bars": [
        "02:01:47 I | pkg/flags: recognized and used environment variable ETCD_DATA_DIR=/tmp/e",
        "02:01:47 E | etcdmain: error verifying flags, --advertise-client-urls is required",
        "02:01:47 E | etcdmain: when listening, this process must advertise accessible urls",
    ],
    "an exception of Ruby": [
        "from /usr/lib/ruby/rubygems.rb:85:in `require'",
        "/app/definition.rb:427:in `validate!': Your Ruby version is 3.1, but 3.3 (Mismatch)",
        "from /usr/lib/ruby/bundler.rb:12:in `setup'",
    ],
    "the reason in an object": [
        '{"s":"I","msg":"Automatically disabling TLS 1.0"}',
        '{"s":"F","msg":"Error during initialization","attr":{"error":{"errmsg":"no keyFile"}}}',
        '{"s":"I","msg":"now exiting"}',
    ],
    "what the variable needs": [
        "Error validating domain: relative URL without a base",
        "  DOMAIN variable needs to contain the protocol (http, https)",
        "Goodbye",
    ],
    "a script without a program that it calls": [
        "Using Mysql DB",
        "/startup.sh: line 30: /opt/kimai/bin/console: No such file or directory",
        "Error, unknown server type",
    ],
    "a name that does not resolve, before what follows from it": [
        "[2025-01-03 23:03:22] info: \tz2m: Connecting to MQTT server at mqtt://mqtt:1883",
        "[2025-01-03 23:03:23] error: \tz2m: MQTT failed to connect (getaddrinfo ENOTFOUND mqtt)",
        "[2025-01-03 23:03:23] error: \tz2m: Cannot load handler for undefined",
    ],
    "what does not fit, and not that it did not start": [
        "error: z2m: Failed to start zigbee",
        "error: zh:zstack: Configuration is not consistent with adapter state/backup!",
        "error: z2m: Error: startup failed - see logs above for more information",
    ],
    "an instruction that the processor lacks": [
        "Loading WEBUI_SECRET_KEY from file, not provided as an environment variable.",
        "Illegal instruction (core dumped)",
        "Exiting",
    ],
    "what failed, and not how to do without it": [
        "[postinstall] > npx prisma generate",
        "Error: Failed to fetch sha256 checksum at https://binaries.example/x - 403 Forbidden",
        "If you need to ignore this error, set the CHECKSUM_IGNORE_MISSING environment variable",
    ],
    "the reason below its code": [
        "Error: ERR_PNPM_RECURSIVE_EXEC_FIRST_FAIL",
        '  × Command "start-docker" not found',
        "Exiting",
    ],
    "a server that is not to be root": [
        "[Warning] Could not increase number of max_open_files to more than 20000",
        "mariadbd: Please consult the documentation to find out how to run mariadbd as root!",
        "[ERROR] Aborting",
    ],
    "what is left between the frames of Erlang": [
        "2021-11-23 04:37:54.238 [error] <0.271.0>",
        "2021-11-23 04:37:54.240 [error] <0.271.0> error:notsup",
        "2021-11-23 04:37:54.239 [error] <0.271.0>     crypto:notsup_to_error/1 line 2635",
        "2023-04-19 10:11:36.769434+00:00 [error] <0.144.0>     offender: [{pid,undefined},",
    ],
    "the reason before the farewell": [
        "1:M 05 Mar # WARNING: The TCP backlog setting of 511 cannot be enforced here",
        "1:M 05 Mar 02:45:25.007 # Fatal error loading the DB: Permission denied. Exiting.",
    ],
    "what SQL Server writes below the number": [
        "2019-07-31 21:47:38.80 Server      Error: 17113, Severity: 16, State: 1.",
        "2019-07-31 21:47:38.80 Server      Error 5(Access is denied.) while opening 'master.mdf'.",
    ],
    "the levels of ClickHouse": [
        "{} <Information> StatusFile: /var/lib/clickhouse/status already exists - unclean restart.",
        "{} <Error> Application: Cannot lock file status. Another server is already running.",
        "{} <Information> Application: shutting down",
    ],
    "a level that stands above its message": [
        "warn: Microsoft.AspNetCore.DataProtection.KeyManagement.XmlKeyManager[35]",
        "Unhandled Exception: System.NullReferenceException: Object reference not set",
        "   at Shop.Logging.Logger.Finalize()",
        "warn: Microsoft.AspNetCore.DataProtection.KeyManagement.XmlKeyManager[35]",
        "      No XML encryptor is configured. The key may not be protected.",
    ],
    "a warning of the shell": [
        "./seahub.sh: line 210: warning: setlocale: LC_ALL: cannot change locale (en_US.UTF-8)",
        "Error: Seahub failed to start.",
    ],
    "the state of a process of Erlang": [
        "** When server state  = {undefined,undefined}",
        "** Reason for termination = exit:badarg",
        "** Callback mode = undefined",
    ],
    "what X lacks by the way": [
        'Xlib:  extension "DPMS" missing on display ":0".',
        "wine: could not load kernel32.dll, status c0000135",
    ],
    "a container without IPv6": [
        '[28] LOG:  could not bind IPv6 address "::1": Cannot assign requested address',
        '[28] LOG:  could not open directory "pg_tblspc": Permission denied',
        "[28] HINT:  Is another postmaster already running on port 5432?",
    ],
    "a level as Google's logs have it": [
        "I20260115 18:40:33.131739     1 server.cpp:334] the last run is missing nothing",
        "E20260115 18:40:33.132076     1 server.cpp:337] the port is held by another",
        "I20260115 18:40:33.134585     1 store.h:64] cannot wait longer",
    ],
    "three letters for a level": [
        "[18:40:33 INF] the unknown cache is not found, and made anew",
        "[18:40:34 ERR] the port is held by another",
        "[18:40:35 DBG] cannot wait longer",
    ],
    "the user that a program runs as": [
        "started 231128 as root (amd64-prod)",
        "can't create /photos/sidecar: please check permissions",
    ],
    "the user that a program is not to run as": [
        "checking the folders of the server",
        "Please don't run this server as root",
        "leaving the folders as they are",
    ],
    "the name of a setting": [
        "done! Your system makes 1.44 writes per ms, your journal-buffer-timeout will be 696000",
        "cannot open /data/journal",
    ],
    "fields without a value": [
        "enqueue: pkg=shop id=4097 tag=null lock=null vibrate=null",
        "cannot open /data/articles.db",
    ],
    "an exception below a heading of .NET": [
        "fail: Shop.Invoices[0]",
        "      System.Exception: Sequence contains no elements",
        "         at Shop.Invoices.Render(String html)",
    ],
    "the path that WiredTiger (WT) may not open": [
        '{"s":"I","c":"STORAGE","msg":"Opening WiredTiger"}',
        '{"s":"E","msg":"WT","attr":{"message":"/data/db/WT.wt: open: Operation not permitted"}}',
        '{"s":"F","c":"STORAGE","msg":"Terminating.","attr":{"reason":"1: Operation not permitted"}}',
    ],
    "what Java cannot read, before that it does not start": [
        "Picked up JAVA_TOOL_OPTIONS: -Dfile.encoding=UTF-8",
        "Invalid maximum heap size: -Xmx2gb",
        "Error: Could not create the Java Virtual Machine.",
    ],
    "the reason above a pointer to it": [
        '[notice] Read configuration file "/etc/tor/torrc".',
        "[warn] /var/lib/tor is not owned by this user (tor, 100) but by root (0).",
        "[err] Reading config failed--see warnings above.",
    ],
    "what the reader has skipped": [
        "backend stdout | Starting the application",
        "backend stdout | Looks like you skipped some required update(s), see the site for more info",
    ],
    "an error of Yarn": [
        "yarn run v1.22.19",
        'error This project\'s package.json defines "packageManager": "yarn@4.0.2".',
        "Presence of the field indicates that the project is meant to be used with Corepack.",
    ],
    "below the heading of a report of Erlang": [
        "=ERROR REPORT==== 14-Aug-2026::13:46:44.858675 ===",
        "  This BEAM file was compiled for a later version of the runtime system than the current",
    ],
    "what strace shows of a search": [
        '478 12:21:46.377 stat("/usr/local/bin/which", 0x7ffc) = -1 ENOENT (No such file or directory) <0.0>',
        "cannot read the configuration: unknown key colour",
        '[pid 478] openat(AT_FDCWD, "/etc/x", O_RDONLY) = -1 EACCES (Permission denied)',
    ],
    "too little room, before the exit code": [
        "I JOURNAL  [initandlisten] journal dir=/data/db/journal",
        "E JOURNAL  [initandlisten] Insufficient free space for journal files",
        "I CONTROL  [initandlisten] dbexit:  rc: 100",
    ],
    "what the storage of MongoDB may not do, and not its farewell": [
        '{"s":"I","c":"STORAGE","msg":"Opening WiredTiger"}',
        '{"s":"F","c":"STORAGE","msg":"Terminating.","attr":{"reason":"1: Operation not permitted"}}',
        '{"s":"F","c":"-","msg":"\\n\\n***aborting after fassert() failure\\n\\n"}',
        "ERROR: child process failed, exited with 14",
    ],
    "the word in a file, and not that the file is invalid": [
        "The environment file is invalid!",
        "Failed to parse dotenv file. Encountered an invalid name at [In StreamHandler.php line 159:].",
    ],
    "a client's error, and not the status of its script": [
        "***  INFO   | 2020-04-01 09:13:20 | Running /container/run/startup/slapd",
        "ldap_modify: Insufficient access (50)",
        "***  ERROR  | 2020-04-01 09:13:22 | /container/run/startup/slapd failed with status 50",
    ],
    "the error below the frames of Erlang": [
        "2021-11-23 04:37:54.239 [error] <0.271.0>  rabbit_boot_steps:'-run_boot_steps/1-lc$^0/1-0-'/1 line 19",
        "2021-11-23 04:37:54.240 [error] <0.271.0> error:notsup",
        "2021-11-23 04:37:54.240 [error] <0.271.0>",
    ],
    "a file that a program may not open, before its code misses it": [
        "Starting platform",
        'FileLogWriter("/mattermost/logs/mattermost.log"): open /mattermost/logs/mattermost.log: permission denied',
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x30 pc=0x9aedfc]",
    ],
    "a crash behind a file that the program does not need": [
        "WARN open /etc/app/extra.conf: no such file or directory, using defaults",
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "goroutine 1 [running]:",
    ],
    "what ended, and not what supervisord says of itself": [
        "2016-04-18 12:47:58,000 CRIT Supervisor running as root (no user in config file)",
        "2016-04-18 12:48:01,000 INFO exited: web (terminated by SIGKILL; not expected)",
        "2016-04-18 12:48:44,565 CRIT reaped unknown pid 76)",
    ],
    "what has no upstream, and why": [
        "[2024/07/21 17:13:15] [error] [output:otel:otel.1] no upstream connections available to http://collector",
        "[2024/07/21 17:13:15] [ warn] [net] getaddrinfo(host='http://collector', err=15): Out of memory",
    ],
}
"""In each the second line is the right one."""


def test_spring_says_below_its_heading_why_the_application_does_not_start():
    chosen = telling_line(
        [
            "WARN 1 --- [main] ServerContext : cancelling refresh: ApplicationContextException: Unable to start",
            "APPLICATION FAILED TO START",
            "Description:",
            "",
            "Failed to bind properties under 'server.port' to java.lang.Integer:",
            "",
            "    Property: server.port",
            '    Value: "${SHOP_PORT}"',
            "    Reason: failed to convert java.lang.String to java.lang.Integer",
        ]
    )
    assert chosen is not None
    assert chosen.text.startswith("Failed to bind properties")
    assert chosen.details[0] == 'Value: "${SHOP_PORT}"'


@pytest.mark.parametrize("name", CHOSEN)
def test_the_line_that_is_chosen(name: str):
    chosen = telling_line(CHOSEN[name])
    assert chosen is not None
    assert chosen.index == 1


@pytest.mark.parametrize(
    "line",
    [
        "discord.errors.LoginFailure: Improper token has been passed.",
        "/plugins/app: exec format error",
        "error: malformed API key",
    ],
)
def test_a_line_that_objects_is_no_reason_for_another_start(line: str) -> None:
    telling = telling_line([line])
    assert telling is not None
    assert telling.is_complaint


ZOD = """ZodError: [
  {
    "code": "invalid_type",
    "path": [
      "auth",
      "secret"
    ],
    "message": "Required"
  }
]"""


IN_ITS_NEW_FORM = """Invalid environment variables: [
  {
    expected: 'string',
    path: [ 'APP_URL' ],
    message: 'Invalid input: expected string, received undefined'
  },
]"""


@pytest.mark.parametrize(
    ("text", "issue"),
    [(ZOD, "auth.secret: Required"), (IN_ITS_NEW_FORM, "APP_URL: Required")],
    ids=["as JSON", "as Node.js prints it"],
)
def test_the_first_issue_of_zod_belongs_to_its_name(text: str, issue: str) -> None:
    telling = telling_line(text.splitlines())
    assert telling is not None
    assert telling.details == (issue,)


@pytest.mark.parametrize(
    ("line", "objects"),
    [
        ("tar: Removing leading `/' from member names", False),
        ("mkdir: created directory '/data'", False),
        ("rsync: 3 files are sent", False),
        ("grep: warning: stray \\ before -", False),
        ("tar: data.tar: file changed as we read it", True),
        ("sed: -e expression #1, char 24: unknown option to `s'", True),
    ],
)
def test_a_tool_that_tells_what_it_does_has_no_complaint(line: str, objects: bool) -> None:
    assert says_what_is_wrong(line) is objects


def test_an_end_that_names_nothing_leaves_the_word_to_the_error_before_it():
    lines = [
        (
            "2024-01-01 10:00:00.000 UTC [1] ERROR unable to open file /etc/pgbouncer/userlist.txt:"
            " No such file"
        ),
        "2024-01-01 10:00:00.001 UTC [1] FATAL cannot load auth_file",
    ]
    chosen = telling_line(lines)
    assert chosen is not None
    assert chosen.index == 0


@pytest.mark.parametrize(
    "line",
    [
        "7 May 14:20:47 - [error] Error: EACCES: permission denied, mkdir '/.node-red'",
        "npm error path /.npm",
        "PermissionError: [Errno 13] Permission denied: '/.cache'",
    ],
)
def test_a_folder_at_the_root_is_that_of_a_user_without_a_home(line: str):
    failure = LogTail((line,)).failure
    assert failure is not None
    assert failure.name == "home-missing"


def test_a_notice_of_deprecation_does_not_hide_the_error_below_it() -> None:
    telling = telling_line(
        [
            "[DEPRECATED]: `SMTP_SSL` is set. Please use `SMTP_SECURITY` instead.",
            "[app][ERROR] No persistent volume!",
        ]
    )
    assert telling is not None
    assert telling.index == 1
