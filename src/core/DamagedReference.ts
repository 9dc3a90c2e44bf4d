import type { ReferenceId } from './reference.js';
import { VprError } from './VprError.js';

/** MAP_CORRUPT of one reference: what is stored of it is not what was written. The rest of the map may be whole. */
export class DamagedReference extends VprError {
  readonly referenceId: ReferenceId;

  constructor(referenceId: ReferenceId, message: string) {
    super('MAP_CORRUPT', message);
    this.referenceId = referenceId;
  }
}
