import { VprError, type VprErrorCode } from '../core/VprError.js';
import type { Recognizer, RecognizerInfo, RecognizerStart } from './protocol.js';

/** Everything of a Recognizer that the worker does; `close` ends it. */
export type WorkerMethod = Exclude<keyof Recognizer, 'info'>;

/** The worker's side of a Recognizer. */
export type RecognizerHost = Recognizer;

/** Main thread -> worker, at start. */
export interface WorkerData {
  readonly start: RecognizerStart;
}

/** Main thread -> worker. Ids ascend. */
export interface WorkerRequest {
  readonly id: number;
  readonly method: WorkerMethod;
  readonly args: readonly unknown[];
}

/** An error that crossed the threads; code is absent for anything that is not a VprError. */
export interface WorkerFailure {
  readonly code?: VprErrorCode;
  readonly message: string;
  readonly stack?: string;
}

/** Worker -> main thread. */
export type WorkerReply =
  | { readonly kind: 'progress'; readonly note: string }
  /** What the map could not take in; the image was answered all the same. */
  | { readonly kind: 'map-failed'; readonly failure: WorkerFailure }
  | { readonly kind: 'opened'; readonly info: RecognizerInfo }
  | { readonly kind: 'open-failed'; readonly failure: WorkerFailure }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown; readonly info?: RecognizerInfo }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: WorkerFailure };

export function failureOf(error: unknown): WorkerFailure {
  if (error instanceof VprError) return { code: error.code, message: error.message };
  if (error instanceof Error)
    return { message: error.message, ...(error.stack === undefined ? {} : { stack: error.stack }) };
  return { message: String(error) };
}

/** The same VprError again; anything else becomes WORKER_CRASHED with the worker's stack as cause. */
export function errorOf(failure: WorkerFailure): VprError {
  if (failure.code !== undefined) return new VprError(failure.code, failure.message);
  return new VprError('WORKER_CRASHED', `The recognition worker failed: ${failure.message}`, { cause: failure.stack });
}
