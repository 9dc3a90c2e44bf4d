import { expect } from 'chai';
import type { Recognition } from '../../../src/core/recognition.js';
import { defaultModelPath } from '../../../src/worker/defaultModel.js';
import { openRecognizer } from '../../../src/worker/openRecognizer.js';
import { sampleDrives, stampedImage, type DriveMessage } from '../../ros/sampleDrives.js';

const SPACING_M = 2;

describe('a map that two cameras made', function () {
  this.timeout(120_000);
  let front: DriveMessage[];
  let rear: DriveMessage[];
  let mapPath: string;

  before(async () => {
    const drives = await sampleDrives();
    mapPath = drives.mapPath;
    front = drives.messages.compressed.filter(({ camera }) => camera === 'front');
    rear = drives.messages.compressed.filter(({ camera }) => camera === 'rear');
  });

  /** Drives along the images of one camera, by honest wheels: always forward. */
  async function drive(images: readonly DriveMessage[], camera: string): Promise<Recognition[]> {
    const recognizer = await openRecognizer({
      modelPath: defaultModelPath(),
      mode: 'localization',
      mapPath,
      executionProviders: ['cpu'],
      parameters: { cameras: [camera], odometry_topic: '/odom' },
    });
    const answers: Recognition[] = [];
    for (const [i, message] of images.entries())
      answers.push(
        await recognizer.recognize({
          ...stampedImage(message),
          camera,
          stampNs: BigInt(5000 + i) * 1_000_000_000n,
          odometry: { position: [SPACING_M * i, 0, 0], orientation: [0, 0, 0, 1] },
        }),
      );
    await recognizer.close();
    return answers.filter(({ accepted }) => accepted);
  }

  it('knows where the robot is, and in which direction it looks, on the way of then', async () => {
    const accepted = await drive(front, 'front');
    expect(accepted).to.have.length.above(15);
    for (const { pose } of accepted) expect(pose!.covariance[35]).to.be.below(0.1);
  });

  it('knows on the way back where the robot is, but not in which direction it looks', async () => {
    // What the front camera sees on the way back is what the rear camera saw.
    const accepted = await drive([...rear].reverse(), 'front');
    expect(accepted).to.have.length.above(15);
    for (const { pose } of accepted) {
      expect(pose!.headingUnknown).to.equal(true);
      expect(pose!.covariance[35]).to.be.closeTo(Math.PI ** 2 / 3, 1e-9);
    }
  });

  it('knows that the rear camera is not the front camera where the map has images of one alone', async () => {
    const recognizer = await openRecognizer({
      modelPath: defaultModelPath(),
      mode: 'slam',
      executionProviders: ['cpu'],
      parameters: {
        cameras: ['front', 'rear'],
        exclude_recent_s: 0,
        acceptance_probability: 0.02,
        confirm_images: 1,
        temporal_filter: 'none',
      },
    });
    const pose = (i: number) => ({ position: [SPACING_M * i, 0, 0] as const, orientation: [0, 0, 0, 1] as const });
    for (const [i, message] of front.entries())
      await recognizer.recognize({ ...stampedImage(message), camera: 'front', pose: pose(i) });
    const { pose: found } = await recognizer.query({ ...stampedImage(front[5]!), camera: 'rear' }, 5);
    expect(found!.headingUnknown).to.equal(true);
    await recognizer.close();
  });

  it('takes a camera that the map does not know for the one of then by another name', async () => {
    const accepted = await drive(front, 'my_camera');
    expect(accepted).to.have.length.above(15);
    for (const { pose } of accepted) expect(pose!.headingUnknown).to.equal(undefined);
  });
});
