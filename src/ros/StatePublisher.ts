import { NO_PLACE, type PlaceId } from '../core/reference.js';
import type { PlaceState, Recognition } from '../core/recognition.js';
import { latchedQos } from './qos.js';
import { PLACE_STATES } from './resultMessages.js';
import type { RosModule, RosNode, RosPublisher } from './RosApi.js';
import { stampMessage } from './stamp.js';

interface NodeState {
  lifecycle: string;
  place: PlaceState;
  mode: string;
  placeId: PlaceId;
  label: string;
  confidence: number;
  lastLocalizedNs: bigint;
  error: string;
}

/** ~/state: published when something changes that a subscriber would act on, for late comers too. */
export class StatePublisher {
  readonly #node: RosNode;
  readonly #publisher: RosPublisher;
  #state: NodeState = {
    lifecycle: 'unconfigured',
    place: 'unknown',
    mode: '',
    placeId: NO_PLACE,
    label: '',
    confidence: 0,
    lastLocalizedNs: 0n,
    error: '',
  };

  constructor(ros: RosModule, node: RosNode) {
    this.#node = node;
    this.#publisher = node.createPublisher('vpr_node/msg/NodeState', '~/state', { qos: latchedQos(ros) });
  }

  get state(): Readonly<NodeState> {
    return this.#state;
  }

  setLifecycle(lifecycle: string): void {
    this.#change({ lifecycle });
  }

  setMode(mode: string): void {
    this.#change({ mode });
  }

  setError(error: string): void {
    this.#change({ error });
  }

  /** Back to "never localized" (deactivate, another map, `~/localize`). */
  resetPlace(): void {
    this.#change({ place: 'unknown', placeId: NO_PLACE, label: '', confidence: 0, lastLocalizedNs: 0n });
  }

  see(recognition: Recognition): void {
    this.#state.confidence = recognition.confidence;
    if (recognition.accepted) this.#state.lastLocalizedNs = recognition.stampNs;
    this.#change({
      place: recognition.state,
      ...(recognition.accepted ? { placeId: recognition.placeId, label: recognition.label } : {}),
    });
  }

  #change(change: Partial<NodeState>): void {
    const before = this.#state;
    const after = { ...before, ...change };
    const changed = Object.keys(change).some((key) => before[key as keyof NodeState] !== after[key as keyof NodeState]);
    this.#state = after;
    if (changed) this.#publish();
  }

  #publish(): void {
    const { lifecycle, place, mode, placeId, label, confidence, lastLocalizedNs, error } = this.#state;
    this.#publisher.publish({
      header: { stamp: stampMessage(this.#node.now().nanoseconds), frame_id: '' },
      lifecycle,
      state: PLACE_STATES.indexOf(place),
      mode,
      place_id: placeId,
      label,
      confidence,
      last_localized: stampMessage(lastLocalizedNs),
      error,
    });
  }
}
