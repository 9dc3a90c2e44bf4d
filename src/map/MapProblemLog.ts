import type { ReferenceId } from '../core/reference.js';
import { messageOf } from '../core/VprError.js';

/** One thing that is wrong in a map. */
export interface MapProblem {
  /** Table, or `pages` for the structure of the file. */
  readonly table: string;
  /** Absent where the damage belongs to no single reference. */
  readonly referenceId?: ReferenceId;
  /** "Expected X, got Y". */
  readonly sentence: string;
}

/** Collects what is wrong with a map while it is read as far as it is whole. */
export class MapProblemLog {
  readonly problems: MapProblem[] = [];

  report(table: string, referenceId: ReferenceId | undefined, sentence: string): undefined {
    this.problems.push({ table, ...(referenceId === undefined ? {} : { referenceId }), sentence });
    return undefined;
  }

  /** Runs one step; what SQLite cannot read becomes a problem and the answer undefined. */
  attempt<T>(table: string, referenceId: ReferenceId | undefined, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof TypeError || error instanceof ReferenceError) throw error;
      const subject = referenceId === undefined ? '' : ` of reference ${referenceId}`;
      return this.report(table, referenceId, `Expected readable ${table}${subject}, got: ${messageOf(error)}`);
    }
  }
}
