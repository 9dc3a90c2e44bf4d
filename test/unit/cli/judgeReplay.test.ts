import { expect } from 'chai';
import { judgeAgainstMap, judgeByPoses, judgeLaps } from '../../../src/cli/judgeReplay.js';
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
  return { images, unused: [], count: images.length, skipped: 0, skippedByCode: {} };
}

function posesOf({ images }: Replay): Map<ReferenceId, Pose | undefined> {
  return new Map(images.map(({ recognition, truePose }) => [recognition.addedReferenceId!, truePose]));
}

describe('images that could not be read', () => {
  const whole = rounds([1, 2, 3, 1, 2, 3]);
  const fifth = whole.images[4]!;
  const { recognition, truePose, number } = fifth;
  const unused = [{ number, truePose: truePose!, camera: recognition.camera, stampNs: recognition.stampNs }];
  const damaged: Replay = { ...whole, images: whole.images.filter((image) => image !== fifth), unused, skipped: 1 };
  const rows = (positives: number[][]) => ({ text: JSON.stringify({ positives }), file: 'truth.json' });

  for (const [what, judged, queries, recall] of [
    ['true poses', judgeByPoses(damaged, posesOf(damaged), { distanceM: 5 }), 6, 2 / 3],
    ['a ground truth of the map', judgeAgainstMap(damaged, rows([[0], [1], [2], [0], [1], [2]]), [1, 2, 3]), 6, 5 / 6],
    ['laps', judgeLaps(damaged, rows([[0], [1], [2]]), { first: 1, last: 3 }, { first: 4, last: 6 }), 6, 2 / 3],
  ] as const)
    it(`are misses when judged by ${what}`, () => {
      const { evaluation, correct } = judged;
      expect(evaluation).to.deep.include({ queries, unreadableQueries: 1 });
      expect(evaluation.recall['1']).to.equal(recall);
      expect(judged.queries.map((image) => image.number)).to.deep.equal([1, 2, 3, 4, 6]);
      expect(judged.truth.positives).to.have.length(5);
      expect(correct).to.have.length(5);
    });
});

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
