import { expect } from 'chai';
import { judgeByPoses } from '../../../src/cli/judgeReplay.js';
import type { Replay, ReplayedImage } from '../../../src/cli/replayImages.js';
import type { Pose } from '../../../src/core/pose.js';
import type { Recognition } from '../../../src/core/recognition.js';
import type { ReferenceId } from '../../../src/core/reference.js';

const at = (x: number): Pose => ({ position: [x, 0, 0], orientation: [0, 0, 0, 1] });

/** Two rounds of three places 10 s and 100 m apart, one camera; each image becomes the reference of its number. */
function rounds(answers: readonly ReferenceId[]): Replay {
  const images = answers.map((referenceId, i): ReplayedImage => ({
    number: i + 1,
    truePose: at(100 * (i % 3)),
    recognition: {
      stampNs: BigInt(i) * 10_000_000_000n,
      camera: 'front',
      referenceId,
      candidates: [],
      confidence: 1,
      accepted: referenceId !== 0,
      addedReferenceId: i + 1,
    } as unknown as Recognition,
  }));
  return { images, count: images.length, skipped: 0, skippedByCode: {} };
}

function posesOf({ images }: Replay): Map<ReferenceId, Pose | undefined> {
  return new Map(images.map(({ recognition, truePose }) => [recognition.addedReferenceId!, truePose]));
}

describe('judgeByPoses', () => {
  const rule = { distanceM: 5 };

  it('takes for positives what was searched: not the image itself, what came later, or what is too recent', () => {
    const replay = rounds([0, 0, 0, 1, 2, 3]);
    const { truth, evaluation } = judgeByPoses(replay, posesOf(replay), rule, 20);
    expect(truth.positives).to.deep.equal([[], [], [], [0], [1], [2]]);
    expect(evaluation).to.deep.include({ queries: 6, queriesWithoutPositives: 3 });
    expect(evaluation.recall['1']).to.equal(1);
    const late = judgeByPoses(replay, posesOf(replay), rule, 31);
    expect(late.evaluation.queriesWithoutPositives).to.equal(6);
  });

  it('takes every reference that the map had before', () => {
    const replay = rounds([7, 8, 9, 7, 2, 3]);
    const poses = new Map([[7, at(0)], [8, at(100)], [9, at(200)], ...posesOf(replay)]);
    const { truth, evaluation, correct } = judgeByPoses(replay, poses, rule, 20);
    expect(evaluation.queriesWithoutPositives).to.equal(0);
    expect(correct).to.deep.equal([true, true, true, true, true, true]);
    expect(truth.positives[3]).to.have.length(2);
  });
});
