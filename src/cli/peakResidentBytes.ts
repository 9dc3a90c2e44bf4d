import { readFileSync } from 'node:fs';

/**
 * The most memory that this process held at one time, bytes. On Linux it is the program's own: getrusage would also count
 * the process that forked it.
 */
export function peakResidentBytes(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
