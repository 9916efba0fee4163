"""Images that no container uses, and how much of a disk goes with them at least."""

from diagnose.evidence.images.listing import Images
from diagnose.evidence.storage.usage.idle_images import idle_images
from diagnose.questions.images import Image

OLD = Image(id="sha256:1", size=300, repo_tags=["shop/web:1.4", "shop/web:stable"])
OLDER = Image(id="sha256:2", size=200, repo_tags=["shop/web:1.3"])
USED = Image(id="sha256:3", size=400, repo_tags=["shop/web:1.5"])
UNNAMED = Image(id="sha256:4", size=50, repo_tags=["<none>:<none>"])


def listed(*images: Image) -> Images:
    return Images(images, used={USED.id: ("web",)})


def test_what_images_in_use_may_hold_is_not_counted() -> None:
    idle = idle_images(listed(OLD, OLDER, USED, UNNAMED), 700)
    assert [image.id for image in idle.images] == [OLD.id, OLDER.id]
    assert (idle.bytes, idle.unnamed_bytes) == (250, 50)
    assert idle_images(listed(OLD, USED), 390).bytes == 0


def test_names_stand_in_an_expression() -> None:
    idle = idle_images(listed(OLD, OLDER, USED), 900)
    assert idle.pattern == "^(shop/web:1[.]4|shop/web:stable|shop/web:1[.]3)( |$)"


def test_nothing_is_idle_where_the_containers_are_not_known() -> None:
    unknown = Images((OLD, OLDER), users_known=False)
    assert idle_images(unknown, 900).bytes == 0
    assert idle_images(None, 900).images == ()
    assert idle_images(listed(USED, UNNAMED), 900).bytes == 0
