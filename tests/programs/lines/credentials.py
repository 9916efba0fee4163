"""Lines of real logs for the rows of `diagnose/programs/failures/credentials.py`."""

from __future__ import annotations

LINES = {
    "git-login": "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
    "bot-token": "discord.errors.LoginFailure: Improper token has been passed.",
    "bot-twice": (
        "telegram.error.Conflict: Conflict: terminated by other getUpdates request; make sure that only one bot "
        "instance is running"
    ),
    "cloud-credentials": "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
    "api-key-refused": (
        "openai.AuthenticationError: Error code: 401 - {'error': {'message': 'Incorrect API key provided'}}"
    ),
}
