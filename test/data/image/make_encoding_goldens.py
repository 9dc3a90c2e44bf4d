"""Writes encodings.json and encodings.bin: raw and compressed images, and what OpenCV, Pillow or NumPy see in them.

Run: python make_encoding_goldens.py (needs numpy, pillow, opencv-python-headless; seed 1).
"""
import io
import json
import pathlib

import cv2
import numpy as np
import PIL
from PIL import Image

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(1)
W, H = 10, 6
cases, blob = [], bytearray()


def put(data):
    data = bytes(data)
    offset = len(blob)
    blob.extend(data)
    return [offset, len(data)]


def scene(width=W, height=H):
    """A smooth gradient with noise, as 16-bit RGB."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x / width, y / height, (x + y) / (width + height)], -1) * 50000
    return (rgb + rng.integers(0, 15000, rgb.shape)).astype(np.uint16)


def pad_rows(rows, padding):
    """[H, bytes] with bytes of noise behind each row."""
    return np.concatenate([rows, rng.integers(0, 256, (rows.shape[0], padding)).astype(np.uint8)], 1)


def add_raw(encoding, rows, rgb, padding=0, big_endian=False):
    rows = pad_rows(np.ascontiguousarray(rows).reshape(rows.shape[0], -1), padding)
    cases.append({"kind": "raw", "encoding": encoding, "width": rgb.shape[1], "height": rgb.shape[0],
                  "step": rows.shape[1], "isBigEndian": big_endian, "message": put(rows.tobytes()),
                  "rgb": put(np.ascontiguousarray(rgb, np.uint8).tobytes()), "tolerance": 0})


def bytes_of(samples, big_endian):
    """[H, W, C] u16 to [H, bytes] u8."""
    return samples.astype(">u2" if big_endian else "<u2").view(np.uint8).reshape(samples.shape[0], -1)


rgb16 = scene()
rgb8 = (rgb16 >> 8).astype(np.uint8)
alpha8 = rng.integers(0, 256, (H, W, 1)).astype(np.uint8)
grey3 = lambda g: np.repeat(g[..., None], 3, -1)
for padding in (0, 5):
    add_raw("rgb8", rgb8, rgb8, padding)
    add_raw("bgr8", cv2.cvtColor(rgb8, cv2.COLOR_RGB2BGR), rgb8, padding)
    add_raw("8UC3", cv2.cvtColor(rgb8, cv2.COLOR_RGB2BGR), rgb8, padding)
    add_raw("rgba8", np.concatenate([rgb8, alpha8], -1), rgb8, padding)
    add_raw("bgra8", np.concatenate([rgb8[..., ::-1], alpha8], -1), rgb8, padding)
    add_raw("8UC4", np.concatenate([rgb8[..., ::-1], alpha8], -1), rgb8, padding)
    add_raw("mono8", rgb8[..., 0], grey3(rgb8[..., 0]), padding)
    add_raw("8UC1", rgb8[..., 1], grey3(rgb8[..., 1]), padding)
alpha16 = rng.integers(0, 65536, (H, W, 1)).astype(np.uint16)
for big_endian in (False, True):
    for padding in (0, 6):
        add = lambda name, samples, rgb: add_raw(name, bytes_of(samples, big_endian), rgb, padding, big_endian)
        add("mono16", rgb16[..., :1], grey3(rgb8[..., 0]))
        add("16UC1", rgb16[..., 2:], grey3(rgb8[..., 2]))
        add("rgb16", rgb16, rgb8)
        add("bgr16", rgb16[..., ::-1], rgb8)
        add("16UC3", rgb16[..., ::-1], rgb8)
        add("rgba16", np.concatenate([rgb16, alpha16], -1), rgb8)
        add("bgra16", np.concatenate([rgb16[..., ::-1], alpha16], -1), rgb8)
        add("16UC4", np.concatenate([rgb16[..., ::-1], alpha16], -1), rgb8)

# OpenCV names a pattern by the second row's second and third pixel, ROS by the first two rows.
for pattern, code in {"rggb": cv2.COLOR_BayerBG2RGB, "bggr": cv2.COLOR_BayerRG2RGB, "gbrg": cv2.COLOR_BayerGR2RGB,
                      "grbg": cv2.COLOR_BayerGB2RGB}.items():
    for width, height in ((W, H), (W + 1, H + 1), (3, 3)):
        source = scene(width, height)
        mosaic = np.zeros((height, width), np.uint16)
        for i, colour in enumerate(pattern):
            r, c = divmod(i, 2)
            mosaic[r::2, c::2] = source[r::2, c::2, "rgb".index(colour)]
        mosaic8 = (mosaic >> 8).astype(np.uint8)
        rgb = cv2.cvtColor(mosaic8, code)
        add_raw(f"bayer_{pattern}8", mosaic8, rgb, padding=3)
        add_raw(f"bayer_{pattern}16", bytes_of(mosaic[..., None], False), rgb)
        add_raw(f"bayer_{pattern}16", bytes_of(mosaic[..., None], True), rgb, 4, True)

packed = rng.integers(0, 256, (H, W, 2)).astype(np.uint8)
for padding in (0, 8):
    for name in ("yuv422", "uyvy"):
        add_raw(name, packed, cv2.cvtColor(packed, cv2.COLOR_YUV2RGB_UYVY), padding)
    for name in ("yuv422_yuy2", "yuyv"):
        add_raw(name, packed, cv2.cvtColor(packed, cv2.COLOR_YUV2RGB_YUYV), padding)
planes = rng.integers(0, 256, (H * 3 // 2, W)).astype(np.uint8)
for padding in (0, 10):
    add_raw("nv21", planes, cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_NV21), padding)
    add_raw("nv12", planes, cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_NV12), padding)
# OpenCV has no nv24: as nv12 with every luma pixel doubled both ways, it is the same picture at twice the size.
luma = rng.integers(0, 256, (H, W)).astype(np.uint8)
chroma = rng.integers(0, 256, (H, W * 2)).astype(np.uint8)
doubled = np.concatenate([luma.repeat(2, 0).repeat(2, 1), chroma])
add_raw("nv24", np.concatenate([luma, chroma.reshape(2 * H, W)]), cv2.cvtColor(doubled, cv2.COLOR_YUV2RGB_NV12)[::2, ::2])


def add_compressed(fmt, data, rgb, tolerance):
    cases.append({"kind": "compressed", "format": fmt, "width": rgb.shape[1], "height": rgb.shape[0],
                  "message": put(data), "rgb": put(np.ascontiguousarray(rgb, np.uint8).tobytes()), "tolerance": tolerance})


def encoded(suffix, image, *options):
    ok, data = cv2.imencode(suffix, image, list(options))
    assert ok
    return data.tobytes()


def pillow(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def seen_by_pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


bgr8 = np.ascontiguousarray(rgb8[..., ::-1])
# Two JPEG decoders may differ by the rounding of the inverse transform and of the chroma.
jpeg = encoded(".jpg", bgr8, cv2.IMWRITE_JPEG_QUALITY, 92)
for fmt in ("jpeg", "jpg", "rgb8; jpeg compressed bgr8", "bgr8; jpeg compressed bgr8", ""):
    add_compressed(fmt, jpeg, seen_by_pillow(jpeg), 2)
grey_jpeg = encoded(".jpg", rgb8[..., 0])
add_compressed("mono8; jpeg compressed ", grey_jpeg, seen_by_pillow(grey_jpeg), 1)
progressive = pillow(Image.fromarray(rgb8), format="JPEG", progressive=True, subsampling=0)
add_compressed("jpeg", progressive, seen_by_pillow(progressive), 2)
exif = Image.Exif()
exif[0x0112] = 6  # "turn by 90 degrees": not applied, as Pillow does not
turned = pillow(Image.fromarray(rgb8), format="JPEG", exif=exif)
add_compressed("jpeg", turned, seen_by_pillow(turned), 2)
png = encoded(".png", bgr8)
for fmt in ("png", "bgr8; png compressed", "bgr8; png compressed bgr8", "rgb8; png compressed bgr8"):
    add_compressed(fmt, png, rgb8, 0)
add_compressed("mono8; png compressed", encoded(".png", rgb8[..., 0]), grey3(rgb8[..., 0]), 0)
add_compressed("mono16; png compressed", encoded(".png", rgb16[..., 0]), grey3(rgb8[..., 0]), 0)
add_compressed("16UC1; png compressed", encoded(".png", rgb16[..., 2]), grey3(rgb8[..., 2]), 0)
add_compressed("bgr16; png compressed", encoded(".png", np.ascontiguousarray(rgb16[..., ::-1])), rgb8, 0)
rgba = np.concatenate([rgb8, alpha8], -1)
add_compressed("rgba8; png compressed", pillow(Image.fromarray(rgba, "RGBA"), format="PNG"), rgb8, 0)
palette = pillow(Image.fromarray(rgb8).quantize(16), format="PNG")
add_compressed("png", palette, seen_by_pillow(palette), 0)
webp = pillow(Image.fromarray(rgb8), format="WEBP", lossless=True)
add_compressed("webp", webp, rgb8, 0)
for options in ({}, {"compression": "tiff_lzw"}):
    add_compressed("tiff", pillow(Image.fromarray(rgb8), format="TIFF", **options), rgb8, 0)
add_compressed("bmp", encoded(".bmp", bgr8), rgb8, 0)
add_compressed("bmp", pillow(Image.fromarray(rgb8[..., 0]), format="BMP"), grey3(rgb8[..., 0]), 0)
add_compressed("ppm", encoded(".ppm", bgr8), rgb8, 0)
add_compressed("pgm", encoded(".pgm", rgb8[..., 0]), grey3(rgb8[..., 0]), 0)
add_compressed("pgm", encoded(".pgm", rgb16[..., 0]), grey3(rgb8[..., 0]), 0)

(HERE / "encodings.bin").write_bytes(blob)
versions = {"opencv": cv2.__version__, "pillow": PIL.__version__, "numpy": np.__version__}
(HERE / "encodings.json").write_text(json.dumps({"versions": versions, "cases": cases}, indent=0))
