import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fuzzMaps } from '../unit/map/mutatedMaps.js';

describe('place maps, mutated', () => {
  for (const storage of ['f32', 'f16', 'int8'])
    it(`neither crash nor hang in 7,000 mutations (${storage})`, () => {
      const bytes = readFileSync(`test/data/map/golden-v1-${storage}.vprmap`);
      const { refused, found } = fuzzMaps(bytes, 7000, 42);
      expect(refused).to.be.greaterThan(1000);
      expect(found).to.be.greaterThan(1000);
    }).timeout(3_600_000);
});
