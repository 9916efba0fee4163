"""Messages of the C library and of PostgreSQL in other languages: what they say is recognised."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.foreign_words import in_english
from diagnose.programs.log_message import ERROR, message

SAYS = {
    "German, a right": (
        "mkdir: das Verzeichnis »/data/cache“ kann nicht angelegt werden: Keine Berechtigung",
        "path-denied",
        "/data/cache",
    ),
    "French, a file": (
        "cp: impossible d'évaluer '/config/app.conf': Aucun fichier ou dossier de ce type",
        "path-missing",
        "/config/app.conf",
    ),
    "Spanish, a right": (
        "mkdir: no se puede crear el directorio «/data/cache»: Permiso denegado",
        "path-denied",
        "/data/cache",
    ),
    "Russian, a right": (
        "mkdir: невозможно создать каталог «/data/cache»: Отказано в доступе",
        "path-denied",
        "/data/cache",
    ),
    "Chinese, a file": (
        "2024-01-05 10:00:01 [错误] 启动失败: 配置文件不存在: /config/app.yml",
        "path-missing",
        "/config/app.yml",
    ),
    "Japanese, a right": (
        "mkdir: ディレクトリ `/data/cache' を作成できません: 許可がありません",
        "path-denied",
        "/data/cache",
    ),
    "Russian, a peer": (
        "ошибка: не удалось подключиться к db:5432: В соединении отказано",
        "peer-refused",
        "db:5432",
    ),
    "German, a login": (
        "FATAL:  Passwort-Authentifizierung für Benutzer »shop« fehlgeschlagen",
        "postgres-login",
        "shop",
    ),
    "French, a login": (
        "FATAL:  authentification par mot de passe échouée pour l'utilisateur « shop »",
        "postgres-login",
        "shop",
    ),
    "Russian, a login": (
        'FATAL:  пользователь "shop" не прошёл проверку подлинности (по паролю)',
        "postgres-login",
        "shop",
    ),
    "Spanish, a login": (
        "FATAL:  la autentificación password falló para el usuario «shop»",
        "postgres-login",
        "shop",
    ),
    "German, a table": ("ERROR:  Relation »orders« existiert nicht", "table-missing", "orders"),
    "Spanish, a database": (
        "FATAL:  no existe la base de datos «shop»",
        "postgres-database",
        "shop",
    ),
}


@pytest.mark.parametrize(("line", "name", "value"), SAYS.values(), ids=SAYS)
def test_the_failure_and_its_name_are_recognised(line: str, name: str, value: str) -> None:
    failure = LogTail((line,)).failure
    assert failure is not None
    assert (failure.name, value) == (name, next(iter(failure.values.values())))
    assert failure.line == line


def test_an_error_of_the_system_in_another_language_is_found() -> None:
    tail = LogTail(("cat: /config/app.yml: Keine Berechtigung",))
    assert tail.find("permission denied") == tail.last
    assert tail.signs == {"permission"}


def test_a_level_in_another_language_counts() -> None:
    assert message("FEHLER: Konfigurationsdatei /config/app.yml nicht gefunden").level == ERROR


@pytest.mark.parametrize(
    "line",
    [
        "エラー 0 件、警告 0 件で完了しました",
        "Keine FEHLER gefunden",
        "Aucune ERREUR trouvée",
        "Nenhum ERRO: tudo certo",
        "检查完成,没有错误",
    ],
)
def test_a_line_that_counts_no_errors_has_no_level(line: str) -> None:
    assert message(line).level is None


@pytest.mark.parametrize(
    "line", ["错误:无法连接", "エラー: 接続できません", "2024-01-05 [错误] 启动失败"]
)
def test_a_level_without_capitals_counts(line: str) -> None:
    assert message(line).level == ERROR


@pytest.mark.parametrize(
    "line",
    [
        "the service is only ready for nothing",
        "ready ✓ in 148 ms",
        "Serveur démarré sur le port 80",
        "Verbindung von 172.18.0.3 angenommen",
    ],
)
def test_other_text_stays_as_it_is(line: str) -> None:
    assert in_english(line) == line
