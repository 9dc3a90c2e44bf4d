import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeJpeg } from './encodeJpeg.js';
import { inOrder } from './inOrder.js';
import type { SampleCameraName, SampleTraverse } from './SampleTraverse.js';

/** Header of the pose table beside the images: mapFromBase, metres and a unit quaternion. */
export const SAMPLE_POSES_HEADER = 'name,stamp_ns,x,y,z,qx,qy,qz,qw';
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
  await inOrder(
    traverse.frames,
    (frame) => encodeJpeg(frame.render(camera)),
    async (jpeg, frame) => {
      const name = `${String(frame.index).padStart(6, '0')}.jpg`;
      await writeFile(path.join(folder, name), jpeg);
      rows.push([name, frame.stampNs, ...frame.truth.position, ...frame.truth.orientation].join(','));
      progress(frame.index + 1);
    },
  );
  await writeFile(path.join(folder, 'poses.csv'), `${rows.join('\n')}\n`);
}
