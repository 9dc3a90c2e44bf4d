import { expect } from 'chai';
import { quaternionFromYaw, type Pose } from '../../../src/core/pose.js';
import { VprError } from '../../../src/core/VprError.js';
import {
  groundTruthFromFrames,
  groundTruthFromPoses,
  parseGroundTruth,
  queriesWithoutPositives,
} from '../../../src/evaluation/groundTruth.js';

const at = (x: number, yawDeg = 0): Pose => ({
  position: [x, 0, 0],
  orientation: quaternionFromYaw((yawDeg * Math.PI) / 180),
});

describe('groundTruth', () => {
  it('takes references at exactly the distance and leaves out those beyond it', () => {
    const truth = groundTruthFromPoses([at(0)], [at(-25), at(25), at(25.001), at(3)], { distanceM: 25 });
    expect(truth.positives).to.deep.equal([[0, 1, 3]]);
    expect(truth.rule).to.equal('within 25 m');
  });

  it('counts headings only when an angle is given, the short way round', () => {
    const references = [at(0, 40), at(0, 41), at(0, -170), at(0, 330)];
    expect(groundTruthFromPoses([at(0)], references, { distanceM: 1 }).positives).to.deep.equal([[0, 1, 2, 3]]);
    expect(groundTruthFromPoses([at(0)], references, { distanceM: 1, angleDeg: 40 }).positives).to.deep.equal([[0, 3]]);
    expect(groundTruthFromPoses([at(0, 170)], references, { distanceM: 1, angleDeg: 40 }).positives).to.deep.equal([
      [2],
    ]);
  });

  it('gives no positives to a query or reference without a pose', () => {
    const truth = groundTruthFromPoses([undefined, at(0)], [at(0), undefined], { distanceM: 25 });
    expect(truth.positives).to.deep.equal([[], [0]]);
    expect(queriesWithoutPositives(truth)).to.equal(1);
  });

  it('clips frame tolerances at both ends', () => {
    expect(groundTruthFromFrames(4, 3, 1).positives).to.deep.equal([[0, 1], [0, 1, 2], [1, 2], [2]]);
    expect(groundTruthFromFrames(5, 2, 1).positives[4]).to.deep.equal([]);
  });

  it('reads positives and sorts each row', () => {
    expect(parseGroundTruth('{"positives": [[2, 0], []]}', 2, 3, 'gt.json').positives).to.deep.equal([[0, 2], []]);
  });

  it('reads what is neither right nor wrong, where it is there', () => {
    const truth = parseGroundTruth('{"positives": [[2], []], "unclear": [[1, 0], []]}', 2, 3, 'gt.json');
    expect(truth.unclear).to.deep.equal([[0, 1], []]);
    expect(parseGroundTruth('{"positives": [[2], []]}', 2, 3, 'gt.json')).not.to.have.property('unclear');
  });

  const bad: readonly (readonly [string, string, string])[] = [
    ['no JSON', '{', 'JSON'],
    ['no positives', '{"a": 1}', '"positives"'],
    ['null', 'null', '"positives"'],
    ['too few rows', '{"positives": [[0]]}', 'got 1 rows'],
    ['a row that is no array', '{"positives": [[0], 3]}', 'row 1'],
    ['an index beyond the references', '{"positives": [[0], [3]]}', 'row 1'],
    ['a negative index', '{"positives": [[-1], [0]]}', 'row 0'],
    ['a fraction', '{"positives": [[0.5], [0]]}', 'row 0'],
    ['a text', '{"positives": [[0], ["1"]]}', 'row 1'],
    ['unclear rows that are too few', '{"positives": [[0], []], "unclear": [[1]]}', 'row of unclear'],
    ['an unclear index beyond the references', '{"positives": [[0], []], "unclear": [[1], [3]]}', 'of the unclear'],
    ['a repeated index', '{"positives": [[0], [1, 1]]}', 'row 1'],
  ];
  for (const [name, text, sentence] of bad)
    it(`refuses ${name}, naming the file and the row`, () => {
      let thrown: unknown;
      try {
        parseGroundTruth(text, 2, 3, 'sets/x/ground_truth.json');
      } catch (error) {
        thrown = error;
      }
      expect(thrown).to.be.instanceOf(VprError);
      expect((thrown as VprError).code).to.equal('GROUND_TRUTH_INVALID');
      expect((thrown as VprError).message)
        .to.contain(sentence)
        .and.to.contain('[sets/x/ground_truth.json]');
    });
});
