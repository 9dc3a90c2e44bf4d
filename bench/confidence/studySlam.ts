import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { distanceBetween, type Pose } from '../../src/core/pose.js';
import { openRecognizer } from '../../src/worker/openRecognizer.js';
import { LOOP_SEEDS, loopDrive, openDrive } from './drives.js';
import { rounded, type Study } from './openStudy.js';

const row = ({ position, orientation }: Pose): number[] => [...position, ...orientation];

/**
 * Drives of one and a third laps, in slam mode with poses from the drifting odometry, as the node runs. Writes what a back
 * end hears of each (odometry, loop closures) and the truth beside it to FOLDER/slam/<seed>.json for pose_graph.py.
 */
export async function studySlam({ library, modelPath, cache }: Study) {
  const folder = path.join(cache, 'slam');
  mkdirSync(folder, { recursive: true });
  const results: Record<string, object> = {};
  for (const seed of LOOP_SEEDS) {
    const drive = openDrive(loopDrive(seed), library.pictures);
    const recognizer = await openRecognizer(
      { modelPath, mode: 'slam', executionProviders: ['cpu'], parameters: {} },
      { model: library.model },
    );
    const frameOf = new Map<number, number>();
    const odometry: number[][] = [];
    const closures: object[] = [];
    let frame = 0;
    let [right, apart] = [0, 0];
    for await (const image of drive) {
      const pose = image.odometry!;
      const { loopClosure, addedReferenceId } = await recognizer.recognize({ ...image, pose });
      if (addedReferenceId !== undefined) frameOf.set(addedReferenceId, frame);
      odometry.push(row(pose));
      if (loopClosure !== undefined) {
        const { referenceId, relativePose, covariance, confidence } = loopClosure;
        const reference = frameOf.get(referenceId)!;
        const metres = distanceBetween(drive.truths[frame]!, drive.truths[reference]!);
        if (metres <= 10) right++;
        apart = Math.max(apart, metres);
        closures.push({
          query: frame,
          reference,
          relativePose: row(relativePose),
          covariance: Array.from(covariance),
          confidence,
        });
      }
      frame++;
    }
    await recognizer.close();
    const truth = drive.truths.map(row);
    writeFileSync(path.join(folder, `${seed}.json`), JSON.stringify({ seed, odometry, truth, closures }));
    results[`town ${seed}`] = {
      frames: frame,
      closures: closures.length,
      within10m: right,
      furthestApartM: rounded(apart, 1),
    };
  }
  return results;
}
