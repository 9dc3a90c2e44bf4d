import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What one image costs in a process that runs nothing else. */
export interface ModelCosts {
  /** Milliseconds of each timed run, in their order. */
  readonly milliseconds: readonly number[];
  /** Of processor time, all threads together; of each timed run. */
  readonly cpuMilliseconds: readonly number[];
  readonly peakResidentBytes: number;
}

export interface MeasureOptions {
  readonly threads: number;
  /** Timed runs, after one that is not. */
  readonly runs: number;
  /** Ends the child. */
  readonly signal?: AbortSignal;
}

/** Runs a model folder on the CPU in a child process of its own. Throws Error with the child's words when it fails. */
export async function measureModel(folder: string, { threads, runs, signal }: MeasureOptions): Promise<ModelCosts> {
  const script = fileURLToPath(new URL('./measureModelProcess.js', import.meta.url));
  const child = fork(script, [folder, String(threads), String(runs)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // In the middle of an inference it hears of nothing milder.
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal }),
  });
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  let costs: ModelCosts | undefined;
  child.on('message', (message: ModelCosts) => (costs = message));
  const [code] = (await once(child, 'close')) as [number | null];
  if (costs === undefined) throw new Error(`Measuring ${folder} ended with exit code ${code}: ${errors.trim()}`);
  return costs;
}
