import { MessageChannel } from 'node:worker_threads';

/** Node's small Buffers share one pool of at most this size: its memory must never be given away. */
export const POOL_BYTES = 64 * 1024;

const { port1: nowhere, port2 } = new MessageChannel();
port2.close();
nowhere.close();

/**
 * Frees the memory of a view that owns it, now: all views of it become empty. Images of a camera are megabytes each, and what waits for the
 * garbage collector counts towards its limits: it would run a full collection every few images, and stop the thread for it.
 * A buffer that is transferred leaves its thread at once, and a closed port drops what is sent to it.
 */
export function releaseBuffer({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > POOL_BYTES) nowhere.postMessage(undefined, [buffer]);
}
