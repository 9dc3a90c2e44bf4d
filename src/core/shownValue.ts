/** An outside value for the end of an error sentence: as JSON, cut short; also one that is nested too deeply for JSON to write. */
export function shownValue(value: unknown, mostCharacters = 80): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, mostCharacters);
  } catch {
    return Array.isArray(value) ? 'a list of lists without end' : `a value of type ${typeof value}`;
  }
}
