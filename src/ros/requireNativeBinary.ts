import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../core/VprError.js';

interface Prebuilds {
  detectPrebuildRuntime(): string;
  getTaggedPrebuildFilename(of: {
    readonly rosDistro: string;
    readonly ubuntuCodename: string;
    readonly arch: string;
    readonly runtime: string;
  }): string;
}

interface Detection {
  detectUbuntuCodename(): string | null;
}

/**
 * Throws where no binary of rclnodejs loads. rclnodejs itself would delete what is there and compile at import: minutes,
 * with network, in a folder that may be read-only, and again at each respawn.
 */
export async function requireNativeBinary(): Promise<void> {
  const loader = fileURLToPath(import.meta.resolve('rclnodejs/lib/native_loader.js'));
  const folder = path.resolve(path.dirname(loader), '..');
  const require = createRequire(loader);
  const candidates = [await prebuiltBinary(folder), path.join(folder, 'build/Release/rclnodejs.node')].filter(
    (file): file is string => file !== undefined && existsSync(file),
  );
  const reasons: string[] = [];
  for (const file of candidates) {
    try {
      require(file);
      return;
    } catch (error) {
      reasons.push(messageOf(error));
    }
  }
  throw new Error(reasons.length > 0 ? reasons.join('; ') : `no binary for ${process.platform} ${process.arch}`);
}

/** The binary that rclnodejs brings for this Ubuntu and ROS, where it does. */
async function prebuiltBinary(folder: string): Promise<string | undefined> {
  const load = (name: string): Promise<unknown> => import(name);
  const { detectPrebuildRuntime, getTaggedPrebuildFilename } = (await load('rclnodejs/lib/prebuilds.js')) as Prebuilds;
  const { detectUbuntuCodename } = (await load('rclnodejs/lib/utils.js')) as Detection;
  const rosDistro = process.env['ROS_DISTRO'];
  const ubuntuCodename = detectUbuntuCodename();
  if (rosDistro === undefined || ubuntuCodename === null) return undefined;
  const { platform, arch } = process;
  const name = getTaggedPrebuildFilename({ rosDistro, ubuntuCodename, arch, runtime: detectPrebuildRuntime() });
  return path.join(folder, 'prebuilds', `${platform}-${arch}`, path.basename(name));
}
