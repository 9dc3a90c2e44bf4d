import type { PlaceState } from '../core/recognition.js';
import { calibrationName } from '../worker/confidenceFor.js';
import type { RecognizerInfo } from '../worker/protocol.js';
import type { CameraInput } from './CameraInput.js';
import type { EventLoopDelay } from './EventLoopMonitor.js';
import type { LatencySummary } from './LatencyWindow.js';
import type { PoseTrack } from './PoseTrack.js';
import type { RosMessage } from './RosApi.js';

/** diagnostic_msgs/msg/DiagnosticStatus levels. */
export const LEVEL = { ok: 0, warn: 1, error: 2, stale: 3 } as const;
export type Level = (typeof LEVEL)[keyof typeof LEVEL];

/** Share of images lost on the way from which a camera is worth a warning. */
const LOSS_WARNING = 0.1;

export function status(
  name: string,
  hardwareId: string,
  level: Level,
  message: string,
  values: Readonly<Record<string, string | number | bigint | undefined>>,
): RosMessage {
  return {
    level,
    name,
    message,
    hardware_id: hardwareId,
    values: Object.entries(values).flatMap(([key, value]) =>
      value === undefined ? [] : [{ key, value: typeof value === 'number' ? shortNumber(value) : String(value) }],
    ),
  };
}

/** Seconds. */
function stampText(stampNs: bigint | undefined): string | undefined {
  return stampNs === undefined ? undefined : (Number(stampNs) / 1e9).toFixed(6);
}

function shortNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}

export function cameraStatus(prefix: string, camera: CameraInput, nowMs: number): RosMessage {
  const { statistics } = camera;
  const silence = camera.silence();
  const receivedHz = statistics.takeRateHz(nowMs);
  const lost = Math.max(statistics.lost, statistics.missed);
  const loss = lost / Math.max(1, lost + statistics.received);
  const [level, message]: [Level, string] =
    silence !== undefined
      ? [LEVEL.error, silence]
      : statistics.received === 0
        ? [LEVEL.stale, 'waiting for the first image']
        : loss > LOSS_WARNING
          ? [LEVEL.warn, `${(100 * loss).toFixed(0)} % of the images are lost on the way: see the README, big images`]
          : [LEVEL.ok, 'images arrive'];
  return status(`${prefix}: camera ${camera.name}`, camera.name, level, message, {
    source: camera.sourceText,
    received: statistics.received,
    processed: statistics.processed,
    dropped: statistics.dropped,
    invalid: statistics.invalid,
    failed: statistics.failed,
    lost,
    received_hz: receivedHz,
    published_hz: statistics.publishedHz,
    last_stamp: stampText(statistics.lastStampNs),
  });
}

export function poseStatus(prefix: string, track: PoseTrack): RosMessage {
  const silence = track.silence();
  const [level, message]: [Level, string] =
    silence !== undefined
      ? [LEVEL.warn, silence]
      : track.received === 0
        ? [LEVEL.stale, 'waiting for the first pose']
        : [LEVEL.ok, 'poses arrive'];
  return status(`${prefix}: ${track.name}`, track.name, level, message, {
    source: track.sourceText,
    received: track.received,
    last_stamp: stampText(track.lastStampNs),
  });
}

export function inferenceStatus(
  prefix: string,
  info: RecognizerInfo,
  latency: LatencySummary,
  loop: { readonly window: EventLoopDelay; readonly total: EventLoopDelay },
  restarts: number,
): RosMessage {
  const { window, total } = loop;
  const [level, message]: [Level, string] =
    restarts > 0 ? [LEVEL.warn, `the worker was restarted ${restarts} times`] : [LEVEL.ok, `runs on ${info.provider}`];
  return status(`${prefix}: inference`, info.manifest.name, level, message, {
    model: info.manifest.name,
    model_sha256: info.modelSha256,
    provider: info.provider,
    provider_notes: info.providerNotes.join('; ') || undefined,
    latency_p50_ms: latency.totalP50Ms,
    latency_p95_ms: latency.totalP95Ms,
    inference_p50_ms: latency.inferenceP50Ms,
    queue_p50_ms: latency.queueP50Ms,
    worker_restarts: restarts,
    event_loop_delay_p50_ms: window.p50Ms,
    event_loop_delay_p99_ms: window.p99Ms,
    event_loop_delay_total_p50_ms: total.p50Ms,
    event_loop_delay_total_p99_ms: total.p99Ms,
    rss_mb: process.memoryUsage.rss() / 1e6,
  });
}

export function mapStatus(prefix: string, { map }: RecognizerInfo): RosMessage {
  const [level, message]: [Level, string] =
    map.references === 0
      ? [LEVEL.warn, 'the map is empty']
      : [LEVEL.ok, `${map.references} references of ${map.places} places`];
  return status(`${prefix}: map`, map.path, level, message, {
    path: map.path,
    references: map.references,
    places: map.places,
    sessions: map.sessions,
    map_frame: map.mapFrame,
    storage: map.storage,
    bytes_on_disk: map.bytesOnDisk,
    built_with: map.modelName,
    calibration: calibrationName(map.calibration) || undefined,
  });
}

export interface NodeCondition {
  readonly lifecycle: string;
  readonly place: PlaceState;
  readonly mode: string;
  readonly error: string;
  /** A slow step of configure, and since how many seconds it runs. */
  readonly step?: { readonly text: string; readonly seconds: number } | undefined;
  /** Longest delay of the main thread's event loop since the last report. */
  readonly loopMaxMs: number;
}

export function stateStatus(prefix: string, condition: NodeCondition): RosMessage {
  const { lifecycle, place, mode, error, step, loopMaxMs } = condition;
  const [level, message]: [Level, string] =
    error !== ''
      ? [LEVEL.error, error]
      : lifecycle !== 'active'
        ? [LEVEL.stale, step === undefined ? lifecycle : `configuring: ${step.text}`]
        : place === 'lost'
          ? [LEVEL.warn, 'lost']
          : [LEVEL.ok, place];
  return status(`${prefix}: state`, '', level, message, {
    lifecycle,
    state: place,
    mode,
    step: step?.text,
    step_s: step?.seconds.toFixed(0),
    event_loop_delay_max_ms: loopMaxMs,
  });
}
