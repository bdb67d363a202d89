"""`/product/202309/images/upload`: the one call with a form instead of JSON; its body is not signed (wire sheet 3.2)."""

import hashlib
import re

import msgspec

from evergrant_sandbox import errors
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.wire import LARGEST_FILE, Call

_BOUNDARY = re.compile(r'boundary="?([^";]{1,70})"?')
_NAME = re.compile(rb'name="([^"\r\n]{1,64})"')
# "Supported formats: JPG, JPEG, PNG, WEBP, HEIC, BMP", image upload (202309), by how such files begin.
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM")
_USE_CASES = ("MAIN_IMAGE", "ATTRIBUTE_IMAGE", "DESCRIPTION_IMAGE", "CERTIFICATION_IMAGE", "SIZE_CHART_IMAGE")
# What an image is said to measure: pictures are not opened here.
_SIDE = 720


class ImageData(msgspec.Struct, frozen=True):
    """An uploaded image. Address and measures are made up; nothing is kept."""

    uri: str
    url: str
    height: int
    width: int
    use_case: str


class Images:
    """Images for products."""

    def __init__(self, _: Platform) -> None:
        pass

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What there is."""
        return (
            Endpoint(
                method="POST",
                path="/product/202309/images/upload",
                scope="seller.product.basic",
                cipher=Cipher.UNWANTED,
                answer=self._upload,
                takes_files=True,
            ),
        )

    def _upload(self, admitted: Admitted) -> bytes:
        parts = _parts(admitted.call)
        image = parts.get("data")
        if not image:
            raise RefusalError(errors.IMAGE_MISSING)
        if len(image) > LARGEST_FILE:
            raise RefusalError(errors.FILE_TOO_LARGE)
        if not _is_picture(image):
            raise RefusalError(errors.IMAGE_FORMAT)
        use_case = parts.get("use_case", b"MAIN_IMAGE").decode("latin-1")
        if use_case not in _USE_CASES:
            raise RefusalError(errors.IMAGE_PARAMETER)
        uri = f"tos-sandbox/{hashlib.sha256(image).hexdigest()[:32]}"
        data = ImageData(
            uri=uri, url=f"https://images.sandbox.test/{uri}", height=_SIDE, width=_SIDE, use_case=use_case
        )
        return msgspec.json.encode(data)


def _is_picture(image: bytes) -> bool:
    return image.startswith(_BEGINNINGS) or image[8:12] == b"WEBP" or image[4:12] in {b"ftypheic", b"ftypmif1"}


def _parts(call: Call) -> dict[str, bytes]:
    """The parts of the form, by name."""
    boundary = _BOUNDARY.search(call.header(b"content-type") or "")
    if boundary is None:
        raise RefusalError(errors.NOT_MULTIPART)
    found: dict[str, bytes] = {}
    for part in (b"\r\n" + call.body).split(b"\r\n--" + boundary.group(1).encode("latin-1"))[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name:
            found[name.group(1).decode("latin-1")] = content
    return found
