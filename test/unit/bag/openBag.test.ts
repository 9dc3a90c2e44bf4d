import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { SourceSummary } from '../../../src/bag/ImageSource.js';
import { openImageSource } from '../../../src/bag/openImageSource.js';
import { bagOf, GOOD, IMAGE, imageMessage, inFolder, read, useFolder, WHOLE } from './bagFixtures.js';

const COMPRESSED = 'sensor_msgs/msg/CompressedImage';

describe('bags of several files', () => {
  useFolder();

  /** Files drive_0.mcap ... of two images each, at seconds 1, 2, 3 ...; in a folder of their own. */
  async function splitBag(parts: number): Promise<string> {
    const folder = inFolder('split');
    mkdirSync(folder);
    const entries = Array.from(
      { length: parts * 2 },
      (_, i) => ['/a', IMAGE, imageMessage({ stampS: i + 1 })] as const,
    );
    for (let part = 0; part < parts; part++) {
      const bag = await bagOf(entries.slice(part * 2, part * 2 + 2), {}, part * 2);
      copyFileSync(bag, path.join(folder, `drive_${part}.mcap`));
      rmSync(bag);
    }
    return folder;
  }

  async function stampsOf(bag: string): Promise<{ stamps: number[]; sentences: string[]; codes: string[] }> {
    const source = await openImageSource(bag);
    const stamps: number[] = [];
    for await (const { stampNs } of source) stamps.push(Number(stampNs / 1_000_000_000n));
    await source.close();
    const { first } = source.problems;
    return { stamps, sentences: first.map(({ message }) => message), codes: first.map(({ code }) => code) };
  }

  const seconds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

  it('are read in the order of their recording without metadata, whatever their names', async () => {
    const folder = await splitBag(12);
    copyFileSync(await bagOf([]), path.join(folder, 'a_without_messages.mcap'));
    expect(await stampsOf(folder)).to.deep.equal({ stamps: seconds(24), sentences: [], codes: [] });
  });

  it('are read without a file that cannot be opened, which is told', async () => {
    for (const content of ['', Buffer.alloc(65_536), Buffer.from('\x89MCAP0')]) {
      const folder = await splitBag(3);
      writeFileSync(path.join(folder, 'drive_3.mcap'), content);
      const { stamps, sentences, codes } = await stampsOf(folder);
      expect(stamps).to.deep.equal(seconds(6));
      expect(codes).to.deep.equal(['BAG_INVALID']);
      expect(sentences[0]).to.match(/^Expected .*, got .* \[.*drive_3\.mcap\]; left it out$/);
      rmSync(folder, { recursive: true });
    }
    const folder = inFolder('empty');
    mkdirSync(folder);
    for (const name of ['a.mcap', 'b.mcap']) writeFileSync(path.join(folder, name), '');
    expect(await read(folder)).to.deep.include({ code: 'BAG_INVALID', images: 0 });
  });

  it('are read where the metadata is damaged or lists a file that is not there, which is told', async () => {
    const folder = await splitBag(3);
    const metadata = path.join(folder, 'metadata.yaml');
    for (const [text, stamps, sentence] of [
      [
        '',
        seconds(6),
        /^Expected relative_file_paths in the bag's metadata, got .*; took the bag files of the folder$/,
      ],
      [
        'rosbag2_bagfile_information:\n  relative_file_paths: [../../etc/passwd]\n',
        seconds(6),
        /outside the folder .*; took the bag files of the folder$/,
      ],
      [
        'rosbag2_bagfile_information:\n  relative_file_paths: [drive_1.mcap, lost.mcap, drive_0.mcap]\n',
        [3, 4, 1, 2],
        /^Expected a bag file, got nothing at that path .*lost\.mcap\]; left it out$/,
      ],
    ] as const) {
      writeFileSync(metadata, text);
      const outcome = await stampsOf(folder);
      expect(outcome.stamps).to.deep.equal(stamps);
      expect(outcome.codes).to.deep.equal(['BAG_INVALID']);
      expect(outcome.sentences[0]).to.match(sentence);
    }
  });

  it('of another storage are left out alike', async () => {
    const folder = inFolder('mixed');
    mkdirSync(folder);
    copyFileSync(`${GOOD}/db3/db3.db3`, path.join(folder, 'a.db3'));
    writeFileSync(path.join(folder, 'b.db3'), '');
    writeFileSync(path.join(folder, 'c.bag'), '#ROSBAG V2.0\n');
    const { images, sentences } = await read(folder);
    expect([images, sentences.length]).to.deep.equal([WHOLE, 2]);
  });
});

describe('topics of pictures', () => {
  useFolder();
  const camerasOf = async (
    entries: Parameters<typeof bagOf>[0],
    silent: Parameters<typeof bagOf>[3],
  ): Promise<SourceSummary['cameras']> => {
    const source = await openImageSource(await bagOf(entries, {}, 0, silent));
    await source.close();
    return source.summary.cameras;
  };

  it('are the compressed ones where the raw topic of the camera has no message', async () => {
    expect(
      await camerasOf([['/cam/image/compressed', COMPRESSED, imageMessage({})]], [['/cam/image', IMAGE]]),
    ).to.deep.equal([{ camera: 'cam', topic: '/cam/image/compressed', images: 1 }]);
  });

  it('are the raw ones where both have messages, or none', async () => {
    const raw = { camera: 'cam', topic: '/cam/image', images: 1 };
    expect(
      await camerasOf(
        [
          ['/cam/image', IMAGE, imageMessage({})],
          ['/cam/image/compressed', COMPRESSED, imageMessage({})],
        ],
        [],
      ),
    ).to.deep.equal([raw]);
    expect(
      await camerasOf(
        [],
        [
          ['/cam/image', IMAGE],
          ['/cam/image/compressed', COMPRESSED],
        ],
      ),
    ).to.deep.equal([{ ...raw, images: 0 }]);
  });
});
