import { expect } from 'chai';
import type { Reference } from '../../../src/core/reference.js';
import { chooseHypothesis } from '../../../src/recognizer/chooseHypothesis.js';

function reference(referenceId: number): Reference {
  return { referenceId, placeId: referenceId, sessionId: 1, label: '', camera: 'c', stampNs: 0n };
}

const NEIGHBOURHOOD = { distanceM: 10, places: 3 };

describe('chooseHypothesis', () => {
  it('takes the neighbourhood of the best way, and in it the likeliest sighting', () => {
    const hypotheses = [
      { reference: reference(50), headingUnknown: false, mass: 0.4, score: 2 },
      { reference: reference(10), headingUnknown: false, mass: 0.1, score: 9 },
      { reference: reference(11), headingUnknown: false, mass: 0.3, score: 8 },
      { reference: reference(12), headingUnknown: false, mass: 0.1, score: 3 },
    ];
    // The last one was not sighted in this image: it may not be chosen, but it is no rival of its neighbours.
    const chosen = chooseHypothesis({ hypotheses, outside: 0.1 }, 3, NEIGHBOURHOOD);
    expect(chosen).to.include({ sighting: 2, score: 9, rivalScore: 2 });
    expect(chosen.mass).to.be.closeTo(0.4, 1e-12);
  });

  it('falls back on the mass where no way has a score yet', () => {
    const hypotheses = [
      { reference: reference(1), headingUnknown: false, mass: 0.1, score: 0 },
      { reference: reference(90), headingUnknown: false, mass: 0.2, score: 0 },
    ];
    expect(chooseHypothesis({ hypotheses, outside: 0.7 }, 2, NEIGHBOURHOOD).sighting).to.equal(1);
  });

  it('counts an unsighted rival', () => {
    const hypotheses = [
      { reference: reference(1), headingUnknown: false, mass: 0.5, score: 5 },
      { reference: reference(90), headingUnknown: false, mass: 0.3, score: 4 },
    ];
    expect(chooseHypothesis({ hypotheses, outside: 0.2 }, 1, NEIGHBOURHOOD).rivalScore).to.equal(4);
  });
});
