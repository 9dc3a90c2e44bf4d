import { expect } from 'chai';
import type { ImageSource, SourceImage } from '../../../src/bag/ImageSource.js';
import { PictureCount } from '../../../src/bag/PictureCount.js';
import { ProblemCount } from '../../../src/bag/ProblemCount.js';
import { replayImages } from '../../../src/cli/replayImages.js';
import type { Recognition } from '../../../src/core/recognition.js';
import { VprError } from '../../../src/core/VprError.js';

/** Three pictures, of which the recognizer says what `answers` say. */
async function replayOf(answers: readonly (Error | undefined)[]) {
  const pictures = new PictureCount();
  const source = {
    pictures,
    problems: new ProblemCount(undefined),
    async *[Symbol.asyncIterator](): AsyncGenerator<SourceImage> {
      for (let i = 0; i < answers.length; i++) {
        await Promise.resolve();
        yield { position: pictures.next(), stampNs: 0n } as SourceImage;
      }
    },
  } as unknown as ImageSource;
  let asked = 0;
  const recognize = (): Promise<Recognition> => {
    const answer = answers[asked++];
    return answer === undefined ? Promise.resolve({} as Recognition) : Promise.reject(answer);
  };
  return replayImages(source, { recognize });
}

describe('replayImages', () => {
  it('leaves out what is one image’s fault and counts it, whether anybody listens or not', async () => {
    const replay = await replayOf([undefined, new VprError('IMAGE_INVALID', 'bad'), undefined]);
    expect(replay.images.map(({ number }) => number)).to.deep.equal([1, 3]);
    expect(replay).to.deep.include({ count: 3, skipped: 1, skippedByCode: { IMAGE_INVALID: 1 } });
  });

  for (const error of [new VprError('DISK_FULL', 'full'), new TypeError('a bug')])
    it(`ends with anything else: ${error.name}`, async () => {
      const failure = await replayOf([undefined, error, undefined]).catch((reason: unknown) => reason);
      expect(failure).to.equal(error);
    });
});
