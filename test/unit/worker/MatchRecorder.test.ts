import { expect } from 'chai';
import type { ReferenceId } from '../../../src/core/reference.js';
import { MatchRecorder } from '../../../src/worker/MatchRecorder.js';

function mapOf(isWritable: boolean) {
  const recorded: { ids: readonly ReferenceId[]; stampNs: bigint }[] = [];
  const recordMatches = (ids: readonly ReferenceId[], stampNs: bigint): void => void recorded.push({ ids, stampNs });
  return { isWritable, recordMatches, recorded };
}

const match = (referenceId: number, accepted = true) => ({ accepted, referenceId, stampNs: BigInt(referenceId) });

describe('MatchRecorder', () => {
  it('writes accepted matches, in batches and at the end', () => {
    const map = mapOf(true);
    const recorder = new MatchRecorder(map);
    for (let i = 1; i <= 70; i++) recorder.note(match(i));
    recorder.note(match(500, false));
    expect(map.recorded.map(({ ids }) => ids.length)).to.deep.equal([64]);
    recorder.flush();
    recorder.flush();
    expect(map.recorded.map(({ ids, stampNs }) => [ids.length, stampNs])).to.deep.equal([
      [64, 64n],
      [6, 70n],
    ]);
  });

  it('never writes to a map that is open for reading', () => {
    const map = mapOf(false);
    const recorder = new MatchRecorder(map);
    for (let i = 1; i <= 70; i++) recorder.note(match(i));
    recorder.flush();
    expect(map.recorded).to.deep.equal([]);
  });
});
