import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { listSupportedBackends } from 'onnxruntime-node';

/** Names that ONNX Runtime for Node knows, best first. */
export const EXECUTION_PROVIDERS = ['tensorrt', 'cuda', 'webgpu', 'cpu'] as const;
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/**
 * Folder of ONNX Runtime's native libraries: the first of LD_LIBRARY_PATH that has one, as the loader takes it, which is how
 * a build of one's own is put in place of the package's; else the package's own for this platform.
 */
export function nativeLibraryFolder(): string {
  const folders = process.platform === 'linux' ? (process.env['LD_LIBRARY_PATH'] ?? '').split(':') : [];
  const own = folders.find((folder) => folder !== '' && existsSync(path.join(folder, 'libonnxruntime.so.1')));
  if (own !== undefined) return own;
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  return path.join(path.dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

/**
 * Why a provider cannot run here, or undefined where it may: the package's own word, then the provider's library.
 * Whether its GPU and driver are there only a session tells.
 */
export function whyUnavailable(provider: string): string | undefined {
  const known = listSupportedBackends().map(({ name }) => name);
  if (!known.includes(provider))
    return `ONNX Runtime for ${process.platform} ${process.arch} has no provider '${provider}'`;
  if (provider !== 'cuda' && provider !== 'tensorrt') return undefined;
  const library = path.join(nativeLibraryFolder(), `libonnxruntime_providers_${provider}.so`);
  if (process.platform === 'linux' && !existsSync(library))
    return `${path.basename(library)} is not in ${path.dirname(library)} (npm install --onnxruntime-node-install=cuda12 brings it)`;
  return undefined;
}
