"""Images and archives that the engine does not take, load or save."""

from diagnose.programs.failures.recognition import Failure

REFUSED_IMAGES = (
    Failure(
        name="platform-not-stored",
        mark="image with reference",
        pattern=r"""(?x)
            image\ with\ reference\ (?P<image>\S{1,300})\ was\ found\ but\ (?:
                does\ not\ match\ the\ specified\ platform:\ wanted\ (?P<wanted>[\w/]{1,40}),[ ]
                  actual:\ (?P<has>[\w/]{1,40})
              | its\ platform\ \((?P<has_old>[\w/]{1,40})\)\ does\ not\ match\ the\ specified\ platform[ ]
                  \((?P<wanted_old>[\w/]{1,40})
              | does\ not\ provide\ (?:the\ specified\ platform|any\ platform)(?:\ \((?P<wanted_new>[\w/]{1,40}))?
            )
        """,
        cause="this host has the image for another platform ({has}) than the one that was asked for ({wanted})",
        cure="docker pull --platform={wanted} IMAGE gets the other one; or leave out --platform (compose: platform)",
        confirmed_by="image.platform-mismatch",
    ),
    Failure(
        name="image-of-windows",
        mark="image on ",
        pattern=r"cannot load (?P<system>\w{1,20}) image on (?P<here>\w{1,20})",
        cause="the image is made for {system}, and this engine runs {here} containers",
        cure="take an image for {here}; on a desktop, switch the engine between Linux and Windows containers",
        confirmed_by="image.platform-mismatch",
    ),
    Failure(
        name="manifest-of-old-kind",
        mark=("schema 1 support has been removed", "manifest schema v1 unsupported", "prettyjws"),
        pattern=r"schema 1 support has been removed|manifest schema v1 unsupported"
        r"|media type \\?\"application/vnd\.docker\.distribution\.manifest\.v1\+prettyjws\\?\" is no longer supported",
        cause="the image lies in the registry in a form of 2015 (manifest schema 1), which this engine no longer reads",
        cure="take a newer tag, or convert it: skopeo copy --format v2s2 docker://IMAGE docker://REGISTRY/COPY",
    ),
    Failure(
        name="archive-of-other-kind",
        mark=("docker-import-", "invalid archive", "unrecognized image format"),
        pattern=r"docker-import-\d+/(?!repositories)(?P<part>[\w./-]{1,120}): no such file|invalid archive: does not contain a (?P<part_of>[\w.-]{1,60})"
        r"|unrecognized image format",
        cause="the file holds no images of docker save: it is a docker export, another tar archive, or a part of one",
        cure="tar tf FILE | head shows what it is: docker import FILE NAME takes the files of one container or system",
    ),
    Failure(
        name="load-without-file",
        mark="requested load from stdin",
        pattern=r"requested load from stdin, but stdin is empty",
        cause="docker load reads the archive from its input, and nothing comes in",
        cure="docker load -i FILE, or docker load < FILE",
    ),
    Failure(
        name="save-to-terminal",
        mark="refusing to save to a terminal",
        pattern=r"cowardly refusing to save to a terminal",
        cause="the archive would be printed on the screen",
        cure="docker save -o FILE.tar IMAGE (docker export -o FILE.tar CONTAINER)",
    ),
    Failure(
        name="upload-forgotten",
        mark="blob upload unknown",
        pattern=r"blob upload unknown",
        cause="the registry does not know an upload that it has begun: several instances of it do not share one secret and one store, or a "
        "proxy before it changes the address",
        cure="give all instances the same REGISTRY_HTTP_SECRET and storage; behind a proxy pass Host and X-Forwarded-Proto on",
    ),
)
"""The first row that fits counts."""
