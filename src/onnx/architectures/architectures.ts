import type { Architecture } from './Architecture.js';
import { SELAVPRPP } from './selavprpp.js';

/** Every network that `vpr model import` knows. */
export const ARCHITECTURES: readonly Architecture[] = [...SELAVPRPP];

export function architectureNamed(name: string): Architecture | undefined {
  return ARCHITECTURES.find((architecture) => architecture.name === name);
}
