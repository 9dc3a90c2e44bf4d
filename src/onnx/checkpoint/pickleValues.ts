import type { ElementType } from './Checkpoint.js';
import type { GlobalKind } from './pickleGlobals.js';

/** The result of a global of kind 'inert'. */
export class InertObject {
  constructor(readonly name: string) {}
}

/** A global that was named and not called. */
export class GlobalName {
  constructor(
    readonly name: string,
    readonly kind: GlobalKind | 'storage',
  ) {}
}

/** A tensor as the pickle describes it; nothing of it is checked yet but the kinds of its parts. */
export class PickledTensor {
  constructor(
    readonly storage: PickledStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** A persistent id ('storage', class, key, location, element count). */
export class PickledStorage {
  constructor(
    readonly elementType: ElementType,
    readonly key: string,
    readonly elements: number,
  ) {}
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PickleValue[]
  | ReadonlyMap<PickleValue, PickleValue>
  | PickledTensor
  | PickledStorage
  | InertObject
  | GlobalName;
