/** A manifest that the reader takes, for tests to break. */
export const VALID_MANIFEST = {
  formatVersion: 1,
  name: 'test',
  architecture: 'filters',
  files: [
    { name: 'model.onnx', bytes: 3, sha256: 'a'.repeat(64) },
    { name: 'projection.f32', bytes: 3, sha256: 'b'.repeat(64) },
  ],
  input: {
    name: 'image',
    layout: 'nchw-f32',
    height: 120,
    width: 160,
    resize: 'bilinear-aa',
    normalize: 'after-resize',
    mean: [0.5, 0.5, 0.5],
    std: [0.2, 0.2, 0.2],
  },
  descriptorDimension: 64,
  binarizer: { kind: 'projection', file: 'projection.f32' },
  precision: 'fp32',
  licence: 'Apache-2.0',
  provenance: {},
  golden: [{ inputSeed: 1, descriptorHead: [0.1, 0.2], code: '0'.repeat(128) }],
};
