import { ANYLOC } from './anyloc.js';
import type { Architecture } from './Architecture.js';
import { BOQ_DINOV2, BOQ_RESNET50 } from './boq.js';
import { COSPLACE, EIGENPLACES } from './cosplace.js';
import { CRICAVPR } from './cricavpr.js';
import { SALAD, SALAD_CM } from './dinov2Salad.js';
import { EMVP } from './emvp.js';
import { CONVAP, GEM } from './gsvCities.js';
import { MIXVPR } from './mixvpr.js';
import { NETVLAD } from './netvlad.js';
import { SELAVPRPP } from './selavprpp.js';
import { SFRS } from './sfrs.js';

/** Every network that `vpr model import` knows. */
export const ARCHITECTURES: readonly Architecture[] = [
  ...SELAVPRPP,
  BOQ_DINOV2,
  BOQ_RESNET50,
  SALAD,
  SALAD_CM,
  ...EMVP,
  CRICAVPR,
  MIXVPR,
  CONVAP,
  GEM,
  COSPLACE,
  EIGENPLACES,
  SFRS,
  NETVLAD,
  ANYLOC,
];

export function architectureNamed(name: string): Architecture | undefined {
  return ARCHITECTURES.find((architecture) => architecture.name === name);
}
