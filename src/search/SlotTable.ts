const PAGE_BITS = 14;
const PAGE = 1 << PAGE_BITS;

/** Slots by position: one array access, where a map of objects costs several cache misses. 4 bytes a place, by pages of use. */
export class SlotTable {
  /** Slot + 1; 0: none. */
  readonly #pages: (Uint32Array | undefined)[] = [];

  get(position: number): number | undefined {
    const entry = this.#pages[position >>> PAGE_BITS]?.[position & (PAGE - 1)];
    return entry === undefined || entry === 0 ? undefined : entry - 1;
  }

  set(position: number, slot: number): void {
    const page = (this.#pages[position >>> PAGE_BITS] ??= new Uint32Array(PAGE));
    page[position & (PAGE - 1)] = slot + 1;
  }

  delete(position: number): void {
    const page = this.#pages[position >>> PAGE_BITS];
    if (page !== undefined) page[position & (PAGE - 1)] = 0;
  }
}
