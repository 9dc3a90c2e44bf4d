import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { parseParameters, type NodeParameters } from '../config/parseParameters.js';
import { messageOf } from '../core/VprError.js';
import { missingLibrary } from '../inference/nativeLibraries.js';
import type { RecognizerStart } from './protocol.js';

/** What an engine is only good for: this model, these settings, this ONNX Runtime. (ONNX Runtime adds the GPU itself.) */
function cacheKey(modelPath: string, parameters: NodeParameters): string {
  const manifest = readFileSync(path.join(modelPath, 'model.json'));
  const hash = createHash('sha256').update(manifest).update(onnxRuntimeVersion()).digest('hex').slice(0, 16);
  return `${hash}${parameters.tensorrtFp16 ? '-fp16' : ''}${parameters.tensorrtInt8 ? '-int8' : ''}`;
}

function onnxRuntimeVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return version;
}

/**
 * Environment variables that ONNX Runtime's TensorRT provider reads (onnxruntime-node passes only the device id itself),
 * by `tensorrt.*` parameters. Engines are cached in one folder for each model, precision and ONNX Runtime version.
 * A model that is not there gives none: opening it says so.
 */
export function tensorrtEnvironment(start: Pick<RecognizerStart, 'modelPath' | 'parameters'>): Record<string, string> {
  if (!existsSync(path.join(start.modelPath, 'model.json'))) return {};
  const parameters = parseParameters(start.parameters);
  const root = parameters.tensorrtCacheDir || path.join(os.homedir(), '.cache', 'vpr_node', 'tensorrt');
  const flag = (on: boolean): string => (on ? '1' : '0');
  return {
    ORT_TENSORRT_FP16_ENABLE: flag(parameters.tensorrtFp16),
    ORT_TENSORRT_INT8_ENABLE: flag(parameters.tensorrtInt8),
    ORT_TENSORRT_MAX_WORKSPACE_SIZE: String(parameters.tensorrtWorkspaceMb * 1024 * 1024),
    ORT_TENSORRT_ENGINE_CACHE_ENABLE: '1',
    ORT_TENSORRT_CACHE_PATH: path.join(root, cacheKey(start.modelPath, parameters)),
    ORT_TENSORRT_TIMING_CACHE_ENABLE: '1',
  };
}

/** What was set here, which other parameters may change; all else is the user's. */
const set = new Map<string, string>();

/**
 * Sets variables in the environment of the process, where native code sees them. Only the main thread can: a worker's
 * process.env is a copy. Variables that the user set are left alone. Must run before the worker starts.
 */
export function setNativeEnvironment(variables: Readonly<Record<string, string>>): void {
  if (!isMainThread) throw new Error('Expected the main thread to set the native environment');
  for (const [name, value] of Object.entries(variables)) {
    const current = process.env[name];
    if (current !== undefined && current !== set.get(name)) continue;
    process.env[name] = value;
    set.set(name, value);
  }
}

/**
 * Makes the folder of TensorRT's engines where TensorRT is installed: ONNX Runtime makes the last part of the path alone, and
 * without the parts before it no session opens. Returns what is wrong with the folder where it cannot be made.
 */
export function makeEngineFolder(variables: Readonly<Record<string, string>>): string | undefined {
  const folder = process.env['ORT_TENSORRT_CACHE_PATH'] ?? variables['ORT_TENSORRT_CACHE_PATH'];
  if (folder === undefined || missingLibrary('tensorrt') !== undefined) return undefined;
  try {
    mkdirSync(folder, { recursive: true });
    return undefined;
  } catch (error) {
    return `Expected a folder for TensorRT's engines that can be made (tensorrt.cache_dir), got: ${messageOf(error)}`;
  }
}
