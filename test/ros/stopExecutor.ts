/** Preloaded into the node under test (node --import): SIGUSR2 ends rclnodejs' executor thread, as an error in it does. */
import { isMainThread } from 'node:worker_threads';

interface Spinning {
  spin(timeoutMs?: number): void;
  stop(): void;
}

if (isMainThread) {
  const name = 'rclnodejs';
  const { default: ros } = (await import(name)) as { default: { Node: { prototype: Spinning } } };
  const { spin } = ros.Node.prototype;
  ros.Node.prototype.spin = function (timeoutMs) {
    process.on('SIGUSR2', () => this.stop());
    spin.call(this, timeoutMs);
  };
}
