import { expect } from 'chai';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import { bagOf, IMAGE, imageMessage, POSE, poseMessage, read, useFolder } from './bagFixtures.js';

describe('damaged messages', () => {
  useFolder();
  it('skips strings that say they go beyond the end', async () => {
    const bad = imageMessage({});
    new DataView(bad.buffer, bad.byteOffset).setUint32(12, 60_000, true);
    const { sentences, images } = await read(
      await bagOf([
        ['/a', IMAGE, imageMessage({})],
        ['/a', IMAGE, bad],
      ]),
    );
    expect(images).to.equal(1);
    expect(sentences).to.have.length(1);
    expect(sentences[0]).to.match(/^Expected 60000 bytes for header.frame_id at offset 16, got \d+ \[\/a, 2 s\]$/);
  });

  it('hands on images of no size and of an absurd one, for the decoder to refuse', async () => {
    const bag = await bagOf([
      ['/a', IMAGE, imageMessage({ width: 0, height: 0 })],
      ['/a', IMAGE, imageMessage({ width: 65535, height: 65535, dataBytes: 10 })],
    ]);
    expect((await read(bag)).images).to.equal(2);
  });

  it('keeps the order of the recording when stamps go backwards', async () => {
    const bag = await bagOf([9, 5, 7].map((stampS) => ['/a', IMAGE, imageMessage({ stampS })] as const));
    const source = await openImageSource(bag);
    const stamps: bigint[] = [];
    for await (const { stampNs } of source) stamps.push(stampNs);
    await source.close();
    expect(stamps).to.deep.equal([9_000_000_000n, 5_000_000_000n, 7_000_000_000n]);
  });

  it('reads the image messages of a topic that also carries another type', async () => {
    const bag = await bagOf([
      ['/a', POSE, poseMessage(1, 1, 1)],
      ['/a', IMAGE, imageMessage({ stampS: 2 })],
      ['/a', POSE, poseMessage(2, 1, 3)],
    ]);
    const source = await openImageSource(bag, { poseTopic: '/a' });
    expect(source.summary.topics.map(({ type, messages }) => [type, messages])).to.have.deep.members([
      [POSE, 2],
      [IMAGE, 1],
    ]);
    for await (const { pose } of source) expect(pose!.position[0]).to.equal(1.5);
    await source.close();
  });

  it('leaves out poses that are not finite or have no orientation, and counts them', async () => {
    const bag = await bagOf([
      ['/p', POSE, poseMessage(1, 1, 1)],
      ['/p', POSE, poseMessage(NaN, 1, 2)],
      ['/p', POSE, poseMessage(Infinity, 1, 3)],
      ['/p', POSE, poseMessage(1, 0, 4)],
      ['/i', IMAGE, imageMessage({ stampS: 1 })],
    ]);
    const { sentences, images } = await read(bag, { poseTopic: '/p' });
    expect(images).to.equal(1);
    expect(sentences).to.deep.equal([
      'Expected finite poses with unit quaternions, got 3 that are not, beside 1; left them out [/p]',
    ]);
  });

  it('refuses a pose topic without a single usable pose', async () => {
    const bag = await bagOf([
      ['/p', POSE, poseMessage(NaN, 1, 1)],
      ['/i', IMAGE, imageMessage({})],
    ]);
    expect(await read(bag, { poseTopic: '/p' })).to.have.property('code', 'POSES_INVALID');
  });

  it('names the topics that there are when one is missing', async () => {
    const bag = await bagOf([
      ['/front/image', IMAGE, imageMessage({})],
      ['/p', POSE, poseMessage(1, 1, 1)],
    ]);
    const { code, sentences } = await read(bag, { topics: ['/rear/image'] });
    expect(code).to.equal('TOPIC_MISSING');
    expect(sentences[0]).to.match(/^Expected an image topic \/rear\/image, got \/front\/image \[/);
    expect((await read(bag, { poseTopic: '/odom' })).sentences[0]).to.match(
      /^Expected a topic \/odom of .*, got \/p \[/,
    );
    expect((await read(bag, { cameras: ['rear'] })).sentences[0]).to.match(/^Expected a camera 'rear', got front \[/);
  });
});
