/** Positions [from, to): the half-open ranges that a scan looks at. */
export type PositionRange = readonly [from: number, to: number];

/** `distance`: ascending (distance, position). `position`: ascending position, for a fetch in the order of the map. */
export type NearestOrder = 'distance' | 'position';

/** The k nearest and their distances; both arrays have one length <= k. */
export interface Nearest {
  readonly positions: Uint32Array;
  /** Bits that differ, 0...512. */
  readonly distances: Uint16Array;
}

/**
 * The codes of a map by position 0...length-1, in the order they were added. Exact: the k nearest live codes, ties at
 * the k-th distance to the lowest positions.
 */
export interface CodeIndex {
  /** Positions ever added, dead ones included. */
  readonly length: number;
  /** Bytes held for codes and masks. */
  readonly bytes: number;
  /** Name of the kernel that scans. */
  readonly kernel: string;
  /** Threads that may take part in a scan. */
  readonly threads: number;
  /** codes: [n, 64] u8 row-major. */
  append(codes: Uint8Array, n: number): void;
  /** Makes a position unfindable; its place stays taken. */
  remove(position: number): void;
  /**
   * queries: [n, 64] u8; k >= 1; ranges: ascending, disjoint, within 0...length; order: `distance` by default. One result
   * a query.
   */
  nearest(queries: Uint8Array, n: number, k: number, ranges: readonly PositionRange[], order?: NearestOrder): Nearest[];
  /** Resolves when all scan threads have started; scans before that are the caller's alone. */
  ready(): Promise<void>;
  close(): Promise<void>;
}
