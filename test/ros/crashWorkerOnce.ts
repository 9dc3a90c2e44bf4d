/** Preloaded into the node under test (node --import): SIGUSR2 makes its first worker throw, once. */
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

const channel = new BroadcastChannel('crash worker');
channel.unref();
if (isMainThread) process.on('SIGUSR2', () => channel.postMessage('crash'));
else
  channel.onmessage = () => {
    throw new Error('crashed on purpose');
  };
