/** Words of 32 bits of a key point's descriptor: 256 bits. */
export const DESCRIPTOR_WORDS = 8;

/** Corners of one picture with binary descriptors. */
export interface KeyPoints {
  /** Pixels of the picture that they were found in. */
  readonly width: number;
  readonly height: number;
  readonly count: number;
  /** [count] each, pixels, (0, 0) the centre of the first pixel; best corners first. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** [count, 8] row-major. */
  readonly descriptors: Uint32Array;
}
