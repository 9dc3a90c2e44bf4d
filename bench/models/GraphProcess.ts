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

  /** Throws Error when the process ends before the graph is open: its reason goes to our stderr. */
  static async open(file: string, side: number, threads: number): Promise<GraphProcess> {
    const script = fileURLToPath(new URL('./graphChild.js', import.meta.url));
    const child = fork(script, [file, String(side), String(threads)]);
    await nextMessage(child);
    return new GraphProcess(child);
  }

  async run(): Promise<Sample> {
    this.#process.send('run');
    return (await nextMessage(this.#process)) as Sample;
  }

  close(): void {
    this.#process.kill();
  }
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const waiting = new AbortController();
  const ended = once(child, 'exit', waiting).then(() => {
    throw new Error('Expected an answer, got the end of the process; its reason is above');
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', waiting), ended])) as [unknown];
    return message;
  } finally {
    waiting.abort();
    ended.catch(() => undefined);
  }
}
