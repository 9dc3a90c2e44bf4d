/**
 * Bilinear demosaicing of a Bayer image, bit for bit OpenCV's: missing colours are the rounded mean of the two or four
 * nearest samples of that colour; the outermost pixels repeat their inner neighbours.
 * mosaic: [height, width] u8; pattern: colours of the first two rows, 'rggb' = red green / green blue;
 * out: [height, width, 3] u8 RGB. width and height: 3 or more.
 */
export function demosaic(mosaic: Uint8Array, width: number, height: number, pattern: string, out: Uint8Array): void {
  const redRow = pattern.indexOf('r') >> 1;
  const redColumn = pattern.indexOf('r') & 1;
  for (let y = 1; y < height - 1; y++) {
    const isRedRow = (y & 1) === redRow;
    // Of the two colours beside green in this row, the one that is measured here; the other is 2 channels away.
    const own = isRedRow ? 0 : 2;
    const other = 2 - own;
    const ownColumn = isRedRow ? redColumn : 1 - redColumn;
    let at = y * width + 1;
    let to = at * 3;
    for (let x = 1; x < width - 1; x++, at++, to += 3) {
      const up = mosaic[at - width]!;
      const down = mosaic[at + width]!;
      const left = mosaic[at - 1]!;
      const right = mosaic[at + 1]!;
      if ((x & 1) === ownColumn) {
        const diagonals =
          mosaic[at - width - 1]! + mosaic[at - width + 1]! + mosaic[at + width - 1]! + mosaic[at + width + 1]!;
        out[to + own] = mosaic[at]!;
        out[to + 1] = (up + down + left + right + 2) >> 2;
        out[to + other] = (diagonals + 2) >> 2;
      } else {
        out[to + own] = (left + right + 1) >> 1;
        out[to + 1] = mosaic[at]!;
        out[to + other] = (up + down + 1) >> 1;
      }
    }
    out.copyWithin(y * width * 3, (y * width + 1) * 3, (y * width + 2) * 3);
    out.copyWithin((y * width + width - 1) * 3, (y * width + width - 2) * 3, (y * width + width - 1) * 3);
  }
  out.copyWithin(0, width * 3, 2 * width * 3);
  out.copyWithin((height - 1) * width * 3, (height - 2) * width * 3, (height - 1) * width * 3);
}
