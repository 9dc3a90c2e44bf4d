import type { Architecture } from './Architecture.js';
import { BOQ_DINOV2, BOQ_RESNET50 } from './boq.js';
import { COSPLACE, EIGENPLACES } from './cosplace.js';
import { CRICAVPR } from './cricavpr.js';
import { SALAD } from './dinov2Salad.js';
import { MIXVPR } from './mixvpr.js';
import { NETVLAD } from './netvlad.js';
import { SELAVPRPP } from './selavprpp.js';

/** Every network that `vpr model import` knows. */
export const ARCHITECTURES: readonly Architecture[] = [
  ...SELAVPRPP,
  BOQ_DINOV2,
  BOQ_RESNET50,
  SALAD,
  CRICAVPR,
  MIXVPR,
  COSPLACE,
  EIGENPLACES,
  NETVLAD,
];

export function architectureNamed(name: string): Architecture | undefined {
  return ARCHITECTURES.find((architecture) => architecture.name === name);
}
