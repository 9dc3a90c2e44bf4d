import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** One run of a graph. */
export interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** The most memory that the process held until now. */
  readonly peakMiB: number;
  /** The answer, by size: 512 values beside the descriptor are the hash. */
  readonly descriptor: readonly number[];
  readonly hash?: readonly number[];
}

/** A graph in a process of its own, which runs it when told (graphChild.ts). */
export class GraphProcess {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  static async open(file: string, side: number, threads: number): Promise<GraphProcess> {
    const script = fileURLToPath(new URL('./graphChild.js', import.meta.url));
    const child = fork(script, [file, String(side), String(threads)]);
    await once(child, 'message');
    return new GraphProcess(child);
  }

  async run(): Promise<Sample> {
    this.#process.send('run');
    const [sample] = (await once(this.#process, 'message')) as [Sample];
    return sample;
  }

  close(): void {
    this.#process.kill();
  }
}
