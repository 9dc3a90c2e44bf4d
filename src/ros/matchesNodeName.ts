/**
 * Whether a node entry of a parameter file means this node: `/ns/name` exactly, `name` in any namespace, `*` for one
 * part of the name and `/**` for any number of them (as rcl_yaml_param_parser reads them).
 * fullName: "/ns/name".
 */
export function matchesNodeName(entry: string, fullName: string): boolean {
  const own = fullName.split('/').filter((part) => part !== '');
  if (!entry.includes('/') && !entry.includes('*')) return entry === own.at(-1);
  const pattern = entry.split('/').filter((part) => part !== '');
  const matches = (p: number, o: number): boolean => {
    if (p === pattern.length) return o === own.length;
    if (pattern[p] === '**') return matches(p + 1, o) || (o < own.length && matches(p, o + 1));
    return o < own.length && (pattern[p] === '*' || pattern[p] === own[o]) && matches(p + 1, o + 1);
  };
  return matches(0, 0);
}
