import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { rosEnvironment } from './describeRos.js';

const MAIN = path.resolve('dist/src/ros/main.js');

export type ParameterValues = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** The node under test, as a process of its own. */
export class NodeProcess {
  readonly #process: ChildProcess;
  #log = '';
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(
    parameters: ParameterValues = {},
    {
      args = [] as readonly string[],
      env = {} as NodeJS.ProcessEnv,
      program = [process.execPath, MAIN] as readonly string[],
    } = {},
  ) {
    const overrides = Object.entries(parameters).flatMap(([name, value]) => [
      '-p',
      `${name}:=${JSON.stringify(value)}`,
    ]);
    const [command, ...first] = program;
    this.#process = spawn(command!, [...first, '--ros-args', ...overrides, ...args], {
      // The heaps as in launch/vpr_node.launch.py and cmake/bin/vpr_node.
      env: { ...rosEnvironment(), MALLOC_ARENA_MAX: '2', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      stream.on('data', (text: Buffer) => (this.#log += text.toString()));
    this.exited = new Promise((resolve) => this.#process.once('exit', (code, signal) => resolve({ code, signal })));
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Open file descriptors, threads, resident memory and CPU time, as the kernel counts them. */
  resources(): {
    readonly descriptors: number;
    readonly threads: number;
    readonly rssBytes: number;
    readonly cpuMs: number;
  } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return {
      descriptors: readdirSync(`/proc/${this.pid}/fd`).length,
      threads: Number(/Threads:\s+(\d+)/.exec(status)![1]),
      rssBytes: 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)![1]),
      // utime and stime in clock ticks of 10 ms.
      cpuMs: 10 * (Number(stat[11]) + Number(stat[12])),
    };
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Ends it as a user would; returns how long that took. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number> {
    if (!this.isRunning) return 0;
    const start = Date.now();
    this.kill(signal);
    const timer = setTimeout(() => this.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(timer);
    return Date.now() - start;
  }
}
