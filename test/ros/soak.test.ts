import { describeRos } from './describeRos.js';
import { soak } from './soak.js';

/** Two minutes in CI (.ci/run); shorter where somebody waits for the tests. */
const SECONDS = Number(process.env['VPR_SOAK_S'] ?? 45);

describeRos('the node in the long run', function () {
  this.timeout((SECONDS + 90) * 1000);

  it(`stays as it is for ${SECONDS} s at full speed`, async () => {
    console.log(`      ${await soak(SECONDS, 0.15)}`);
  });
});
