import { messageOf, VprError } from '../core/VprError.js';
import type { RosModule } from './RosApi.js';
import type { RosNative } from './AsyncLifecycleNode.js';
import { requireNativeBinary } from './requireNativeBinary.js';

/** The rclnodejs release that src/ros was written and tested against. */
export const RCLNODEJS_VERSION = '2.2.0';

const HOW_TO_SOURCE =
  "source ROS 2 first ('source /opt/ros/jazzy/setup.bash'), and the workspace with vpr_node ('source install/setup.bash')";

export interface Ros {
  readonly ros: RosModule;
  readonly native: RosNative;
}

/** Loads rclnodejs. Throws ROS_MISSING, with what to source, where it is not installed or finds no ROS. */
export async function loadRos(): Promise<Ros> {
  if (process.env['AMENT_PREFIX_PATH'] === undefined)
    throw new VprError(
      'ROS_MISSING',
      `Expected a sourced ROS 2 for vpr_node, got no AMENT_PREFIX_PATH: ${HOW_TO_SOURCE}`,
    );
  // Not literal, so that TypeScript does not look for a package that need not be there.
  const load = (name: string): Promise<{ readonly default: unknown }> =>
    import(name) as Promise<{ readonly default: unknown }>;
  try {
    await requireNativeBinary();
    const ros = (await load('rclnodejs')).default as RosModule;
    const native = (await load('rclnodejs/lib/native_loader.js')).default as RosNative;
    return { ros, native };
  } catch (error) {
    throw new VprError(
      'ROS_MISSING',
      `Expected rclnodejs ${RCLNODEJS_VERSION} that works with this ROS 2 (${process.env['ROS_DISTRO'] ?? 'ROS_DISTRO not set'}), got '${messageOf(error)}': ${HOW_TO_SOURCE}; if it was installed without ROS, run 'npm ci' again with ROS sourced`,
      { cause: error },
    );
  }
}
