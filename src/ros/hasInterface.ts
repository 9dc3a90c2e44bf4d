import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * Whether an interface of another package is installed ("rtabmap_msgs/srv/AddLink"). Asking rclnodejs for one that is not
 * would make it search every prefix and try to generate code.
 */
export function hasInterface(type: string, prefixes = process.env['AMENT_PREFIX_PATH'] ?? ''): boolean {
  const [packageName, kind, name] = type.split('/');
  return prefixes
    .split(path.delimiter)
    .filter((prefix) => prefix !== '')
    .some((prefix) => existsSync(path.join(prefix, 'share', packageName!, kind!, `${name}.${kind}`)));
}
