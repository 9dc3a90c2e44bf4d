import { survivesBuildKills } from '../cli/killedBuilds.js';

describe('vpr map build, for long', () => {
  it('leaves a map with every committed reference after each of 50 kills', () => survivesBuildKills(50, 3)).timeout(
    1_800_000,
  );
});
