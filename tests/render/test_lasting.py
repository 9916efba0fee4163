"""What has to be in a compose file so that a cure lasts."""

import pytest

from diagnose.render.outlines.lasting import lasting_words, with_lasting_words

MADE_BY = "compose project shop, service web, /srv/shop/compose.yaml"
ADD = "To make it last, add, beside what stands there, for service web in /srv/shop/compose.yaml:"
JOIN = (
    "to the `networks` of service web in /srv/shop/compose.yaml, beside those that stand there, "
    "or beside `default`."
)
DECLARE = "Declare it at the end: `networks: {vault_default: {external: true}}`."
BEGIN = "To make it last, write for service web in /srv/shop/compose.yaml:"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            "diagnose recreate web -- --env='A=b c' --volume=/a:/b | sh",
            f'{ADD} `environment: ["A=b c"]; volumes: ["/a:/b"]`.',
        ),
        (
            "diagnose recreate web -- --env=A=1 --env=B=2 | sh",
            f'{ADD} `environment: ["A=1", "B=2"]`.',
        ),
        (
            "read -r KEY && export KEY && diagnose recreate web -- --env=KEY | sh",
            f"{ADD} `environment: [KEY=...]`.",
        ),
        (
            "diagnose recreate web --without gpus | sh",
            "To make it last, leave out for service web in /srv/shop/compose.yaml the option gpus.",
        ),
        (
            "diagnose recreate web --unmount /x -- --volume=data:/x | sh",
            f'{ADD} `volumes: ["data:/x"]`. Leave out there the volume at /x.',
        ),
        ("diagnose recreate web --image shop:2 | sh", f'{BEGIN} `image: "shop:2"`.'),
        (
            "docker update --memory 192m --memory-swap 192m web\ndocker start web",
            f'{BEGIN} `mem_limit: "192m"; memswap_limit: "192m"`.',
        ),
        ("docker network connect shop_backend web", f"To make it last, add `backend` {JOIN}"),
        (
            "docker network connect vault_default web",
            f"To make it last, add `vault_default` {JOIN} {DECLARE}",
        ),
        (
            "diagnose recreate web -- --health-cmd='curl -f http://127.0.0.1/' | sh",
            f'{BEGIN} `healthcheck: {{test: "curl -f http://127.0.0.1/"}}`.',
        ),
        ("diagnose recreate web -- --env='A=b | sh", ""),
        ("diagnose recreate web -- --network=container:vpn | sh", ""),
        ("docker start web", ""),
    ],
)
def test_the_change_is_written_as_compose_has_it(command: str, words: str):
    assert lasting_words(command, MADE_BY) == words


def test_what_compose_has_not_made_needs_no_file():
    assert lasting_words("diagnose recreate web --image shop:2 | sh", "swarm service web") == ""


def test_the_name_of_the_file_replaces_the_sentence_without_one():
    impact = "This adds it. Correct the compose file or the Dockerfile too."
    words = with_lasting_words(impact, "diagnose recreate web --image shop:2 | sh", MADE_BY)
    assert words == f'This adds it. {BEGIN} `image: "shop:2"`.'


@pytest.mark.parametrize(
    "command",
    [
        "diagnose recreate db -- --env=A=1 | sh",
        "docker network connect shop_backend db",
        "docker update --memory 192m db",
    ],
)
def test_a_cure_of_another_container_has_no_line_for_this_one(command: str):
    assert with_lasting_words("This adds it.", command, MADE_BY, "web") == "This adds it."
    assert "service web" in with_lasting_words("This adds it.", command, MADE_BY, "db")
