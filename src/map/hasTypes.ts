/**
 * True when the columns of a row have the named types. STRICT tables promise them, but a damaged page keeps no promises: a
 * record whose header changed reads as NULL or as another type without an error.
 */
export function hasTypes(
  row: object,
  types: Readonly<Record<string, 'number' | 'bigint' | 'string' | 'blob'>>,
): boolean {
  return Object.entries(types).every(([column, type]) => {
    const value = (row as Record<string, unknown>)[column];
    return type === 'blob' ? value instanceof Uint8Array : typeof value === type;
  });
}
