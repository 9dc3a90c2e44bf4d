import { survivesKills } from '../unit/map/crashSuite.js';

describe('a place map, for long', () => {
  it('holds every committed reference after 200 kills', () => survivesKills(200, 2)).timeout(3_600_000);
});
