"""Images made fresh for each check: like photographs, in every kind of file that people upload."""

import io
import random
import struct
import zlib

from PIL import Image, ImageChops, ImageDraw, ImageStat

Size = tuple[int, int]
# EXIF's tag of how the camera was held. Value 1 is upright; what undoes the others is the value's inverse.
ORIENTATION = 0x0112
_AS_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
# Pillow opens twice its MAX_IMAGE_PIXELS at most, 179 million. These are 400 million pixels: 1.2 GB.
_BOMB: Size = (20_000, 20_000)


class Images:
    """Makes images from one source of chance. Sizes are width and height in pixels; files are bytes."""

    def __init__(self, rng: random.Random):
        self._rng = rng

    def size(self, longest: int = 640) -> Size:
        """A size of a photograph lying: sides between 3:2 and 2:1, the longer about `longest`."""
        width = longest + self._rng.randrange(0, 80)
        return width, int(width / self._rng.uniform(1.4, 2))

    def picture(self, size: Size) -> Image.Image:
        """A picture of smooth colours and shapes, which looks different whichever way it is turned."""
        while True:
            ground = Image.new("RGB", (4, 3))
            ground.putdata([self._colour() for _ in range(12)])
            picture = ground.resize(size, Image.Resampling.BICUBIC)
            draw = ImageDraw.Draw(picture)
            for shape in (draw.ellipse, draw.rectangle, draw.ellipse):
                left, top = (self._rng.uniform(0, 0.7) * side for side in size)
                right, bottom = left + size[0] * 0.25, top + size[1] * 0.25
                shape((left, top, right, bottom), fill=self._colour())
            if _is_one_sided(picture):
                return picture

    def jpeg(self, size: Size | None = None, orientation: int | None = None) -> bytes:
        """A photograph. With an orientation it is stored as a camera held that way stores it."""
        picture = self.picture(size or self.size())
        if orientation is None:
            return saved(picture, "JPEG", quality=90)
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        turn = _AS_STORED.get(orientation)
        stored = picture if turn is None else picture.transpose(turn)
        return saved(stored, "JPEG", quality=90, exif=exif)

    def png(self, size: Size | None = None) -> bytes:
        """A picture in PNG: red, green, blue, no transparency."""
        return saved(self.picture(size or self.size()), "PNG")

    def dot(self) -> bytes:
        """A PNG of one pixel."""
        return saved(Image.new("RGB", (1, 1), self._colour()), "PNG")

    def transparent_png(self, mode: str = "RGBA") -> bytes:
        """A picture in PNG of which a part is transparent; mode RGBA or LA."""
        return saved(self._cut_out().convert(mode), "PNG")

    def palette_png(self) -> bytes:
        """A PNG of 64 colours."""
        return saved(self.picture(self.size()).quantize(64), "PNG")

    def icon_png(self) -> bytes:
        """A PNG of 64 colours and one that is transparent, a soft edge made of single pixels of it."""
        cut = self._cut_out()
        picture = cut.convert("RGB").quantize(64)
        hole = ImageChops.invert(cut.getchannel("A").convert("1"))
        picture.paste(64, mask=hole)
        palette = picture.getpalette()[: 3 * 64]
        picture.putpalette([*palette, *self._colour()])
        return saved(picture, "PNG", transparency=64)

    def bitmap_png(self) -> bytes:
        """A PNG of black and white pixels, which look grey from afar, as fax machines write it."""
        return saved(self.picture(self.size()).convert("1"), "PNG")

    def grey_jpeg(self) -> bytes:
        """A photograph without colours."""
        return saved(self.picture(self.size()).convert("L"), "JPEG", quality=90)

    def cmyk_jpeg(self) -> bytes:
        """A photograph for printing: cyan, magenta, yellow, black."""
        return saved(self.picture(self.size()).convert("CMYK"), "JPEG", quality=90)

    def deep_png(self) -> bytes:
        """A grey picture of 16 bits a pixel, as scanners and microscopes write it."""
        grey = self.picture(self.size()).convert("L").convert("I")
        return saved(grey.point(lambda value: value * 257).convert("I;16"), "PNG")

    def animation(self) -> bytes:
        """A GIF of three pictures."""
        size = self.size(160)
        first, *others = (self.picture(size) for _ in range(3))
        return saved(first, "GIF", save_all=True, append_images=others, duration=200, loop=0)

    def webp(self) -> bytes:
        """A photograph in WebP."""
        return saved(self.picture(self.size()), "WEBP", quality=90)

    def tiff(self) -> bytes:
        """A picture in TIFF."""
        return saved(self.picture(self.size(320)), "TIFF")

    def bmp(self) -> bytes:
        """A picture in BMP."""
        return saved(self.picture(self.size(320)), "BMP")

    def mpo(self) -> bytes:
        """A photograph with a second one behind it, as phones with two lenses write it (MPO)."""
        size = self.size()
        first, second = self.picture(size), self.picture(size)
        return saved(first, "MPO", save_all=True, append_images=[second])

    def large_png(self, size: Size = (4000, 3000)) -> bytes:
        """A picture of many pixels in a small file: 12 million unless told, 48 MB in Pillow's memory."""
        blocks = self.picture((40, 30))
        same_again = b"\2" + bytes(size[0] * 3)  # filter 2 of PNG: as the row above, plus these
        rows = []
        for y in range(blocks.height):
            line = blocks.crop((0, y, blocks.width, y + 1))
            wide = line.resize((size[0], 1), Image.Resampling.NEAREST)
            rows += [b"\0" + wide.tobytes(), same_again * (size[1] // blocks.height - 1)]
        return _png(size, zlib.compress(b"".join(rows), 1))

    def bomb(self) -> bytes:
        """A PNG of about a megabyte that fills more than a gigabyte when it is unpacked."""
        return _png(_BOMB, _zeros((_BOMB[0] * 3 + 1) * _BOMB[1]))

    def text(self) -> bytes:
        """No picture at all."""
        words = (self._rng.choice(("holiday", "beach", "photo", "sun", "2026")) for _ in range(60))
        return " ".join(words).encode()

    def cut_off(self) -> bytes:
        """A photograph whose upload broke off: the first half of a JPEG."""
        whole = self.jpeg()
        return whole[: int(len(whole) * self._rng.uniform(0.4, 0.6))]

    def _colour(self) -> tuple[int, int, int]:
        return tuple(self._rng.choice((20, 90, 160, 235)) for _ in range(3))

    def _cut_out(self) -> Image.Image:
        """A picture with a transparent side, and a soft edge to it."""
        picture = self.picture(self.size())
        width, height = picture.size
        alpha = Image.new("L", (8, 1), 255)
        alpha.putdata([0, 0, 0, 128, 255, 255, 255, 255])
        picture.putalpha(alpha.resize((width, height), Image.Resampling.BILINEAR))
        return picture


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture as the bytes of a file of that format, by Pillow."""
    if kind == "PNG":
        options = {"compress_level": 1, **options}  # much quicker, and only a little larger
    output = io.BytesIO()
    picture.save(output, kind, **options)
    return output.getvalue()


def _is_one_sided(picture: Image.Image) -> bool:
    small = picture.resize((12, 12), Image.Resampling.BOX)
    grey = small.convert("L")  # it has to be told apart without its colours too
    return all(_distance(grey, grey.transpose(turn)) > 35 for turn in Image.Transpose)


def _distance(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]


def _png(size: Size, packed: bytes) -> bytes:
    """A PNG of red, green and blue, 8 bits each, around rows that are packed already."""
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _zeros(count: int) -> bytes:
    """So many zero bytes as a zlib stream, without packing them one by one."""
    block = 1 << 24
    packer = zlib.compressobj(9, wbits=-15)
    one = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    rest = zlib.compressobj(9, wbits=-15)
    last = rest.compress(bytes(count % block)) + rest.flush()
    checksum = struct.pack(">I", (count % 65521) << 16 | 1)  # Adler-32 of zeros
    return b"\x78\x9c" + one * (count // block) + last + checksum
