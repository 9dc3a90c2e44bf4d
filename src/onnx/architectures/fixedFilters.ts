import { GraphBuilder, type Value } from '../graph/GraphBuilder.js';
import * as op from '../graph/operators.js';
import { floats } from '../graph/Tensor.js';
import { addSeededHash } from '../layers/seededHash.js';
import { IMAGENET_MEAN, IMAGENET_STD } from './imagenet.js';

/** Input size of the network, pixels. */
export const FIXED_FILTERS_HEIGHT = 120;
export const FIXED_FILTERS_WIDTH = 160;

/** ITU-R BT.601 luma. */
const LUMA = [0.299, 0.587, 0.114] as const;
/** Side of the window whose brightness and contrast are removed. */
const WINDOW = 25;
/** Standard deviations below this (of grey in [0, 1]) are noise, not contrast. */
const CONTRAST_FLOOR = 0.05;
const ORIENTATIONS = 8;
/** Scale of the derivative filters, pixels. */
const SIGMA = 1;
const RADIUS = 4;
/** Energies are averaged over windows of two cells, so that a shift of half a cell changes little. */
const CELL = 8;

/** Grey in [0, 1] of a normalised RGB image, as one 1x1 convolution. x: [1, 3, H, W]; returns [1, 1, H, W]. */
function grey(x: Value): Value {
  const weight = LUMA.map((share, channel) => share * IMAGENET_STD[channel]!);
  const bias = LUMA.reduce((sum, share, channel) => sum + share * IMAGENET_MEAN[channel]!, 0);
  return op.conv(x, x.graph.constant('luma', floats(weight, [1, 3, 1, 1])), x.graph.float([bias]));
}

function windowMean(x: Value): Value {
  const margin = (WINDOW - 1) / 2;
  const padded = op.padEdge(x, [margin, margin, margin, margin]);
  // Rows, then columns: 50 additions a pixel, not 625.
  return op.averagePool(op.averagePool(padded, { kernel: [1, WINDOW], stride: 1 }), { kernel: [WINDOW, 1], stride: 1 });
}

/** (x - local mean) / sqrt(local variance + floor^2): season and lamps change brightness and contrast, less so structure. */
function normalizeContrast(x: Value): Value {
  const mean = windowMean(x);
  const variance = op.atLeast(op.subtract(windowMean(op.multiply(x, x)), op.multiply(mean, mean)), 0);
  return op.divide(op.subtract(x, mean), op.squareRoot(op.add(variance, CONTRAST_FLOOR ** 2)));
}

/** First derivatives of a Gaussian, steered: kernel(theta) = cos(theta) d/dx + sin(theta) d/dy. [8, 1, 9, 9] */
function derivativeKernels(): number[] {
  const taps = Array.from({ length: 2 * RADIUS + 1 }, (_, i) => i - RADIUS);
  const weights = taps.map((t) => Math.exp((-t * t) / (2 * SIGMA * SIGMA)));
  const sum = weights.reduce((a, b) => a + b, 0);
  const gaussian = weights.map((w) => w / sum);
  const derivative = taps.map((t, i) => (-t / (SIGMA * SIGMA)) * gaussian[i]!);
  const kernel = (theta: number): number[] =>
    gaussian.flatMap((_, row) =>
      gaussian.map(
        (_, column) =>
          Math.cos(theta) * gaussian[row]! * derivative[column]! +
          Math.sin(theta) * derivative[row]! * gaussian[column]!,
      ),
    );
  return Array.from({ length: ORIENTATIONS }, (_, o) => kernel((Math.PI * o) / ORIENTATIONS)).flat();
}

/** Orientation energies by cell, normalised in each cell, mean over the image removed. Returns [1, 8, rows, columns]. */
function orientedEnergies(x: Value): Value {
  const side = 2 * RADIUS + 1;
  const kernels = x.graph.constant('derivatives', floats(derivativeKernels(), [ORIENTATIONS, 1, side, side]));
  const responses = op.conv(op.padEdge(x, [RADIUS, RADIUS, RADIUS, RADIUS]), kernels);
  const cells = op.averagePool(op.absolute(responses), { kernel: 2 * CELL, stride: CELL });
  const floor = op.add(op.multiply(op.reduceMean(cells, [1, 2, 3]), 0.01), 1e-9);
  const normalized = op.divide(cells, op.add(op.reduceNorm(cells, [1]), floor));
  return op.subtract(normalized, op.reduceMean(normalized, [2, 3]));
}

/**
 * Square roots of the magnitudes of the horizontal Fourier transform: they do not change when the picture moves sideways,
 * as it does between two drives in neighbouring lanes. x: [1, 8, rows, columns]; returns [1, 8, rows, columns / 2 + 1].
 */
function horizontalSpectrum(x: Value): Value {
  const columns = x.shape[3]!;
  const frequencies = Math.floor(columns / 2) + 1;
  const basis = (name: string, wave: (angle: number) => number): Value => {
    const values = Array.from({ length: columns * frequencies }, (_, i) =>
      wave((2 * Math.PI * Math.floor(i / frequencies) * (i % frequencies)) / columns),
    );
    return x.graph.constant(name, floats(values, [columns, frequencies]));
  };
  const real = op.matMul(x, basis('cosines', Math.cos));
  const imaginary = op.matMul(x, basis('sines', Math.sin));
  const magnitude = op.squareRoot(op.add(op.multiply(real, real), op.multiply(imaginary, imaginary)));
  const roots = op.squareRoot(magnitude);
  return op.subtract(roots, op.reduceMean(roots, [1, 2]));
}

function flatten(x: Value): Value {
  return op.reshape(x, [1, x.shape.reduce((product, size) => product * size, 1)]);
}

/**
 * The network that needs no training: oriented gradient energies of the contrast-normalised grey image over a grid, and
 * their horizontal spectrum. Nothing in it is learned; a learned model takes its place where there is one.
 * Input image [1, 3, 120, 160], normalised; outputs descriptor [1, D], L2-normalised, and hash [1, 512]. A picture without
 * any structure still gets a descriptor of norm 1, which means nothing.
 */
export function buildFixedFilters(): GraphBuilder {
  const graph = new GraphBuilder('fixed-filters');
  const image = graph.input('image', 'float32', [1, 3, FIXED_FILTERS_HEIGHT, FIXED_FILTERS_WIDTH]);
  const energies = orientedEnergies(normalizeContrast(grey(image)));
  const layout = op.l2Normalize(flatten(energies), [1]);
  const spectrum = op.l2Normalize(flatten(horizontalSpectrum(energies)), [1]);
  // The tiny constant gives a uniformly grey picture a descriptor instead of zeros, whose norm nothing can divide by.
  const descriptor = op.l2Normalize(op.add(op.concat([layout, spectrum], 1), 1e-7), [1]);
  graph.output('descriptor', descriptor);
  addSeededHash(graph);
  return graph;
}
