/** A worker that tells which TensorRT variables the process really has when the worker starts: getenv's, not its own copy. */
import { parentPort } from 'node:worker_threads';
import type { RecognizerHost } from '../../../src/worker/messages.js';
import { serveRecognizer } from '../../../src/worker/serveRecognizer.js';

/** Node's diagnostic report lists the C environment of the process, whichever thread asks. */
function processEnvironment(): Record<string, string> {
  const report = process.report.getReport() as unknown as { environmentVariables: Record<string, string> };
  return report.environmentVariables;
}

process.env['ORT_TENSORRT_SET_BY_WORKER'] = '1';
const variables = Object.entries(processEnvironment()).filter(([name]) => name.startsWith('ORT_TENSORRT_'));
const info = { environment: Object.fromEntries(variables) };
serveRecognizer(parentPort!, { info, async close(): Promise<void> {} } as unknown as RecognizerHost);
