import { describeRos } from './describeRos.js';
import { soak } from './soak.js';

const SECONDS = Number(process.env['VPR_LONG_SOAK_S'] ?? 3600);

describeRos('the node for an hour', function () {
  this.timeout((SECONDS + 120) * 1000);

  it(`stays as it is for ${SECONDS} s at full speed`, async () => {
    console.log(`      ${await soak(SECONDS, 0.05)}`);
  });
});
