"""Decodes one image file of a user to the pixels that a viewer shows.

Upright (EXIF), the first frame of an animation, palettes and CMYK as RGB.
Transparent pixels are laid over BACKGROUND. Of more than 8 bits a channel the
highest 8 are kept. Departure: embedded colour profiles are not applied.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import re
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image, ImageOps

from darts_tf.reading import open_regular, reason_of

BACKGROUND = "white"

NO_PICTURES = ("BUFR", "EPS", "FITS", "GRIB", "HDF5", "MPEG", "PDF", "WMF")
"""Formats that Pillow names and hands to other programs, or cannot show."""

DEEP = "I"  # the modes I, I;16, I;16B and I;16L hold more than 8 bits
GREY = ("1", "L", "LA", "La")
TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")
ROTATED = (5, 6, 7, 8)  # EXIF orientations that swap height and width
BITS = 16  # of deep images, at most
TIFF_SIZE = (256, 257)  # the tags of the stored width and height

Image.init()
FORMATS = tuple(name for name in Image.OPEN if name not in NO_PICTURES)
SUFFIXES = tuple(
    sorted(
        suffix
        for suffix, name in Image.registered_extensions().items()
        # A file of several photographs (MPO) opens as the JPEG that it begins as.
        if name in FORMATS or name == "MPO"
    )
)
"""Endings of files that are read as images, in small letters."""


class UnreadableImage(Exception):
    """Tells in a few words why a file is no image that can be read."""


@dataclasses.dataclass(frozen=True)
class Header:
    """An image as the head of its file describes it, without pixels.

    Attributes:
      height, width: in pixels, upright.
      grey: whether all of its colours are greys.
      transparent: whether its pixels may be transparent.
      deep: whether its one channel has more than 8 bits.
      shortened: whether its three channels have more than 8 bits, of which
        Pillow returns 8.
      animated: whether it has several frames.
    """

    height: int
    width: int
    grey: bool
    transparent: bool
    deep: bool
    shortened: bool
    animated: bool


@contextlib.contextmanager
def bombs_refused() -> Iterator[None]:
    """Lets Pillow refuse all images above its limit of pixels, not only warn.

    Open it around the threads that read: Python's filters are of the process.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whatever else a damaged file causes
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def read_header(path: pathlib.Path) -> Header:
    """Reads the header of an image file.

    Raises:
      UnreadableImage: it is no regular file or no image.
    """
    with _opened(path) as image:
        height, width = _upright_size(image)
        deep = image.mode.startswith(DEEP)
        return Header(
            height,
            width,
            grey=deep or _is_grey(image),
            transparent=_is_transparent(image),
            deep=deep,
            shortened=not deep and _is_shortened(image),
            animated=_is_animated(image),
        )


def read_pixels(path: pathlib.Path, channels: int, bits: int = BITS) -> np.ndarray:
    """Decodes the image in a file.

    Args:
      path: the file.
      channels: 1 (for images that are all grey) or 3.
      bits: the range of deep images: 2**bits - 1 is white.

    Returns:
      uint8 [H, W, channels].

    Raises:
      UnreadableImage: it is no regular file or no whole image.
    """
    with _opened(path) as opened:
        image = _opaque(_eight_bits(_upright(opened), bits))
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


def largest_value(path: pathlib.Path) -> int:
    """Returns the largest value of a deep image; errors as of `read_pixels`."""
    with _opened(path) as image:
        return int(_values(image).max(initial=0))


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[Image.Image]:
    """Opens an image; turns whatever its bytes cause into UnreadableImage."""
    try:
        with open_regular(path) as file, Image.open(file, formats=FORMATS) as image:
            yield image
    except (UnreadableImage, MemoryError):
        raise
    except Image.UnidentifiedImageError as error:
        raise UnreadableImage("no image that Pillow knows") from error
    except Exception as error:  # Pillow has no list of what damage can raise
        raise UnreadableImage(reason_of(error)) from error


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    if _orientation(image) in ROTATED and not _turned_already(image):
        return width, height
    return height, width


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged: viewers pass it over
        return 1


def _turned_already(image: Image.Image) -> bool:
    """Returns True for a TIFF of which Pillow gives the upright size."""
    tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
    return bool(tags) and image.size != tuple(tags.get(tag) for tag in TIFF_SIZE)


def _upright(image: Image.Image) -> Image.Image:
    image.load()  # its damage is none of EXIF's
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def _is_grey(image: Image.Image) -> bool:
    if image.mode != "P" or image.palette is None:
        return image.mode in GREY
    order, colours = image.palette.getdata()  # a GIF's greys are a palette
    if order != "RGB" or len(colours) % 3:
        return False
    rgb = np.frombuffer(bytes(colours), np.uint8).reshape(-1, 3)
    return bool(np.all(rgb == rgb[:, :1]))


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in TRANSPARENT or "transparency" in image.info


def _is_shortened(image: Image.Image) -> bool:
    return any(re.search(r";16", str(tile)) for tile in getattr(image, "tile", ()))


def _is_animated(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # a later frame is damaged; the first one is what counts
        return True


def _values(image: Image.Image) -> np.ndarray:
    """Returns the values of a deep image, int64 [H, W]."""
    values = np.asarray(image).astype(np.int64)
    if values.size and not 0 <= values.min() <= values.max() < 2**BITS:
        raise UnreadableImage(
            f"pixels from {values.min()} to {values.max()}, beyond {BITS} bits"
        )
    return values


def _eight_bits(image: Image.Image, bits: int) -> Image.Image:
    if image.mode == "F":
        raise UnreadableImage("pixels are floats; save it with 8 or 16 bits")
    if not image.mode.startswith(DEEP):
        return image
    values = _values(image)
    grey = np.minimum(values >> (bits - 8), 255).astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 255  # BACKGROUND
    return Image.fromarray(grey)


def _opaque(image: Image.Image) -> Image.Image:
    """Lays transparent pixels over BACKGROUND."""
    if not _is_transparent(image) or image.mode not in (
        *TRANSPARENT,
        "1",
        "L",
        "P",
        "RGB",
    ):
        return image
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, BACKGROUND), rgba)
