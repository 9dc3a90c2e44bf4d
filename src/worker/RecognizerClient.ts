import { Worker } from 'node:worker_threads';
import type { Recognition } from '../core/recognition.js';
import type { PlaceId, ReferenceId } from '../core/reference.js';
import type { StampedImage } from '../core/StampedImage.js';
import { messageOf, VprError } from '../core/VprError.js';
import { errorOf, type WorkerData, type WorkerMethod, type WorkerReply, type WorkerRequest } from './messages.js';
import type { MapSummary, PlaceSummary, Recognizer, RecognizerInfo, RecognizerStart } from './protocol.js';
import { transferableImage } from './transferables.js';

export interface RecognizerClientOptions {
  /** A JavaScript error ended the worker; it is being started again (`restarts` counts) or, after too many, is not. */
  readonly onCrash?: (error: VprError, restarts: number, restarting: boolean) => void;
  /** The worker runs again; calls made meanwhile are waiting for it. */
  readonly onRestarted?: (info: RecognizerInfo) => void;
  /** Notes while the worker opens model and map (building an engine takes minutes). */
  readonly onProgress?: (note: string) => void;
  /** What the map could not take in (disk full), or what of it is damaged, while images are answered. */
  readonly onMapError?: (error: VprError) => void;
  /** Restarts within a minute after which the client gives up; 5 by default. */
  readonly maxRestarts?: number;
  /** The worker's file; another one in tests. */
  readonly workerFile?: URL;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

interface PendingCall {
  readonly request: WorkerRequest;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

const RESTART_WINDOW_MS = 60_000;

/**
 * The main thread's handle on the one recognition worker. Calls are answered in the order they were made, except
 * `loadMap`, which is answered when the map is swapped in while images go on. A JavaScript error in the worker rejects
 * the calls it holds with WORKER_CRASHED and starts a new worker with the last map and parameters.
 */
export class RecognizerClient implements Recognizer {
  readonly #options: RecognizerClientOptions;
  readonly #now: () => number;
  #start: RecognizerStart;
  #info: RecognizerInfo | undefined;
  #worker: Worker | undefined;
  #pending = new Map<number, PendingCall>();
  #nextId = 1;
  #opening: Promise<void> | undefined;
  #crashTimesMs: number[] = [];
  #restarts = 0;
  #closed = false;
  #dead: VprError | undefined;

  private constructor(start: RecognizerStart, options: RecognizerClientOptions) {
    this.#start = start;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Starts the worker, which opens model and map. Throws their VprErrors; then nothing is left running. */
  static async open(start: RecognizerStart, options: RecognizerClientOptions = {}): Promise<RecognizerClient> {
    const client = new RecognizerClient(start, options);
    await client.#startWorker();
    return client;
  }

  get info(): RecognizerInfo {
    if (this.#info === undefined) throw new Error('Expected an open recognizer');
    return this.#info;
  }

  /** Calls that wait for an answer. */
  get pendingCalls(): number {
    return this.#pending.size;
  }

  recognize(image: StampedImage): Promise<Recognition> {
    return this.#callWithImage('recognize', image);
  }

  query(image: StampedImage, k: number): Promise<Recognition> {
    return this.#callWithImage('query', image, k);
  }

  addPlace(
    image: StampedImage,
    label: string,
    placeId: PlaceId,
  ): Promise<{ referenceId: ReferenceId; placeId: PlaceId }> {
    return this.#callWithImage('addPlace', image, label, placeId);
  }

  async loadMap(path: string): Promise<MapSummary> {
    const summary = await this.#call<MapSummary>('loadMap', [path]);
    this.#start = { ...this.#start, mapPath: summary.path };
    return summary;
  }

  saveMap(path?: string): Promise<MapSummary> {
    return this.#call('saveMap', path === undefined ? [] : [path]);
  }

  mapSummary(): Promise<MapSummary> {
    return this.#call('mapSummary', []);
  }

  places(): Promise<readonly PlaceSummary[]> {
    return this.#call('places', []);
  }

  thumbnail(referenceId: ReferenceId): Promise<Uint8Array | undefined> {
    return this.#call('thumbnail', [referenceId]);
  }

  reportClosure(referenceId: ReferenceId, queryStampNs: bigint, accepted: boolean): Promise<void> {
    return this.#call('reportClosure', [referenceId, queryStampNs, accepted]);
  }

  mutedPlaces(): Promise<readonly PlaceId[]> {
    return this.#call('mutedPlaces', []);
  }

  async setParameters(values: Readonly<Record<string, unknown>>): Promise<void> {
    // First: a worker that dies before it answers must not take them with it.
    this.#start = { ...this.#start, parameters: { ...this.#start.parameters, ...values } };
    await this.#call<void>('setParameters', [values]);
  }

  resetFilter(): Promise<void> {
    return this.#call('resetFilter', []);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    try {
      // A worker that is still opening, or that has died for good, has nothing to flush.
      if (this.#dead === undefined) {
        await this.#opening?.catch(() => undefined);
        if (this.#worker !== undefined) await this.#call<void>('close', []);
      }
    } finally {
      this.#closed = true;
      const worker = this.#worker;
      this.#worker = undefined;
      await worker?.terminate();
      this.#rejectAll(new VprError('WORKER_CRASHED', 'The recognizer was closed'));
    }
  }

  #callWithImage<T>(method: WorkerMethod, image: StampedImage, ...rest: unknown[]): Promise<T> {
    const moved = transferableImage(image);
    return this.#call<T>(method, [moved.image, ...rest], moved.transfer);
  }

  async #call<T>(method: WorkerMethod, args: readonly unknown[], transfer: ArrayBuffer[] = []): Promise<T> {
    if (this.#closed)
      throw new VprError('WORKER_CRASHED', `Expected an open recognizer for ${method}, got a closed one`);
    // While a worker starts again, calls wait for it: the caller sees a pause, not a failure.
    if (this.#opening !== undefined) await this.#opening.catch(() => undefined);
    if (this.#dead !== undefined) throw this.#dead;
    const worker = this.#worker;
    if (worker === undefined) throw new VprError('WORKER_CRASHED', `The recognizer was closed before ${method}`);
    return new Promise<T>((resolve, reject) => {
      const request: WorkerRequest = { id: this.#nextId++, method, args };
      this.#pending.set(request.id, { request, resolve: resolve as (value: never) => void, reject });
      try {
        worker.postMessage(request, transfer);
      } catch (error) {
        this.#pending.delete(request.id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #startWorker(): Promise<void> {
    const opening = new Promise<void>((resolve, reject) => {
      const data: WorkerData = { start: this.#start };
      const worker = new Worker(this.#options.workerFile ?? new URL('./recognizerWorker.js', import.meta.url), {
        workerData: data,
        name: 'vpr recognizer',
      });
      this.#worker = worker;
      worker.on('message', (reply: WorkerReply) => {
        if (worker !== this.#worker) return;
        if (reply.kind === 'opened') {
          this.#info = reply.info;
          this.#opening = undefined;
          resolve();
        } else if (reply.kind === 'open-failed') {
          // A model or map that cannot be opened now will not open at the next try: no restart.
          this.#opening = undefined;
          this.#worker = undefined;
          reject(errorOf(reply.failure));
          void worker.terminate();
        } else {
          this.#onReply(reply);
        }
      });
      worker.on('error', (error) => {
        if (worker !== this.#worker) return;
        this.#onCrash(error, reject);
      });
      worker.on('exit', (code) => {
        if (worker !== this.#worker) return;
        this.#onCrash(new Error(`the worker ended with code ${code}`), reject);
      });
    });
    this.#opening = opening;
    return opening;
  }

  #onReply(reply: Extract<WorkerReply, { kind: 'progress' | 'map-failed' | 'done' | 'failed' }>): void {
    if (reply.kind === 'map-failed') {
      this.#options.onMapError?.(errorOf(reply.failure));
      return;
    }
    if (reply.kind === 'progress') {
      this.#options.onProgress?.(reply.note);
      return;
    }
    const call = this.#pending.get(reply.id);
    if (call === undefined) return;
    this.#pending.delete(reply.id);
    if (reply.kind === 'failed') {
      call.reject(errorOf(reply.failure));
      return;
    }
    if (reply.info !== undefined) this.#info = reply.info;
    call.resolve(reply.value as never);
  }

  #onCrash(error: unknown, rejectOpening: (error: VprError) => void): void {
    this.#worker = undefined;
    const crash = new VprError('WORKER_CRASHED', `The recognition worker failed: ${messageOf(error)}`, {
      cause: error,
    });
    const wasOpening = this.#opening !== undefined;
    this.#opening = undefined;
    this.#rejectAll(crash);
    rejectOpening(crash);
    if (this.#closed) return;
    const now = this.#now();
    this.#crashTimesMs = [...this.#crashTimesMs.filter((time) => now - time < RESTART_WINDOW_MS), now];
    const firstOpening = this.#info === undefined;
    const restarting = !firstOpening && !wasOpening && this.#crashTimesMs.length <= (this.#options.maxRestarts ?? 5);
    if (!restarting) this.#dead = crash;
    else this.#restarts++;
    this.#options.onCrash?.(crash, this.#restarts, restarting);
    if (!restarting) return;
    this.#startWorker().then(
      () => this.#options.onRestarted?.(this.info),
      (reason: unknown) => {
        if (this.#dead !== undefined) return;
        this.#dead = reason instanceof VprError ? reason : crash;
        this.#options.onCrash?.(this.#dead, this.#restarts, false);
      },
    );
  }

  #rejectAll(error: VprError): void {
    const calls = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of calls) call.reject(error);
  }
}
