import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { RgbImage } from '../core/image.js';
import type { SampleCameraName, SampleTraverse } from './SampleTraverse.js';

/** Header of the pose table beside the images: mapFromBase, metres and a unit quaternion. */
export const SAMPLE_POSES_HEADER = 'file,stamp_ns,x,y,z,qx,qy,qz,qw';
const JPEG_QUALITY = 90;

/** JPEG bytes of a picture, 4:2:0. */
export async function encodeJpeg(image: RgbImage, quality = JPEG_QUALITY): Promise<Uint8Array> {
  const raw = { width: image.width, height: image.height, channels: 3 } as const;
  return sharp(image.data, { raw }).jpeg({ quality }).toBuffer();
}

/**
 * Writes `NNNNNN.jpg` for each frame and `poses.csv` into the folder, which is made where it is missing.
 * progress: called after each image with the number written.
 */
export async function writeSampleFolder(
  traverse: SampleTraverse,
  folder: string,
  camera: SampleCameraName = 'front',
  progress: (done: number) => void = () => undefined,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const rows = [SAMPLE_POSES_HEADER];
  for (const frame of traverse.frames) {
    const name = `${String(frame.index).padStart(6, '0')}.jpg`;
    await writeFile(path.join(folder, name), await encodeJpeg(frame.render(camera)));
    rows.push([name, frame.stampNs, ...frame.truth.position, ...frame.truth.orientation].join(','));
    progress(frame.index + 1);
  }
  await writeFile(path.join(folder, 'poses.csv'), `${rows.join('\n')}\n`);
}
