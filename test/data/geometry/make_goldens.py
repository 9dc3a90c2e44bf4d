"""Corners and smoothing of a picture by OpenCV: python make_goldens.py > goldens.json"""

import base64
import json

import cv2
import numpy as np

rng = np.random.default_rng(7)
WIDTH, HEIGHT, THRESHOLD, BORDER = 96, 72, 10, 4

# Rectangles and discs of different brightness under a little noise: corners of every kind.
picture = np.full((HEIGHT, WIDTH), 90, np.uint8)
for _ in range(28):
    x, y, w, h, grey = (int(v) for v in rng.integers([0, 0, 5, 5, 0], [WIDTH, HEIGHT, 25, 25, 256]))
    if rng.random() < 0.6:
        cv2.rectangle(picture, (x, y), (x + w, y + h), grey, -1)
    else:
        cv2.circle(picture, (x, y), w // 2, grey, -1)
picture = np.clip(picture.astype(int) + rng.integers(-3, 4, picture.shape), 0, 255).astype(np.uint8)

detector = cv2.FastFeatureDetector_create(THRESHOLD, False, cv2.FAST_FEATURE_DETECTOR_TYPE_9_16)
corners = {(int(k.pt[0]), int(k.pt[1])) for k in detector.detect(picture)}

CIRCLE = [(0, -3), (1, -3), (2, -2), (3, -1), (3, 0), (3, 1), (2, 2), (1, 3), (0, 3), (-1, 3), (-2, 2), (-3, 1), (-3, 0), (-3, -1), (-2, -2), (-1, -3)]


def contrast(x, y):
    return sum(abs(int(picture[y + dy, x + dx]) - int(picture[y, x])) for dx, dy in CIRCLE)


inside = {(x, y): contrast(x, y) for x, y in corners if BORDER <= x < WIDTH - BORDER and BORDER <= y < HEIGHT - BORDER}


def strongest(x, y):
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            other = inside.get((x + dx, y + dy), -1)
            if other > inside[x, y] or (other == inside[x, y] and (dy, dx) < (0, 0)):
                return False
    return True


kept = sorted((p for p in inside if strongest(*p)), key=lambda p: (p[1], p[0]))
# The smaller eigenvalue of the sums of products of central differences over 7 x 7 pixels.
gx = cv2.filter2D(picture, cv2.CV_32F, np.float32([[-1, 0, 1]]))
gy = cv2.filter2D(picture, cv2.CV_32F, np.float32([[-1], [0], [1]]))
xx, xy, yy = (cv2.boxFilter(p, cv2.CV_64F, (7, 7), normalize=False) for p in (gx * gx, gx * gy, gy * gy))
strength = [float(np.linalg.eigvalsh([[xx[y, x], xy[y, x]], [xy[y, x], yy[y, x]]])[0]) for x, y in kept]
print(
    json.dumps(
        {
            "opencv": cv2.__version__,
            "width": WIDTH,
            "height": HEIGHT,
            "threshold": THRESHOLD,
            "border": BORDER,
            "picture": base64.b64encode(picture.tobytes()).decode(),
            "blurred": base64.b64encode(cv2.blur(picture, (5, 5)).tobytes()).decode(),
            "corners": [[x, y, round(s, 3)] for (x, y), s in zip(kept, strength)],
        }
    )
)
