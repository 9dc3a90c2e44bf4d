import { buildAnyLoc } from '../../../src/onnx/architectures/anyloc.js';
import { itAnswersAsOfficial } from './parity.js';

/** AnyLoc's own code on a backbone of four gated blocks, of which the third is read (official_networks.py). */
const ANYLOC_MINIATURE = {
  name: 'anyloc-miniature',
  build: (weights, options) => buildAnyLoc(weights, options, { width: 128, depth: 4, heads: 2, gatedWidth: 344 }, 2),
} satisfies Parameters<typeof itAnswersAsOfficial>[0];

describe('networks of other authors on formula weights', () => {
  itAnswersAsOfficial('selavprpp-base-gem', 322, { images: 1 });
  itAnswersAsOfficial('mixvpr', 320);
  itAnswersAsOfficial('cosplace', 320, { golden: 'cosplace-resnet18' });
  itAnswersAsOfficial(ANYLOC_MINIATURE, 224);
});
