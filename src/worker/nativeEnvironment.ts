import os from 'node:os';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { NodeParameters } from '../config/parseParameters.js';

/**
 * Environment variables that ONNX Runtime's TensorRT provider reads (onnxruntime-node passes only the device id itself).
 * modelSha256 and the ONNX Runtime version are part of the engine cache's folder: an engine is only good for what it was built from.
 */
export function tensorrtEnvironment(parameters: NodeParameters, cacheKey: string): Readonly<Record<string, string>> {
  const root = parameters.tensorrtCacheDir || path.join(os.homedir(), '.cache', 'vpr_node', 'tensorrt');
  const cache = path.join(root, cacheKey);
  const flag = (on: boolean): string => (on ? '1' : '0');
  return {
    ORT_TENSORRT_FP16_ENABLE: flag(parameters.tensorrtFp16),
    ORT_TENSORRT_INT8_ENABLE: flag(parameters.tensorrtInt8),
    ORT_TENSORRT_MAX_WORKSPACE_SIZE: String(parameters.tensorrtWorkspaceMb * 1024 * 1024),
    ORT_TENSORRT_ENGINE_CACHE_ENABLE: '1',
    ORT_TENSORRT_CACHE_PATH: cache,
    ORT_TENSORRT_TIMING_CACHE_ENABLE: '1',
  };
}

/**
 * Sets variables in the environment of the process, where native code sees them. Only the main thread can: a worker's
 * process.env is a copy. Variables that the user set are left alone. Must run before the worker starts.
 */
export function setNativeEnvironment(variables: Readonly<Record<string, string>>): void {
  if (!isMainThread) throw new Error('Expected the main thread to set the native environment');
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
}
