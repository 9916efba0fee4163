"""The lines around a complaint: the same words in a migration and in a request, and the library
whose frame says what a bare exception is about."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tail import LogTail

CASES = {
    "a frame of a migration": (
        "migration-fails",
        """Checking if there are any migrations to run for direction "up"...
SqliteError: no such column: password
    at Database.exec (/app/node_modules/better-sqlite3/lib/methods/wrappers.js:9:14)
    at Migration.up (file:///app/migrations/1718889148000-openid.js:4:24)""",
    ),
    "a line above": (
        "migration-fails",
        """Migrating database to newer version...
Traceback (most recent call last):
  File "/app/backend/db.py", line 105, in execute
    cursor.executescript(text)
sqlite3.OperationalError: no such column: notification_service""",
    ),
    "a request": (
        "column-missing",
        """Listening on 0.0.0.0:8080
SqliteError: no such column: password
    at Database.exec (/app/node_modules/better-sqlite3/lib/methods/wrappers.js:9:14)
    at login (file:///app/src/accounts.js:40:24)""",
    ),
    "a start script that has moved it before": (
        "start-not-repeatable",
        """mv: cannot stat '/etc/cron.d/purge.disabled': No such file or directory
ln: failed to create symbolic link '/usr/lib/sieve/pipe': File exists""",
    ),
    "a start script that misses it": (
        "path-missing",
        """mv: cannot stat '/etc/cron.d/purge.disabled': No such file or directory
the mail server does not start""",
    ),
    "a key of an INI file": (
        "file-key-missing",
        """Traceback (most recent call last):
  File "/app/service.py", line 39, in initialize_settings
    size = int(settings.cfg[LOGGING][SIZE])
  File "/usr/local/lib/python3.9/configparser.py", line 1254, in __getitem__
    raise KeyError(key)
KeyError: 'MaxLogSize'""",
    ),
    "a key of anything": (
        "field-missing",
        """Traceback (most recent call last):
  File "/app/service.py", line 39, in load
    name = answer["model_name"]
KeyError: 'model_name'""",
    ),
    "a variable": (
        "python-keyerror",
        """Traceback (most recent call last):
  File "<frozen os>", line 679, in __getitem__
KeyError: 'BOT_TOKEN'""",
    ),
    "an address of a database": (
        "connection-string",
        """[16:46:57 INF] Trying to apply migrations...
Unhandled exception. System.ArgumentOutOfRangeException: Index was out of range. (Parameter 'startIndex')
   at System.String.LastIndexOf(Char value, Int32 startIndex, Int32 count)
   at Microsoft.Data.SqlClient.SqlConnection.set_ConnectionString(String value)""",
    ),
    "the same exception of own code": (
        "class-value",
        """Unhandled exception. System.ArgumentOutOfRangeException: Index was out of range. (Parameter 'startIndex')
   at System.String.LastIndexOf(Char value, Int32 startIndex, Int32 count)
   at Shop.Orders.Parse(String value)""",
    ),
    "nothing for a number": (
        "number-of-settings-unset",
        """ERROR! Config provider Config.Reader failed with:
** (ArgumentError) errors were found at the given arguments:

  * 1st argument: not a binary

    :erlang.binary_to_integer(nil)
    (stdlib 3.15.1) erl_eval.erl:685: :erl_eval.do_apply/6""",
    ),
    "an address that is none": (
        "ip-malformed",
        """crit: Microsoft.AspNetCore.Hosting.Diagnostics[6]
      Application startup exception
      System.FormatException: An invalid IP address was specified.
       ---> System.Net.Sockets.SocketException (22): Invalid argument
         --- End of inner exception stack trace ---""",
    ),
    "errors of pydantic before another line": (
        "pydantic-settings",
        """pydantic_core.ValidationError: 1 validation error for KeycloakSettings
URL
  Field required [type=missing, input_value={}, input_type=dict]
[ERROR] Worker failed to boot.""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_lines_around_tell_what_it_is(name: str) -> None:
    row, text = CASES[name]
    failure = LogTail(tuple(text.split("\n"))).failure
    assert failure is not None
    assert failure.name == row
    assert "{" not in failure.cause + failure.cure
