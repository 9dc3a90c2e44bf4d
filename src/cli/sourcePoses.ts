import type { ImageSource } from '../bag/ImageSource.js';
import type { MapPoses, PoseKind } from '../map/MapMeta.js';
import type { Arguments } from './Command.js';
import { parametersOf } from './recognizerOptions.js';

/** Whose poses the images of a source carry. */
export function poseKindOf({ summary }: ImageSource): PoseKind {
  return summary.kind === 'folder' ? 'mapFromCamera' : 'mapFromBase';
}

/**
 * Kind and frames of the poses that the images of a source carry: of --pose-topic, or of the folder's pictures; undefined
 * where they carry none. What the user says with --set map_frame goes before what the messages say; '': neither does.
 */
export async function sourcePosesOf(source: ImageSource, args: Arguments): Promise<MapPoses | undefined> {
  const poseKind = poseKindOf(source);
  if (poseKind === 'mapFromBase' && args.string('pose-topic') === undefined) return undefined;
  const { poses, frameId, childFrameId } = await source.readPoses();
  if (poses.length === 0) return undefined;
  const named = parametersOf(args)['map_frame'];
  return { poseKind, mapFrame: typeof named === 'string' ? named : frameId, childFrame: childFrameId };
}
