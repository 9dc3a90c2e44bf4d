import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CODE_BYTES } from '../../src/core/binaryCode.js';
import { SampleDrive, type SampleDriveOptions } from '../../src/cli/tuning/SampleDrive.js';
import type { TuningQuery, TuningWorld } from '../../src/cli/tuning/TuningWorld.js';
import {
  describeDrive,
  keyPointsIn,
  setTuningWorld,
  type DescribedDrive,
  type PictureRole,
} from '../../src/cli/tuning/tuningWorlds.js';
import { decodeImage } from '../../src/image/decodeImage.js';
import type { OpenModel } from '../../src/inference/openModel.js';

const NOTHING = { width: 0, height: 0, data: new Uint8Array() };

/**
 * Described drives and data sets, kept on disk for each model: every study is then a matter of descriptors. Pictures lie
 * in FOLDER/pictures, descriptors in FOLDER/<model>.
 */
export class DriveLibrary {
  readonly model: OpenModel;
  /** Folder of the pictures. */
  readonly pictures: string;
  readonly #described: string;

  constructor(model: OpenModel, folder: string) {
    this.model = model;
    this.pictures = path.join(folder, 'pictures');
    this.#described = path.join(folder, model.sha256.slice(0, 12));
    mkdirSync(this.#described, { recursive: true });
  }

  get dimension(): number {
    return this.model.manifest.descriptorDimension;
  }

  async drive(options: SampleDriveOptions): Promise<DescribedDrive> {
    const drive = new SampleDrive(options, this.pictures);
    const kept = this.#read(drive.key);
    if (kept === undefined) {
      const described = await describeDrive(this.model.extractor, drive, 'query');
      this.#write(drive.key, described.pictures);
      return described;
    }
    const pictures = drive.headers.map((image, index): TuningQuery => ({ image, described: this.#row(kept, index) }));
    return { name: drive.key, pictures, truths: drive.truths };
  }

  /** With the key points that the pictures have in this role; those are not kept on disk. */
  async driveWithKeyPoints(options: SampleDriveOptions, role: PictureRole): Promise<DescribedDrive> {
    const described = await this.drive(options);
    const pictures: TuningQuery[] = [];
    for await (const { image, name } of new SampleDrive(options, this.pictures)) {
      const keyPoints = await keyPointsIn(role, await decodeImage(image, name), name);
      pictures.push({ ...described.pictures[pictures.length]!, keyPoints });
    }
    return { ...described, pictures };
  }

  /** A folder with reference/, query/ and ground_truth.json. */
  async set(folder: string): Promise<TuningWorld> {
    return setTuningWorld(this.model.extractor, folder);
  }

  #row(kept: Float32Array, index: number): TuningQuery['described'] {
    const columns = this.dimension + CODE_BYTES / 4;
    const row = kept.subarray(index * columns, (index + 1) * columns);
    const code = new Uint8Array(row.buffer, row.byteOffset + this.dimension * 4, CODE_BYTES);
    return { descriptor: row.subarray(0, this.dimension), code, pixels: NOTHING, decodeMs: 0, inferenceMs: 0 };
  }

  #read(key: string): Float32Array | undefined {
    const file = path.join(this.#described, key);
    if (!existsSync(file)) return undefined;
    const bytes = readFileSync(file);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }

  #write(key: string, pictures: readonly TuningQuery[]): void {
    const file = path.join(this.#described, key);
    const rows = pictures.map(({ described: { descriptor, code } }) =>
      Buffer.concat([
        new Uint8Array(descriptor.buffer, descriptor.byteOffset, descriptor.byteLength),
        new Uint8Array(code.buffer, code.byteOffset, code.byteLength),
      ]),
    );
    writeFileSync(`${file}.${process.pid}`, Buffer.concat(rows));
    renameSync(`${file}.${process.pid}`, file);
  }
}
