import { CODE_BYTES, type BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import type { ReferenceId } from '../core/reference.js';
import type { CodeIndex, Nearest, NearestOrder } from './CodeIndex.js';
import type { DescriptorCache } from './DescriptorCache.js';
import type { ExcludedIds, PlaceSearch, PrefilterResult, SearchOptions, SearchResult } from './PlaceSearch.js';
import { MAX_RANKED, rankBySimilarity } from './rankBySimilarity.js';
import { ReferenceIdList } from './ReferenceIdList.js';

/** Hamming prefilter, then float re-rank; see PlaceSearch. */
export class TwoStageSearch implements PlaceSearch {
  readonly #codes: CodeIndex;
  readonly #descriptors: DescriptorCache;
  readonly #dimension: number;
  readonly #ids = new ReferenceIdList();
  readonly #removed = new Set<ReferenceId>();

  constructor(codes: CodeIndex, descriptors: DescriptorCache, dimension: number) {
    this.#codes = codes;
    this.#descriptors = descriptors;
    this.#dimension = dimension;
  }

  get size(): number {
    return this.#ids.length - this.#removed.size;
  }

  get engine(): { kernel: string; threads: number } {
    return { kernel: this.#codes.kernel, threads: this.#codes.threads };
  }

  add(referenceId: ReferenceId, code: BinaryCode): void {
    if (code.length !== CODE_BYTES) throw new RangeError(`Expected a code of ${CODE_BYTES} bytes, got ${code.length}`);
    this.#ids.push(referenceId);
    this.#codes.append(code, 1);
  }

  addBlock(referenceIds: Uint32Array, codes: Uint8Array): void {
    if (codes.length !== referenceIds.length * CODE_BYTES)
      throw new RangeError(
        `Expected ${referenceIds.length * CODE_BYTES} bytes for ${referenceIds.length} codes, got ${codes.length}`,
      );
    this.#ids.pushAll(referenceIds);
    this.#codes.append(codes, referenceIds.length);
  }

  remove(referenceId: ReferenceId): void {
    const position = this.#ids.lowerBound(referenceId);
    if (position === this.#ids.length || this.#ids.at(position) !== referenceId || this.#removed.has(referenceId))
      throw new RangeError(`Expected a reference that can be found, got ${referenceId}`);
    this.#codes.remove(position);
    this.#removed.add(referenceId);
    this.#descriptors.forget(position);
  }

  search(code: BinaryCode, descriptor: Descriptor, options: SearchOptions): SearchResult {
    return this.searchBatch(code, descriptor, options)[0]!;
  }

  searchBatch(codes: Uint8Array, descriptors: Float32Array, options: SearchOptions): SearchResult[] {
    const { k, shortlist, excluded } = options;
    checkCount('k', k, 1000);
    if (shortlist < k) throw new RangeError(`Expected a shortlist of at least k = ${k}, got ${shortlist}`);
    const n = queryCount(codes);
    if (descriptors.length !== n * this.#dimension)
      throw new RangeError(`Expected ${n} descriptors of ${this.#dimension} values, got ${descriptors.length} values`);
    // In the order of the map: ascending ids make one sorted fetch, and ties by the lower id.
    const nearest = this.#nearest(codes, n, shortlist, excluded, 'position');
    return nearest.map((candidates, i) =>
      this.#rerank(candidates, descriptors.subarray(i * this.#dimension, (i + 1) * this.#dimension), k),
    );
  }

  prefilter(code: BinaryCode, shortlist: number, excluded?: ExcludedIds): PrefilterResult {
    return this.prefilterBatch(code, shortlist, excluded)[0]!;
  }

  prefilterBatch(codes: Uint8Array, shortlist: number, excluded?: ExcludedIds): PrefilterResult[] {
    return this.#nearest(codes, queryCount(codes), shortlist, excluded, 'distance').map(({ positions, distances }) => ({
      referenceIds: this.#idsOf(positions),
      hamming: distances,
    }));
  }

  memoryUse(): { codeBytes: number; cacheBytes: number } {
    return { codeBytes: this.#codes.bytes + this.#ids.bytes, cacheBytes: this.#descriptors.bytes };
  }

  ready(): Promise<void> {
    return this.#codes.ready();
  }

  async close(): Promise<void> {
    await this.#codes.close();
  }

  #nearest(
    codes: Uint8Array,
    n: number,
    shortlist: number,
    excluded: ExcludedIds | undefined,
    order: NearestOrder,
  ): Nearest[] {
    checkCount('shortlist', shortlist, MAX_RANKED);
    // More than all codes is all codes: kernels size their buffers by k.
    const k = Math.max(1, Math.min(shortlist, this.#ids.length));
    return this.#codes.nearest(codes, n, k, this.#ids.rangesWithout(excluded ?? []), order);
  }

  #idsOf(positions: Uint32Array): Uint32Array {
    const ids = new Uint32Array(positions.length);
    for (let i = 0; i < ids.length; i++) ids[i] = this.#ids.at(positions[i]!);
    return ids;
  }

  /** positions: ascending. */
  #rerank({ positions, distances }: Nearest, descriptor: Float32Array, k: number): SearchResult {
    const n = positions.length;
    const ids = this.#idsOf(positions);
    const similarities = new Float32Array(n);
    this.#descriptors.similarities(descriptor, positions, ids, similarities);
    const order = rankBySimilarity(similarities, n, k);
    const referenceIds = new Uint32Array(order.length);
    const hamming = new Uint16Array(order.length);
    const similarity = new Float32Array(order.length);
    for (let i = 0; i < order.length; i++) {
      const row = order[i]!;
      referenceIds[i] = ids[row]!;
      hamming[i] = distances[row]!;
      similarity[i] = similarities[row]!;
    }
    return { referenceIds, hamming, similarity };
  }
}

function queryCount(codes: Uint8Array): number {
  if (codes.length % CODE_BYTES !== 0)
    throw new RangeError(`Expected codes of ${CODE_BYTES} bytes each, got ${codes.length} bytes`);
  return codes.length / CODE_BYTES;
}

function checkCount(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new RangeError(`Expected 1...${most} for ${name}, got ${value}`);
}
