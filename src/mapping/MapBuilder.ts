import type { BinaryCode } from '../core/binaryCode.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Pose } from '../core/pose.js';
import type { NewReference, PlaceId, ReferenceId } from '../core/reference.js';
import { MAX_THUMBNAIL_BYTES } from '../map/mapSchema.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import { KeyframeSelector, type KeyframeCandidate, type KeyframeOptions } from './KeyframeSelector.js';
import { PlaceGrouper, type GroupingOptions } from './PlaceGrouper.js';

export interface MapBuilderOptions {
  readonly keyframe: KeyframeOptions;
  readonly place: GroupingOptions;
  /** References that are committed together; 1: each at once (a node), 32: offline. Default 1. */
  readonly batch?: number;
}

/** An image that has been described: everything that a reference keeps. */
export interface DescribedImage {
  readonly camera: string;
  readonly stampNs: bigint;
  /** Label of the reference: file name, or topic and stamp. */
  readonly name: string;
  readonly pose?: Pose;
  /** [D] f32, L2-normalised. */
  readonly descriptor: Descriptor;
  /** [64] */
  readonly code: BinaryCode;
  /** Small JPEG, or none; of more than MAX_THUMBNAIL_BYTES it is left out. */
  readonly thumbnail?: Uint8Array;
}

/** A reference that the builder has stored. */
export interface BuiltReference {
  readonly referenceId: ReferenceId;
  readonly placeId: PlaceId;
  readonly image: DescribedImage;
}

/**
 * Grows a map by a session: chooses key frames, gives them places, appends them in batches.
 * Ask `isKeyframe` before describing an image (it is cheap), then `add`, and `flush` at the end.
 */
export class MapBuilder {
  readonly #map: PlaceMap;
  readonly #selector: KeyframeSelector;
  readonly #grouper: PlaceGrouper;
  readonly #batch: number;
  #pending: { image: DescribedImage; reference: NewReference }[] = [];

  /** map: open for appending. Begins a session. Places of the map that have poses take in new references near them. */
  constructor(map: PlaceMap, session: { readonly name: string; readonly source: string }, options: MapBuilderOptions) {
    this.#map = map;
    this.#selector = new KeyframeSelector(options.keyframe);
    this.#grouper = new PlaceGrouper(options.place, () => map.newPlaceId());
    this.#batch = options.batch ?? 1;
    for (const { placeId, pose } of map.places()) if (pose !== undefined) this.#grouper.addPlace(placeId, pose);
    map.beginSession(session.name, session.source);
  }

  /** True when the image should be described and added. */
  isKeyframe(image: KeyframeCandidate): boolean {
    return this.#selector.isKeyframe(image);
  }

  /**
   * Takes an image in as a reference. Returns what was committed by this call: nothing while a batch fills up.
   * placeId: a place that the caller names; absent or 0: as the grouping says.
   */
  add(image: DescribedImage, placeId: PlaceId = 0): BuiltReference[] {
    const place = placeId === 0 ? this.#grouper.placeFor(image) : placeId;
    const { name, thumbnail, ...fields } = image;
    // A picture that is too large for the format (very tall, or noise) is not worth the reference.
    const kept = thumbnail !== undefined && thumbnail.length <= MAX_THUMBNAIL_BYTES ? { thumbnail } : {};
    this.#pending.push({ image, reference: { ...fields, ...kept, label: name, placeId: place } });
    const built = this.#pending.length >= this.#batch ? this.flush() : [];
    this.#selector.accept(image);
    return built;
  }

  /** Commits what is pending. On an error nothing of it is in the map, and it is pending no more: it would spoil what comes after it. */
  flush(): BuiltReference[] {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length === 0) return [];
    const ids = this.#map.appendReferences(pending.map(({ reference }) => reference));
    return pending.map(({ image, reference }, i) => ({ referenceId: ids[i]!, placeId: reference.placeId, image }));
  }

  /** Other rules for the images from now on; what is a reference stays one. */
  setRules({ keyframe, place }: Pick<MapBuilderOptions, 'keyframe' | 'place'>): void {
    this.#selector.setOptions(keyframe);
    this.#grouper.setOptions(place);
  }
}
