import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { listSupportedBackends } from 'onnxruntime-node';

/** Names that ONNX Runtime for Node knows, best first. */
export const EXECUTION_PROVIDERS = ['tensorrt', 'cuda', 'webgpu', 'cpu'] as const;
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/** Folder of ONNX Runtime's native libraries for this platform. */
export function nativeLibraryFolder(): string {
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
    return `${path.basename(library)} is not installed (npm install --onnxruntime-node-install=cuda12 brings it)`;
  return undefined;
}
