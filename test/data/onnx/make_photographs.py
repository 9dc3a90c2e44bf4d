"""Three photographs with free licences, as PNG of 480 x 400 cut from the middle: photographs/0..2.png.

    python make_photographs.py SCIKIT_IMAGE_DATA SCIKIT_LEARN_IMAGES

The folders skimage/data and sklearn/datasets/images of the two packages. 0: coffee.png (Rachel Michetti, CC0); 1: rocket.jpg
(SpaceX, public domain); 2: china.jpg (danielbuechele, https://www.flickr.com/photos/danielbuechele/6061409035, CC BY 2.0).
"""
import sys
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 480, 400


def main():
    images, samples = map(Path, sys.argv[1:3])
    out = Path(__file__).parent / "photographs"
    out.mkdir(exist_ok=True)
    for i, file in enumerate((images / "coffee.png", images / "rocket.jpg", samples / "china.jpg")):
        image = Image.open(file).convert("RGB")
        left, top = (image.width - WIDTH) // 2, (image.height - HEIGHT) // 2
        # Without the colour profile: the official code ignores one, and other readers of PNG follow it.
        image.crop((left, top, left + WIDTH, top + HEIGHT)).save(out / f"{i}.png", optimize=True, icc_profile=None)


if __name__ == "__main__":
    main()
