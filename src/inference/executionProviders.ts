import path from 'node:path';
import { listSupportedBackends } from 'onnxruntime-node';
import { missingLibrary } from './nativeLibraries.js';

/** Names that ONNX Runtime for Node knows, best first. */
export const EXECUTION_PROVIDERS = ['tensorrt', 'cuda', 'webgpu', 'cpu'] as const;
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/**
 * Why a provider cannot run here, or undefined where it may: the package's own word, then the provider's library.
 * Whether its GPU and driver are there only a session tells.
 */
export function whyUnavailable(provider: string): string | undefined {
  const known = listSupportedBackends().map(({ name }) => name);
  if (!known.includes(provider))
    return `ONNX Runtime for ${process.platform} ${process.arch} has no provider '${provider}'`;
  const library = missingLibrary(provider);
  return library === undefined
    ? undefined
    : `${path.basename(library)} is not in ${path.dirname(library)} (npm install --onnxruntime-node-install=cuda12 brings it)`;
}
