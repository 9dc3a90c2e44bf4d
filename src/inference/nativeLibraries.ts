import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/**
 * Folder of ONNX Runtime's native libraries: the first of LD_LIBRARY_PATH that has one, as the loader takes it, which is how
 * a build of one's own is put in place of the package's; else the package's own for this platform. Nothing is loaded.
 */
export function nativeLibraryFolder(): string {
  const folders = process.platform === 'linux' ? (process.env['LD_LIBRARY_PATH'] ?? '').split(':') : [];
  const own = folders.find((folder) => folder !== '' && existsSync(path.join(folder, 'libonnxruntime.so.1')));
  if (own !== undefined) return own;
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node');
  return path.join(path.dirname(entry), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

/** The library that cuda or tensorrt needs beside ONNX Runtime's own, where it is not there; undefined elsewhere. */
export function missingLibrary(provider: string): string | undefined {
  if ((provider !== 'cuda' && provider !== 'tensorrt') || process.platform !== 'linux') return undefined;
  const library = path.join(nativeLibraryFolder(), `libonnxruntime_providers_${provider}.so`);
  return existsSync(library) ? undefined : library;
}
