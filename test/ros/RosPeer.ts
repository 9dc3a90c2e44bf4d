import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { rosEnvironment } from './describeRos.js';

export type Message = Record<string, unknown>;

const SCRIPT = path.resolve('test/ros/peers/peer.py');
/** Longer than any call or stream of the tests takes. */
const STUCK_MS = 100_000;

interface Qos {
  readonly reliability?: 'reliable' | 'best_effort';
  readonly durability?: 'volatile' | 'transient_local';
  readonly depth?: number;
}

/** A real ROS 2 node in Python (peers/peer.py), told what to do by the test. */
export class RosPeer {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly #messages = new Map<string, Message[]>();
  readonly #wakers = new Set<() => void>();
  #nextId = 1;
  #stderr = '';

  private constructor(name: string) {
    this.#process = spawn(process.env['VPR_ROS_PYTHON_BIN'] ?? 'python3', [SCRIPT, name], { env: rosEnvironment() });
    this.#process.stderr.on('data', (text: Buffer) => (this.#stderr += text.toString()));
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#onLine(line));
    // Writing to a peer that ended fails here as well; `do` says so.
    this.#process.stdin.on('error', () => undefined);
    this.#process.on('exit', () => {
      for (const { reject } of this.#pending.values()) reject(this.#ended());
    });
  }

  static async start(name = 'peer'): Promise<RosPeer> {
    const peer = new RosPeer(name);
    await new Promise((resolve, reject) => peer.#pending.set(0, { resolve, reject }));
    return peer;
  }

  subscribe(topic: string, type: string, qos: Qos = {}, countOnly = false): Promise<void> {
    this.#messages.set(topic, []);
    return this.do('subscribe', { topic, type, qos, count_only: countOnly });
  }

  advertise(topic: string, type: string, qos: Qos = {}): Promise<void> {
    return this.do('advertise', { topic, type, qos });
  }

  publish(topic: string, message: Message): Promise<void> {
    return this.do('publish', { topic, message });
  }

  /** Serialised bytes, as they are. */
  publishCdr(topic: string, bytes: Uint8Array): Promise<void> {
    return this.do('publish_cdr', { topic, base64_text: Buffer.from(bytes).toString('base64') });
  }

  call(type: string, name: string, request: Message = {}, timeoutS = 30): Promise<Message> {
    return this.do('call', { type, name, request, timeout_s: timeoutS });
  }

  /** Waits until somebody has subscribed to what this peer publishes. */
  async untilMatched(topic: string, subscribers = 1): Promise<void> {
    await until(`${subscribers} subscribers of ${topic}`, async () => {
      return (await this.do<number>('matched', { topic })) >= subscribers;
    });
  }

  /** Messages heard on a topic and not taken yet. */
  heard(topic: string): readonly Message[] {
    return this.#messages.get(topic) ?? [];
  }

  forget(topic: string): void {
    this.#messages.set(topic, []);
  }

  /** The first message that fits, taken with all before it. */
  async take(topic: string, fits: (message: Message) => boolean = () => true, timeoutMs = 20_000): Promise<Message> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const messages = this.#messages.get(topic) ?? [];
      const index = messages.findIndex(fits);
      if (index !== -1) return messages.splice(0, index + 1).at(-1)!;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw new Error(`Expected a message on ${topic} within ${timeoutMs} ms, got none that fits`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#wakers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#wakers.add(wake);
      });
    }
  }

  do<T = void>(op: string, args: Message = {}): Promise<T> {
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      if (this.#hasEnded) {
        reject(this.#ended());
        return;
      }
      // A peer that is stuck tells where: Python's fault handler prints all stacks.
      const timer = setTimeout(() => this.#process.kill('SIGABRT'), STUCK_MS);
      const settled =
        <A>(settle: (value: A) => void) =>
        (value: A): void => {
          clearTimeout(timer);
          settle(value);
        };
      this.#pending.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#process.stdin.write(`${JSON.stringify({ id, op, ...args })}\n`);
    });
  }

  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }

  get #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  #ended(): Error {
    const { exitCode, signalCode } = this.#process;
    return new Error(`the peer ended with ${exitCode ?? signalCode}: ${this.#stderr}`);
  }

  #onLine(line: string): void {
    const said = JSON.parse(line) as {
      id?: number;
      value?: unknown;
      error?: string;
      topic?: string;
      message?: Message;
    };
    if (said.topic !== undefined) {
      const messages = this.#messages.get(said.topic) ?? [];
      messages.push(said.message!);
      this.#messages.set(said.topic, messages);
      for (const wake of this.#wakers) wake();
      return;
    }
    const pending = this.#pending.get(said.id!);
    this.#pending.delete(said.id!);
    if (said.error !== undefined) pending?.reject(new Error(said.error));
    else pending?.resolve(said.value as never);
  }
}

/** Polls until true. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Expected ${what} within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
