import { spawnSync } from 'node:child_process';
import path from 'node:path';

export interface VprRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `vpr` as a user would; asUser: the number of the user (root only). */
export function vpr(args: readonly string[], { asUser }: { readonly asUser?: number } = {}): VprRun {
  const identity = asUser === undefined ? {} : { uid: asUser, gid: asUser };
  return spawnSync(process.execPath, [path.resolve('bin/vpr.mjs'), ...args], { encoding: 'utf8', ...identity });
}
