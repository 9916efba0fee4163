"""Messages of the C library, PostgreSQL and others in another language than English, put into
English.

A host that is set to German, or an image with such a locale, prints "Keine Berechtigung" for
"Permission denied". The pairs are those of glibc's and PostgreSQL's own translations. The words
around them stay as they are: names and paths are found by the English words beside them.
"""

import functools
from collections.abc import Mapping

from diagnose.lazy_pattern import LazyPattern
from diagnose.word_sets import vocabulary

_SYSTEM: Mapping[str, tuple[str, ...]] = {
    "permission denied": (
        *("Keine Berechtigung", "Permission non accordée", "Permiso denegado", "Permissão negada"),
        *("Permesso negato", "Отказано в доступе", "权限不够", "許可がありません", "Brak dostępu"),
        *("Toegang geweigerd", "Zugriff verweigert", "Accès refusé", "Åtkomst nekas"),
    ),
    "no such file or directory": (
        *("Datei oder Verzeichnis nicht gefunden", "Aucun fichier ou dossier de ce type"),
        *("No existe el archivo o el directorio", "No existe el fichero o el directorio"),
        *("Arquivo ou diretório inexistente", "Ficheiro ou pasta inexistente"),
        *("File o directory non esistente", "Нет такого файла или каталога"),
        *("没有那个文件或目录", "そのようなファイルやディレクトリはありません"),
        *("Nie ma takiego pliku ani katalogu", "Bestand of map bestaat niet"),
    ),
    "connection refused": (
        *("Verbindungsaufbau abgelehnt", "Verbindung verweigert", "Connexion refusée"),
        *("Conexión rehusada", "Conexión rechazada", "Conexão recusada", "Ligação recusada"),
        *("Connessione rifiutata", "В соединении отказано", "拒绝连接", "连接被拒绝"),
        *("接続を拒否されました", "Połączenie odrzucone", "Verbinding is geweigerd"),
    ),
    "address already in use": (
        *("Die Adresse wird bereits verwendet", "Adresse déjà utilisée", "Endereço já em uso"),
        *("La dirección ya se está usando", "Indirizzo già in uso", "Адрес уже используется"),
        *("地址已在使用", "地址已被使用", "アドレスは既に使用中です", "Adres jest już w użyciu"),
    ),
    "no space left on device": (
        *(
            "Auf dem Gerät ist kein Speicherplatz mehr verfügbar",
            "No queda espacio en el dispositivo",
        ),
        *("Aucun espace disponible sur le périphérique", "Spazio esaurito sul device"),
        *("Não há espaço disponível no dispositivo", "На устройстве не осталось свободного места"),
        *("设备上没有空间", "デバイスに空き領域がありません", "Brak miejsca na urządzeniu"),
    ),
    "read-only file system": (
        *("Das Dateisystem ist nur lesbar", "Système de fichiers accessible en lecture seulement"),
        *("Sistema de archivos de solo lectura", "Sistema de ficheros de sólo lectura"),
        *("Sistema de arquivos somente para leitura", "File system in sola lettura"),
        *("Файловая система доступна только для чтения", "只读文件系统"),
        *("読み込み専用ファイルシステムです", "System plików wyłącznie do odczytu"),
    ),
    "operation not permitted": (
        *("Die Operation ist nicht erlaubt", "Vorgang nicht zulässig", "Opération non permise"),
        *("Operación no permitida", "Operação não permitida", "Operazione non permessa"),
        *("Операция не позволена", "不允许的操作", "許可されていない操作です"),
    ),
    "is a directory": (
        *("Ist ein Verzeichnis", "est un dossier", "Es un directorio", "É um diretório"),
        *("È una directory", "Это каталог", "是一个目录", "ディレクトリです"),
    ),
    "connection timed out": (
        *("Die Wartezeit für die Verbindung ist abgelaufen", "Connexion terminée par expiration"),
        *("Expiró el tiempo de conexión", "Tempo esgotado para conexão", "Connessione scaduta"),
        *("Время ожидания соединения истекло", "连接超时", "接続がタイムアウトしました"),
    ),
    "name or service not known": (
        *("Der Name oder der Dienst ist nicht bekannt", "Nom ou service inconnu"),
        *("Nombre o servicio desconocido", "Nome ou serviço desconhecido"),
        *("Nome o servizio sconosciuto", "Неизвестное имя или служба", "未知的名称或服务"),
    ),
    "environment variables": (
        *("Umgebungsvariablen", "variables d'environnement", "variables de entorno"),
        *("variáveis de ambiente", "variabili d'ambiente", "переменные окружения"),
    ),
    "environment variable": (
        *("Umgebungsvariable", "variable d'environnement", "variable de entorno"),
        *("variável de ambiente", "variabile d'ambiente", "variabile di ambiente"),
        *(
            "переменная окружения",
            "переменная среды",
            "环境变量",
            "環境変数",
            "zmienna środowiskowa",
        ),
    ),
    "is not set": (
        *("ist nicht gesetzt", "wurde nicht gesetzt", "ist nicht definiert", "n'est pas définie"),
        *("n'est pas défini", "no está definida", "no está configurada", "no está establecida"),
        *("não está definida", "não foi definida", "non è impostata", "non è definita"),
        *("не задана", "не установлена", "не определена", "未设置", "没有设置", "未定义"),
        *("が設定されていません", "nie jest ustawiona"),
    ),
    "must be set": ("muss gesetzt sein", "müssen gesetzt sein", "doit être définie"),
    "not found": (
        *("nicht gefunden", "introuvable", "no se encontró", "não encontrado", "não encontrada"),
        *("non trovato", "не найден", "未找到", "找不到", "見つかりません", "nie znaleziono"),
    ),
    "does not exist": (
        *("existiert nicht", "n'existe pas", "no existe", "não existe", "non esiste"),
        *("не существует", "不存在", "存在しません", "nie istnieje", "bestaat niet"),
    ),
    "failed": (
        "fehlgeschlagen",
        "a échoué",
        "не удалось",
        "失败",
        "失敗しました",
        "nie powiodło się",
    ),
    "no errors": (
        *("Keine FEHLER", "keine FEHLER", "0 FEHLER", "Aucune ERREUR", "aucune ERREUR"),
        *("Nenhum ERRO:", "Nessun ERRORE", "nessun ERRORE"),
    ),
    "ERROR": ("FEHLER", "ERREUR", "ОШИБКА", "ERRORE", "BŁĄD"),
    "ERROR:": ("ERRO:", "错误:", "错误：", "エラー:", "エラー："),
    "[ERROR]": ("[错误]", "[エラー]"),
    "WARNING": ("WARNUNG", "AVERTISSEMENT", "ПРЕДУПРЕЖДЕНИЕ"),
    "WARNING:": ("警告:", "警告："),
    "[WARNING]": ("[警告]",),
}
"""English words, and those that stand for them. The longer ones come first.

Where a script has no capitals, a colon or brackets make a word a level: else it may count errors.
"""

_NAME = r"[»«„\"“'`]\s?(?P<name>[^»«„\"“”'`\n]{1,80}?)\s?[«»\"”“'`]"
_OF_POSTGRES: tuple[tuple[LazyPattern, str], ...] = (
    (
        LazyPattern(
            rf"""(?x)
            Passwort-Authentifizierung\ für\ Benutzer\ {_NAME}\ (?:fehlgeschlagen|failed)
            | authentification\ par\ mot\ de\ passe\ échouée\ pour\ l'utilisateur\ {_NAME.replace("name", "name_fr")}
            | la\ autentificación\ password\ falló\ para\ el\ usuario\ {_NAME.replace("name", "name_es")}
            | autenticação\ do\ tipo\ senha\ falhou\ para\ (?:o\ )?usuário\ {_NAME.replace("name", "name_pt")}
            | autenticazione\ con\ password\ fallita\ per\ l'utente\ {_NAME.replace("name", "name_it")}
            | пользователь\ {_NAME.replace("name", "name_ru")}\ не\ прошёл\ проверку\ подлинности
            | 用户\ ?{_NAME.replace("name", "name_zh")}\ Password\ 认证(?:失败|failed)
            | ユーザー?{_NAME.replace("name", "name_ja")}のパスワード認証に(?:失敗しました|failed)
            """
        ),
        'password authentication failed for user "{name}"',
    ),
    (
        LazyPattern(
            rf"""(?x)
            (?:Datenbank|(?:la\ )?base\ de\ données|база\ данных|数据库|データベース|banco\ de\ dados
                |(?:il\ )?database)\ ?{_NAME}\ ?(?:は|は、)?\ ?does\ not\ exist
            | does\ not\ exist\ la\ base\ de\ datos\ {_NAME.replace("name", "name_es")}
            """
        ),
        'database "{name}" does not exist',
    ),
    (
        LazyPattern(
            rf"""(?x)
            (?:Relation|la\ relation|отношение|关系|リレーション|relação|la\ relazione)\ ?{_NAME}
                \ ?(?:は|は、)?\ ?does\ not\ exist
            | does\ not\ exist\ la\ relación\ {_NAME.replace("name", "name_es")}
            """
        ),
        'relation "{name}" does not exist',
    ),
    (
        LazyPattern(
            rf"""(?x)
            (?:Rolle|le\ rôle|роль|角色|ロール|role|il\ ruolo)\ ?{_NAME}\ ?(?:は|は、)?\ ?does\ not\ exist
            | does\ not\ exist\ el\ rol\ {_NAME.replace("name", "name_es")}
            """
        ),
        'role "{name}" does not exist',
    ),
)
"""What PostgreSQL says in other languages, and its English words with the same values."""
_PAIRS = sorted(
    ((foreign, english) for english, words in _SYSTEM.items() for foreign in words),
    key=lambda pair: -len(pair[0]),
)
_ASCII = vocabulary(
    """
    Keine Zugriff nicht Berechtigung verweigert abgelehnt wird verwendet nur lesbar Ist Verzeichnis
    FEHLER FEHLER: [FEHLER] WARNUNG WARNUNG: [WARNUNG] fehlgeschlagen Passwort-Authentifizierung
    fichier dossier introuvable n'existe ERREUR ERREUR: [ERREUR] AVERTISSEMENT AVERTISSEMENT: service
    Permiso denegado existe Es directorio servicio queda archivos ERRO: solo
    Permesso negato non esiste rifiutata sola lettura Spazio esaurito scaduta ERRORE ERRORE: servizio
    Umgebungsvariable Umgebungsvariablen gesetzt d'environnement entorno ambiente d'ambiente
    geweigerd bestaat niet Brak miejsca takiego nie istnieje
    """
)
"""Foreign words without a letter of their own: a text with one of those above has one of these."""
_ANY_OF_POSTGRES = (
    *("does not exist", "Passwort", "mot de passe", "password", "Password", "senha"),
    *("подлинности", "パスワード"),
)


def in_english(text: str) -> str:
    """The text with these words in English; the text itself where it has none of them."""
    if text.isascii() and _ASCII.isdisjoint(text.split()):
        return text
    return _translated_text(text)


@functools.lru_cache(1024)
def _translated_text(text: str) -> str:
    for foreign, words in _PAIRS:
        if foreign in text:
            text = text.replace(foreign, words)
    if not any(piece in text for piece in _ANY_OF_POSTGRES):
        return text
    for pattern, sentence in _OF_POSTGRES:
        match = pattern.search(text)
        if match is not None:
            name = next(filter(None, match.groups()))
            text = text.replace(match[0], sentence.format(name=name))
    return text
