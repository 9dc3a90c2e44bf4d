/** The process of the node: rclnodejs, signals, and the lifecycle node in between. */
import { messageOf, VprError } from '../core/VprError.js';
import { ExecutorWatchdog } from './ExecutorWatchdog.js';
import { loadRos, type Ros } from './loadRos.js';
import { VprNode } from './VprNode.js';

/** What `ros2 launch` waits between its signals is 5 s; a robot operator waits less. */
const SHUTDOWN_LIMIT_MS = 1_800;

async function run({ ros, native }: Ros): Promise<void> {
  ros.removeSignalHandlers();
  await ros.init();
  const vpr = new VprNode({ ros, native });

  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    watchdog.close();
    vpr.node.getLogger().info(`${signal}: shutting down`);
    // An image in the worker, or a model that is still opening, must not hold up the exit; the map's file is consistent
    // at every moment.
    const limit = setTimeout(() => process.exit(0), SHUTDOWN_LIMIT_MS);
    limit.unref();
    void vpr
      .stop()
      .then(() => ros.shutdown())
      .finally(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  // Nothing mends an executor from inside; the launch file starts the node again.
  const watchdog = new ExecutorWatchdog(vpr.node, (sentence) => {
    vpr.node.getLogger().fatal(sentence);
    setTimeout(() => process.exit(1), SHUTDOWN_LIMIT_MS).unref();
    void vpr.stop().finally(() => process.exit(1));
  });
  vpr.node.spin();
  await vpr.start();
}

try {
  await run(await loadRos());
} catch (error) {
  const code = error instanceof VprError ? ` (${error.code})` : '';
  process.stderr.write(`vpr_node: ${messageOf(error)}${code}\n`);
  process.exit(1);
}
