/**
 * Renders the pictures of the studies into a folder: node dist/bench/confidence/renderDrives.js FOLDER [fit|judge].
 * What is there already is kept, so that it can be stopped and started again.
 */
import { SampleDrive, type SampleDriveOptions } from '../../src/cli/tuning/SampleDrive.js';
import { fittingDrives, judgingDrives } from './drives.js';

const [folder, which] = process.argv.slice(2);
if (folder === undefined) throw new RangeError('Expected FOLDER [fit|judge]');
const drives: readonly SampleDriveOptions[] = [
  ...(which === 'judge' ? [] : fittingDrives()),
  ...(which === 'fit' ? [] : judgingDrives()),
];
const startMs = performance.now();
let pictures = 0;
for (const [i, options] of drives.entries()) {
  const drive = new SampleDrive(options, folder);
  for await (const { image } of drive) if (image.data.length > 0) pictures++;
  const seconds = (performance.now() - startMs) / 1000;
  console.log(`${i + 1} of ${drives.length}: ${drive.key}; ${pictures} pictures, ${seconds.toFixed(0)} s`);
}
