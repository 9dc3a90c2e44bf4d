import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import type { Pose } from '../../../src/core/pose.js';
import type { StampedImage } from '../../../src/core/StampedImage.js';
import { decodeImage } from '../../../src/image/decodeImage.js';
import { buildTown } from '../../../src/sample/buildTown.js';
import { inOrder } from '../../../src/sample/inOrder.js';
import { SAMPLE_CONDITIONS } from '../../../src/sample/SampleCondition.js';
import { SampleTraverse } from '../../../src/sample/SampleTraverse.js';
import { SAMPLE_ODOMETRY_TOPIC, SAMPLE_TRUTH_TOPIC, writeSampleBag } from '../../../src/sample/writeSampleBag.js';
import { writeSampleFolder } from '../../../src/sample/writeSampleFolder.js';

/** Readers normalise quaternions, which may change the last bit. */
function expectPose(pose: Pose | undefined, expected: Pose): void {
  pose!.position.forEach((value, axis) => expect(value).to.be.closeTo(expected.position[axis]!, 1e-9));
  pose!.orientation.forEach((value, axis) => expect(value).to.be.closeTo(expected.orientation[axis]!, 1e-9));
}

describe('sample bags and folders', () => {
  let folder: string;
  const traverse = new SampleTraverse(buildTown({ seed: 4, routeM: 200, aliasedM: 0 }), {
    seed: 9,
    condition: SAMPLE_CONDITIONS.overcast,
    frames: 6,
    camera: { width: 96, height: 64, halfWidthTangent: 0.7 },
    startNs: 1_700_000_000_500_000_000n,
  });

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vpr-sample-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function read(source: AsyncIterable<StampedImage>): Promise<StampedImage[]> {
    const images: StampedImage[] = [];
    for await (const image of source) images.push(image);
    return images;
  }

  it('writes raw images of two cameras, true poses and odometry that the reader gives back exactly', async () => {
    await writeSampleBag(traverse, path.join(folder, 'bag'), { cameras: ['front', 'rear'], transport: 'raw' });
    const source = await openImageSource(path.join(folder, 'bag'), { poseTopic: SAMPLE_TRUTH_TOPIC });
    const images = await read(source);
    const odometry = await source.readPoses(SAMPLE_ODOMETRY_TOPIC);
    await source.close();
    expect(images.map(({ camera }) => camera).sort()).to.deep.equal(
      [...'ffffffrrrrrr'].map((c) => (c === 'f' ? 'front' : 'rear')),
    );
    expect(odometry.poses).to.have.length(6);
    for (const camera of ['front', 'rear'] as const) {
      const ofCamera = images.filter((image) => image.camera === camera);
      for (const [i, image] of ofCamera.entries()) {
        const frame = traverse.frames[i]!;
        expect(image.stampNs).to.equal(frame.stampNs);
        expectPose(image.pose, frame.truth);
        expectPose(odometry.at(image.stampNs), frame.odometry);
        const pixels = await decodeImage(image.image);
        expect(Buffer.compare(pixels.data, frame.render(camera).data)).to.equal(0);
      }
    }
  });

  it('writes the same bytes twice', async () => {
    const files = [];
    for (const name of ['one', 'two']) {
      const file = await writeSampleBag(traverse, path.join(folder, name));
      files.push(readFileSync(file));
    }
    expect(Buffer.compare(files[0]!, files[1]!)).to.equal(0);
  });

  it('writes image folders whose poses and stamps the reader finds', async () => {
    await writeSampleFolder(traverse, path.join(folder, 'images'), 'rear');
    const source = await openImageSource(path.join(folder, 'images'));
    const images = await read(source);
    await source.close();
    expect(images).to.have.length(6);
    for (const [i, { pose, stampNs }] of images.entries()) {
      const { truth, stampNs: expected } = traverse.frames[i]!;
      expect(stampNs).to.equal(expected);
      expectPose(pose, truth);
    }
  });

  it('takes results in order and reports a failure', async () => {
    const taken: number[] = [];
    const make = async (item: number): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, (7 * item) % 5));
      return item * 2;
    };
    await inOrder([1, 2, 3, 4, 5, 6, 7, 8, 9], make, async (result) => void taken.push(result), 3);
    expect(taken).to.deep.equal([2, 4, 6, 8, 10, 12, 14, 16, 18]);
    const failing = async (item: number): Promise<number> => {
      if (item === 3) throw new Error('three');
      return item;
    };
    let message = '';
    await inOrder([1, 2, 3, 4], failing, async () => undefined).catch((error: Error) => (message = error.message));
    expect(message).to.equal('three');
  });
});
