import type { MapSummary, Recognizer, RecognizerInfo } from '../worker/protocol.js';
import type { ActiveSession } from './ActiveSession.js';
import { cameraStatus, inferenceStatus, mapStatus, poseStatus, stateStatus } from './diagnosticStatuses.js';
import { EventLoopMonitor } from './EventLoopMonitor.js';
import { resultQos } from './qos.js';
import type { RosMessage, RosModule, RosNode, RosPublisher } from './RosApi.js';
import { stampMessage } from './stamp.js';
import type { StatePublisher } from './StatePublisher.js';

/** /diagnostics, from construction on: a node that cannot be configured says why there, too. */
export class DiagnosticsPublisher {
  readonly #node: RosNode;
  readonly #publisher: RosPublisher;
  readonly #state: StatePublisher;
  readonly #eventLoop = new EventLoopMonitor();
  #timer: NodeJS.Timeout | undefined;
  #recognizer: Recognizer | undefined;
  #map: MapSummary | undefined;
  #session: ActiveSession | undefined;
  #restarts = 0;
  #step: { readonly text: string; readonly sinceMs: number } | undefined;

  /** periodS: until `setPeriod` gives another, seconds. */
  constructor(ros: RosModule, node: RosNode, state: StatePublisher, periodS: number) {
    this.#node = node;
    this.#state = state;
    this.#publisher = node.createPublisher('diagnostic_msgs/msg/DiagnosticArray', '/diagnostics', {
      qos: resultQos(ros),
    });
    this.setPeriod(periodS);
  }

  setPeriod(seconds: number): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.publish(), seconds * 1000);
  }

  setRecognizer(recognizer: Recognizer | undefined): void {
    this.#recognizer = recognizer;
    this.#map = recognizer?.info.map;
    this.#restarts = 0;
  }

  setSession(session: ActiveSession | undefined): void {
    this.#session = session;
    if (session !== undefined) this.#eventLoop.restart();
  }

  setMap(map: MapSummary): void {
    this.#map = map;
  }

  setRestarts(restarts: number): void {
    this.#restarts = restarts;
  }

  /** What configure does now, told at once and with its seconds from then on; undefined: it is done. */
  setStep(text: string | undefined): void {
    this.#step = text === undefined ? undefined : { text, sinceMs: performance.now() };
    // Opening may go on for a moment after a shutdown has closed this.
    if (text !== undefined && this.#timer !== undefined) this.publish();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#eventLoop.close();
  }

  publish(): void {
    this.#publisher.publish({
      header: { stamp: stampMessage(this.#node.now().nanoseconds), frame_id: '' },
      status: this.#statuses(),
    });
  }

  #statuses(): RosMessage[] {
    const prefix = this.#node.getFullyQualifiedName().slice(1);
    const { lifecycle, place, mode, error } = this.#state.state;
    const loop = this.#eventLoop.take();
    const nowMs = performance.now();
    const step = this.#step && { text: this.#step.text, seconds: (nowMs - this.#step.sinceMs) / 1000 };
    const statuses = [stateStatus(prefix, { lifecycle, place, mode, error, step, loopMaxMs: loop.window.maxMs })];
    for (const camera of this.#session?.cameras ?? []) statuses.push(cameraStatus(prefix, camera, nowMs));
    for (const track of this.#session?.tracks ?? []) statuses.push(poseStatus(prefix, track));
    if (this.#recognizer === undefined || this.#map === undefined) return statuses;
    const info: RecognizerInfo = { ...this.#recognizer.info, map: this.#map };
    const session = this.#session;
    if (session !== undefined)
      statuses.push(inferenceStatus(prefix, info, session.latency.summary(), loop, this.#restarts));
    statuses.push(mapStatus(prefix, info));
    return statuses;
  }
}
