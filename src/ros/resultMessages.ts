import { IDENTITY_POSE } from '../core/pose.js';
import type { LoopClosure, PlaceCandidate, PlaceState, Recognition, RejectReason } from '../core/recognition.js';
import { calibrationName } from '../worker/confidenceFor.js';
import type { MapSummary, RecognizerInfo } from '../worker/protocol.js';
import { poseMessage } from './poseMessage.js';
import type { RosMessage } from './RosApi.js';
import { stampMessage } from './stamp.js';

/** Values of PlaceMatch.STATE_*, by index. */
export const PLACE_STATES: readonly PlaceState[] = ['unknown', 'candidate', 'localized', 'lost'];

/** Values of PlaceMatch.REJECT_*, by index. */
export const REJECT_REASONS: readonly RejectReason[] = [
  'none',
  'empty_map',
  'low_confidence',
  'ambiguous',
  'temporal',
  'odometry',
  'geometry',
  'recent',
  'debounced',
  'muted',
];

function candidateMessage(candidate: PlaceCandidate): RosMessage {
  return {
    reference_id: candidate.referenceId,
    place_id: candidate.placeId,
    hamming: candidate.hamming,
    similarity: candidate.similarity,
    confidence: candidate.confidence,
    has_pose: candidate.pose !== undefined,
    pose: poseMessage(candidate.pose ?? IDENTITY_POSE),
  };
}

/** vpr_node/msg/PlaceMatch. */
export function placeMatchMessage(recognition: Recognition, info: RecognizerInfo, queueMs: number): RosMessage {
  const { latency } = recognition;
  return {
    header: { stamp: stampMessage(recognition.stampNs), frame_id: recognition.frameId },
    camera: recognition.camera,
    state: PLACE_STATES.indexOf(recognition.state),
    place_id: recognition.placeId,
    reference_id: recognition.referenceId,
    label: recognition.label,
    confidence: recognition.confidence,
    margin: recognition.margin,
    accepted: recognition.accepted,
    reject_reason: REJECT_REASONS.indexOf(recognition.rejectReason),
    candidates: recognition.candidates.map(candidateMessage),
    added_reference_id: recognition.addedReferenceId ?? 0,
    map: info.map.path,
    model: info.manifest.name,
    model_sha256: info.modelSha256,
    queue_ms: queueMs,
    decode_ms: latency.decodeMs,
    inference_ms: latency.inferenceMs,
    search_ms: latency.searchMs,
    decision_ms: latency.decisionMs,
    total_ms: latency.totalMs,
  };
}

/** vpr_node/msg/LoopClosure. */
export function loopClosureMessage(closure: LoopClosure, mapFrame: string): RosMessage {
  return {
    header: { stamp: stampMessage(closure.queryStampNs), frame_id: closure.frameId },
    camera: closure.camera,
    reference_id: closure.referenceId,
    reference_stamp: stampMessage(closure.referenceStampNs),
    reference_session: closure.referenceSession,
    reference_camera: closure.referenceCamera,
    reference_frame_id: mapFrame,
    place_id: closure.placeId,
    has_reference_pose: closure.referencePose !== undefined,
    reference_pose: poseMessage(closure.referencePose ?? IDENTITY_POSE),
    relative_pose: { pose: poseMessage(closure.relativePose), covariance: Array.from(closure.covariance) },
    confidence: closure.confidence,
    verified: closure.verified,
  };
}

/** geometry_msgs/msg/PoseWithCovarianceStamped of the base in the map frame; undefined unless localized by this image. */
export function localizedPoseMessage(recognition: Recognition, mapFrame: string): RosMessage | undefined {
  if (!recognition.accepted || recognition.state !== 'localized' || recognition.pose === undefined) return undefined;
  return {
    header: { stamp: stampMessage(recognition.stampNs), frame_id: mapFrame },
    pose: {
      pose: poseMessage(recognition.pose.mapFromBase),
      covariance: Array.from(recognition.pose.covariance),
    },
  };
}

/** vpr_node/msg/MapInfo. nowNs: by the node's clock. */
export function mapInfoMessage(map: MapSummary, nowNs: bigint): RosMessage {
  return {
    header: { stamp: stampMessage(nowNs), frame_id: map.mapFrame },
    path: map.path,
    format_version: map.formatVersion,
    references: map.references,
    places: map.places,
    sessions: map.sessions,
    map_frame: map.mapFrame,
    model_name: map.modelName,
    model_sha256: map.modelSha256,
    descriptor_dimension: map.descriptorDimension,
    storage: map.storage,
    bytes_on_disk: BigInt(map.bytesOnDisk),
    calibration: calibrationName(map.calibration),
  };
}
