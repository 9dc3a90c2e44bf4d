import { existsSync } from 'node:fs';

/** A domain of our own: robots, other tests and other checkouts on this machine stay out of it. */
const DOMAIN = String(20 + (process.pid % 80));

export function rosEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ROS_DOMAIN_ID: DOMAIN,
    // Processes that are killed here would leave shared memory behind that later ones wait for without end.
    ...(process.env['FASTRTPS_DEFAULT_PROFILES_FILE'] === undefined ? { FASTDDS_BUILTIN_TRANSPORTS: 'UDPv4' } : {}),
    ROS_AUTOMATIC_DISCOVERY_RANGE: 'LOCALHOST',
    RCUTILS_COLORIZED_OUTPUT: '0',
  };
}

let warned = false;

/** Tests that need a ROS 2: skipped with one loud line where there is none; with VPR_REQUIRE_ROS=1 that is a failure. */
export function describeRos(title: string, tests: (this: Mocha.Suite) => void): void {
  const isThere =
    process.env['AMENT_PREFIX_PATH'] !== undefined && existsSync('node_modules/rclnodejs/generated/vpr_node');
  if (isThere) {
    describe(title, tests);
    return;
  }
  if (process.env['VPR_REQUIRE_ROS'] === '1') {
    it(`${title}: needs ROS 2`, () => {
      throw new Error(
        'Expected a ROS 2 (VPR_REQUIRE_ROS=1), got none: run node .ci/setup.mjs --ros, then node .ci/test.mjs',
      );
    });
    return;
  }
  if (!warned)
    console.warn('\n*** NO ROS 2: ALL TESTS OF THE ROS NODE ARE SKIPPED (node .ci/setup.mjs --ros makes one) ***\n');
  warned = true;
  describe.skip(title, tests);
}
