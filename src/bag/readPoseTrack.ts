import { VprError } from '../core/VprError.js';
import type { BagFile, BagTopic } from './BagFile.js';
import { MAX_SMALL_MESSAGE_BYTES } from './bagLimits.js';
import { MessageOpener } from './MessageOpener.js';
import { posesFromFixes } from './posesFromFixes.js';
import { PoseTrack } from './PoseTrack.js';
import type { ProblemCount } from './ProblemCount.js';
import {
  FIX_TYPE,
  isPoseMessageType,
  readFix,
  readPoseMessage,
  readTransforms,
  TRANSFORM_TYPE,
  type StampedFix,
  type StampedPose,
} from './readPose.js';
import { TransformTree, type PoseFrames } from './TransformTree.js';

/** Reads all poses of one topic; for transforms, of all transform topics (/tf and /tf_static make one tree). */
export async function readPoseTrack(
  files: readonly BagFile[],
  name: string,
  frames: PoseFrames,
  problems: ProblemCount,
): Promise<PoseTrack> {
  const isTransform = ({ type }: BagTopic): boolean => type === TRANSFORM_TYPE;
  const all = files.flatMap(({ topics }) => topics);
  const wantsTree = all.some((topic) => topic.name === name && isTransform(topic));
  const stamped: StampedPose[] = [];
  const fixes: StampedFix[] = [];
  const tree = new TransformTree();
  const opener = await MessageOpener.create();
  for (const file of files) {
    const topics = file.topics.filter((topic) =>
      wantsTree ? isTransform(topic) : topic.name === name && isPoseMessageType(topic.type),
    );
    for await (const message of file.messages(topics, problems.add)) {
      const { topic, logTimeNs } = message;
      // Senders that never set the stamp leave 0; the recorder's clock is then the best there is.
      const dated = <T extends { readonly stampNs: bigint }>(one: T): T =>
        one.stampNs === 0n ? { ...one, stampNs: logTimeNs } : one;
      try {
        const cursor = opener.open(message, MAX_SMALL_MESSAGE_BYTES);
        if (topic.type === TRANSFORM_TYPE) {
          const isStatic = topic.name.endsWith('tf_static');
          for (const transform of readTransforms(cursor)) tree.add(dated(transform), isStatic);
        } else if (topic.type === FIX_TYPE) fixes.push(dated(readFix(cursor)));
        else stamped.push(dated(readPoseMessage(topic.type, cursor)));
      } catch (error) {
        if (!(error instanceof VprError)) throw error;
        problems.add(error);
      }
    }
  }
  if (wantsTree) return tree.track(frames, name);
  return new PoseTrack(fixes.length > 0 ? posesFromFixes(fixes) : stamped);
}
