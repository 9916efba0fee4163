"""Tokens and keys for services of the internet that a program lacks, or that are refused."""

from __future__ import annotations

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import TypedLike

CREDENTIALS = (
    Failure(
        name="git-login",
        mark="could not read username for",
        pattern=r"could not read Username for '(?P<server>https?://[^'\s]{1,200})'",
        cause="Git asks for a login to {server}, and nobody can type one: the repository is private or has another "
        "name, or the container has no token for it",
        cure="correct the address, or give the program a token or a key in its settings",
        source="Git's own message",
    ),
    Failure(
        name="bot-token",
        mark="",
        pattern=r"""(?x)
            Improper\ token\ has\ been\ passed | \bTOKEN_INVALID\b | \bAn\ invalid\ token\ was\ provided
            | \bThe\ token\ `[^`\n]{0,120}`\ was\ rejected\ by\ the\ server
            | \b(?:InvalidToken|TokenValidationError|TelegramUnauthorizedError):\ \S
            | \bETELEGRAM:\ 40[14]\b
        """,
        cause="the service of the bot (Discord, Telegram) refuses its token: it is wrong, was replaced, or is not set "
        "in the container",
        cure="set the token that the service shows for the bot now, without quotes or spaces",
        source="discord.py's, discord.js', python-telegram-bot's and aiogram's own messages",
        of_running=NEVER,
        remedy=TypedLike(r"TOKEN"),
    ),
    Failure(
        name="bot-twice",
        mark="getupdates request",
        pattern=r"terminated by other getUpdates request",
        cause="the same bot runs twice: another program asks Telegram with the same token",
        cure="stop the other one; while an old container of the bot runs, each takes the messages of the other",
        source="Telegram's own message",
    ),
    Failure(
        name="cloud-credentials",
        mark="",
        pattern=r"""(?x)
            \bNoCredentialsError:\ Unable\ to\ locate\ credentials
            | \bUnable\ to\ load\ (?:AWS\ )?credentials\ from\ any\ (?:of\ the\ )?provider
            | \bCould\ not\ load\ credentials\ from\ any\ providers | \bNoCredentialProviders:
            | \bno\ EC2\ IMDS\ role\ found
            | \b(?:default|Default)\ credentials\ (?:were\ not\ found|was\ not\ found)
            | \bcould\ not\ find\ default\ credentials | \bCould\ not\ load\ the\ default\ credentials
            | \bDefaultAzureCredential\ failed\ to\ retrieve\ a\ token
        """,
        cause="the program has no credentials for the cloud service that it calls: neither variables nor a file of "
        "them is in its container",
        cure="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or mount the file and name it with "
        "GOOGLE_APPLICATION_CREDENTIALS, as the service has it",
        source="boto3's, the AWS SDKs', Google's and Azure's own messages",
    ),
    Failure(
        name="api-key-refused",
        mark="",
        pattern=r"""(?x)
            \bIncorrect\ API\ key\ provided | \binvalid_api_key\b | \binvalid\ x-api-key\b
            | \bAPI\ key\ not\ valid\.\ Please\ pass\ a\ valid\ API\ key
        """,
        cause="the service that the program calls refuses its API key: it is wrong, was withdrawn, or is not set in the "
        "container",
        cure="set the key that the service shows for the account now",
        source="OpenAI's, Anthropic's and Google's own messages",
        of_running=NEVER,
        remedy=TypedLike(r"API_?KEY"),
    ),
)
"""In the order in which a line is compared with them."""
