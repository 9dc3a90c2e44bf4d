/** Where the samples of one pixel are. Names as in sensor_msgs/image_encodings.hpp. */
export interface PixelFormat {
  /** Samples from one pixel to the next. */
  readonly samples: number;
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  readonly bytesPerSample: 1 | 2;
}

const RGB = { red: 0, green: 1, blue: 2 };
const BGR = { red: 2, green: 1, blue: 0 };
const GREY = { red: 0, green: 0, blue: 0 };

/** Encodings of interleaved samples. 8UCn and 16UCn say nothing of colours: OpenCV's order, as cv_bridge reads them. */
export const PIXEL_FORMATS: ReadonlyMap<string, PixelFormat> = new Map(
  Object.entries<PixelFormat>({
    rgb8: { ...RGB, samples: 3, bytesPerSample: 1 },
    bgr8: { ...BGR, samples: 3, bytesPerSample: 1 },
    rgba8: { ...RGB, samples: 4, bytesPerSample: 1 },
    bgra8: { ...BGR, samples: 4, bytesPerSample: 1 },
    mono8: { ...GREY, samples: 1, bytesPerSample: 1 },
    rgb16: { ...RGB, samples: 3, bytesPerSample: 2 },
    bgr16: { ...BGR, samples: 3, bytesPerSample: 2 },
    rgba16: { ...RGB, samples: 4, bytesPerSample: 2 },
    bgra16: { ...BGR, samples: 4, bytesPerSample: 2 },
    mono16: { ...GREY, samples: 1, bytesPerSample: 2 },
    '8UC1': { ...GREY, samples: 1, bytesPerSample: 1 },
    '8UC3': { ...BGR, samples: 3, bytesPerSample: 1 },
    '8UC4': { ...BGR, samples: 4, bytesPerSample: 1 },
    '16UC1': { ...GREY, samples: 1, bytesPerSample: 2 },
    '16UC3': { ...BGR, samples: 3, bytesPerSample: 2 },
    '16UC4': { ...BGR, samples: 4, bytesPerSample: 2 },
  }),
);

/** Colour filter arrays: colours of the pixels (0,0), (0,1), (1,0), (1,1) as row, column. */
export const BAYER_PATTERNS: readonly string[] = ['rggb', 'bggr', 'gbrg', 'grbg'];

/** Luma and chroma layouts. 4:2:2 packs two pixels in four bytes, the semi-planar ones have a chroma plane below the luma. */
export const YUV_LAYOUTS: ReadonlyMap<string, YuvLayout> = new Map(
  Object.entries<YuvLayout>({
    yuv422: { kind: 'packed', y0: 1, u: 0, y1: 3, v: 2 },
    uyvy: { kind: 'packed', y0: 1, u: 0, y1: 3, v: 2 },
    yuv422_yuy2: { kind: 'packed', y0: 0, u: 1, y1: 2, v: 3 },
    yuyv: { kind: 'packed', y0: 0, u: 1, y1: 2, v: 3 },
    nv12: { kind: 'semi-planar', subsampling: 2, u: 0, v: 1 },
    nv21: { kind: 'semi-planar', subsampling: 2, u: 1, v: 0 },
    nv24: { kind: 'semi-planar', subsampling: 1, u: 0, v: 1 },
  }),
);

export type YuvLayout =
  | { readonly kind: 'packed'; readonly y0: number; readonly u: number; readonly y1: number; readonly v: number }
  | { readonly kind: 'semi-planar'; readonly subsampling: 1 | 2; readonly u: number; readonly v: number };

export const RAW_ENCODINGS: readonly string[] = [
  ...PIXEL_FORMATS.keys(),
  ...BAYER_PATTERNS.flatMap((pattern) => [`bayer_${pattern}8`, `bayer_${pattern}16`]),
  ...YUV_LAYOUTS.keys(),
];
