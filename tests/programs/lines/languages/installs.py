"""Lines of real logs for the rows of `diagnose/programs/failures/languages/installs.py`."""

from __future__ import annotations

LINES = {
    "java-archive": "Error: Invalid or corrupt jarfile /srv/app/shop.jar",
    "switched-program-missing": "error: exec failed: no such file or directory",
    "init-program-missing": "[FATAL tini (7)] exec node failed: No such file or directory",
    "init-program-unfit": "[FATAL tini (7)] exec /docker-entrypoint.sh failed: Exec format error",
    "words-as-one-command": "\u2018server /data\u2019 is not a minio sub-command. See \u2018minio --help\u2019.",
    "s6-script-denied": "s6-supervise (child): fatal: unable to exec run: Permission denied",
    "package-unfound": "E: Unable to locate package libfoo-dev",
    "package-release-unfound": "ERROR: No matching distribution found for tensorflow==1.15.0",
    "gemfile-missing": "Could not locate Gemfile or .bundle/ directory",
    "repository-missing": "fatal: not a git repository (or any of the parent directories): .git",
    "registry-unreached": "npm ERR! network request to https://registry.npmjs.org/express failed, reason: connect ETIMEDOUT 104.16.1.35:443",
    "project-file-missing": "Could not open input file: artisan",
    "settings-file-missing": "System.IO.FileNotFoundException: The configuration file 'appsettings.json' was not found and is not optional. The expected physical path was '/app/appsettings.json'.",
    "bundle-import": "Module not found: Error: Can't resolve 'react' in '/app/src'",
    "program-not-there": "Error: spawn git ENOENT",
    "steam-subscription": "ERROR! Failed to install app '896660' (No subscription)",
    "steam-room": "Error! App '896660' state is 0x202 after update job.",
    "gated-model": "OSError: You are trying to access a gated repo. Make sure to have access to it at https://huggingface.co/meta-llama/Llama-2-7b-hf.",
    "php-code-syntax": 'PHP Parse error:  syntax error, unexpected token "match" in /var/www/html/src/Kind.php on line 31',
    "s6-run-unfit": "s6-supervise app: warning: unable to spawn ./run (waiting 60 seconds): Exec format error",
    "pm2-errored": '2024-01-05T10:00:05: PM2 log: Script /app/index.js had too many unstable restarts (16). Stopped. "errored"',
    "sidekiq-application": "INFO:   Please point Sidekiq to a Rails application or a Ruby file  ",
    "nest-dependency": (
        "[Nest] 1  - 01/05/2024, 10:00:00 AM   ERROR [ExceptionHandler] Nest can't resolve dependencies of the "
        "AuthService (UsersService, ?). Please make sure that the argument JwtService at index [1] is available"
    ),
    "deno-lock": (
        "error: Integrity check failed for remote specifier. The source code is invalid, as it does not match the "
        "expected hash in the lock file."
    ),
    "zones-absent": "panic: time: missing Location in call to Time.In",
    "init-option-first": "[FATAL tini (7)] exec -- failed: No such file or directory",
    "command-list-broken": "/bin/sh: 1: [npm,: not found",
    "composer-php": (
        "- laravel/framework v9.52.16 requires php ^8.0.2 -> your php version (7.4.33) does not satisfy that requirement."
    ),
    "composer-file": "Composer could not find a composer.json file in /app",
    "node-file-kind": 'TypeError [ERR_UNKNOWN_FILE_EXTENSION]: Unknown file extension ".ts" for /app/src/index.ts',
    "npx-asks": "Need to install the following packages:",
    "angular-asks": "Would you like to share pseudonymous usage data about this project with the Angular Team",
    "debconf-asks": "Please select the geographic area in which you live. Subsequent configuration",
}
