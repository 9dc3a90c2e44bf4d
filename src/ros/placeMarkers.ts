import type { Pose } from '../core/pose.js';
import type { Recognition } from '../core/recognition.js';
import type { PlaceSummary } from '../worker/protocol.js';
import { poseMessage } from './poseMessage.js';
import type { RosMessage } from './RosApi.js';
import { stampMessage } from './stamp.js';

/** visualization_msgs/msg/Marker. */
const SPHERE = 2;
const SPHERE_LIST = 7;
const ADD = 0;
const DELETE_ALL = 3;

interface Colour {
  readonly r: number;
  readonly g: number;
  readonly b: number;
  readonly a: number;
}

const GREY: Colour = { r: 0.6, g: 0.6, b: 0.6, a: 0.6 };

/** Red (0) over yellow to green (1). */
function confidenceColour(confidence: number): Colour {
  return { r: Math.min(1, 2 - 2 * confidence), g: Math.min(1, 2 * confidence), b: 0, a: 0.9 };
}

function marker(namespace: string, id: number, stampNs: bigint, mapFrame: string, fields: RosMessage): RosMessage {
  return {
    header: { stamp: stampMessage(stampNs), frame_id: mapFrame },
    ns: namespace,
    id,
    action: ADD,
    ...fields,
  };
}

function sphere(pose: Pose, diameterM: number, color: Colour): RosMessage {
  return {
    type: SPHERE,
    pose: poseMessage(pose),
    scale: { x: diameterM, y: diameterM, z: diameterM },
    color,
    // The next image may have fewer candidates: what is not renewed goes.
    lifetime: { sec: 3, nanosec: 0 },
  };
}

/**
 * visualization_msgs/msg/MarkerArray: all places that have poses (grey, only where `places` is given: they change
 * rarely), the candidates by confidence, and the accepted place.
 */
export function placeMarkers(
  places: readonly PlaceSummary[] | undefined,
  recognition: Recognition,
  mapFrame: string,
): RosMessage {
  const { stampNs } = recognition;
  const markers: RosMessage[] = [];
  if (places !== undefined) {
    const points = places.flatMap(({ pose }) => (pose === undefined ? [] : [poseMessage(pose).position]));
    markers.push({ header: { stamp: stampMessage(stampNs), frame_id: mapFrame }, ns: '', id: 0, action: DELETE_ALL });
    if (points.length > 0)
      markers.push(
        marker('places', 0, stampNs, mapFrame, {
          type: SPHERE_LIST,
          scale: { x: 0.2, y: 0.2, z: 0.2 },
          color: GREY,
          points,
        }),
      );
  }
  recognition.candidates.forEach(({ pose, confidence }, i) => {
    if (pose !== undefined)
      markers.push(
        marker('candidates', i, stampNs, mapFrame, sphere(pose, 0.3 + 0.4 * confidence, confidenceColour(confidence))),
      );
  });
  if (recognition.pose !== undefined)
    markers.push(
      marker('match', 0, stampNs, mapFrame, sphere(recognition.pose.mapFromBase, 0.8, { r: 0, g: 0.5, b: 1, a: 0.8 })),
    );
  return { markers };
}
