/** How pixels become the input tensor: sizes in pixels, resize rule, then (value / 255 - mean) / std per RGB channel. */
export interface TensorInput {
  /** nchw-f32: normalised float [1,3,H,W]; nhwc-u8: resized RGB bytes [1,H,W,3], the graph normalises. */
  readonly layout: 'nchw-f32' | 'nhwc-u8';
  readonly height: number;
  readonly width: number;
  readonly resize: 'bilinear-aa' | 'bilinear' | 'bicubic-aa' | 'pil-bilinear' | 'pil-bicubic' | 'none';
  /** after: resize pixels in [0,1], then normalise; before: normalise, then resize (SelaVPR++). */
  readonly normalize: 'before-resize' | 'after-resize';
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}
