import { changeParameters, parseParameters, type NodeParameters } from '../config/parseParameters.js';
import type { Descriptor } from '../core/descriptor.js';
import type { Recognition } from '../core/recognition.js';
import { NO_PLACE, type PlaceId, type Reference, type ReferenceId } from '../core/reference.js';
import type { StampedImage } from '../core/StampedImage.js';
import { VprError } from '../core/VprError.js';
import { openModel, type OpenModel } from '../inference/openModel.js';
import type { MapPoses, PoseKind } from '../map/MapMeta.js';
import type { ConfidenceModel } from '../recognizer/ConfidenceModel.js';
import { PlaceRecognizer, type Observation } from '../recognizer/PlaceRecognizer.js';
import type { Preset } from '../recognizer/RecognizerSettings.js';
import { confidenceFor } from './confidenceFor.js';
import { describeImage } from './describeImage.js';
import { MapKeyframes } from './MapKeyframes.js';
import { MatchRecorder } from './MatchRecorder.js';
import { openMap, refuseInLocalization, type OpenMap } from './openMap.js';
import type { MapSummary, PlaceSummary, Recognizer, RecognizerInfo, RecognizerStart } from './protocol.js';
import { recognizerSettings } from './recognizerSettings.js';
import { ThumbnailComparer } from './ThumbnailComparer.js';

/** What only callers in the same thread may have. */
export interface LocalRecognizerOptions {
  /** Hears of slow steps. */
  readonly note?: (text: string) => void;
  /** Hears what the map could not take in, or what of it is damaged, while images go on; absent: `recognize` throws it. */
  readonly onMapError?: (error: VprError) => void;
  /** Name and origin of the session that a growing map gets. */
  readonly session?: { readonly name: string; readonly source: string };
  /** Whose poses the images carry, where a new map is begun; mapFromBase by default. */
  readonly poseKind?: PoseKind;
  /** Of the images' poses, where they have some and the map is to grow by them; see OpenMapOptions. */
  readonly poses?: MapPoses;
  /** Instead of the map's or the model's own. */
  readonly confidence?: ConfidenceModel;
  /** Hears every image's descriptor, before its evidence. */
  readonly onDescriptor?: (descriptor: Descriptor) => void;
  /** Hears every image's evidence. */
  readonly onObservation?: (observation: Observation) => void;
  /** An open model to use; the caller closes it. */
  readonly model?: OpenModel;
}

/** Opens model and map and puts the recognizer together, in this thread: the worker's host, or offline tools' own. */
export async function openRecognizer(
  start: RecognizerStart,
  options: LocalRecognizerOptions = {},
): Promise<LocalRecognizer> {
  const parameters = parseStart(start);
  const model =
    options.model ??
    (await openModel(start.modelPath, {
      providers: start.executionProviders,
      deviceId: parameters.deviceId,
      threads: parameters.inferenceThreads,
      ...(options.note === undefined ? {} : { note: options.note }),
    }));
  try {
    const map = await openMap(start.mapPath, model, mapOptions(start, parameters, true, options));
    try {
      return new LocalRecognizer(start, parameters, model, map, options);
    } catch (error) {
      await map.close();
      throw error;
    }
  } catch (error) {
    if (options.model === undefined) await model.extractor.close();
    throw error;
  }
}

function parseStart(start: RecognizerStart): NodeParameters {
  const { mode, mapPath, parameters } = start;
  return parseParameters({ ...parameters, mode, map: mapPath ?? '' });
}

function mapOptions(
  start: RecognizerStart,
  parameters: NodeParameters,
  mayCreate: boolean,
  { poseKind, poses }: LocalRecognizerOptions,
) {
  return {
    mode: start.mode,
    mayCreate,
    cacheMb: parameters.descriptorCacheMb,
    threads: parameters.searchThreads,
    storage: parameters.mapStorage,
    mapFrame: parameters.mapFrame,
    ...(poseKind === undefined ? {} : { poseKind }),
    ...(poses === undefined ? {} : { poses }),
  };
}

/** A Recognizer in the calling thread. */
export class LocalRecognizer implements Recognizer {
  readonly #start: RecognizerStart;
  readonly #options: LocalRecognizerOptions;
  readonly #model: OpenModel;
  #parameters: NodeParameters;
  #values: Readonly<Record<string, unknown>>;
  #open: OpenMap;
  /** Absent in localization mode. */
  #keyframes: MapKeyframes | undefined;
  #recognizer: PlaceRecognizer;
  #matches: MatchRecorder;
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(
    start: RecognizerStart,
    parameters: NodeParameters,
    model: OpenModel,
    map: OpenMap,
    options: LocalRecognizerOptions,
  ) {
    this.#start = start;
    this.#parameters = parameters;
    this.#values = start.parameters;
    this.#model = model;
    this.#open = map;
    this.#options = options;
    this.#recognizer = this.#assemble(map);
    this.#matches = new MatchRecorder(map.map);
  }

  get info(): RecognizerInfo {
    return {
      manifest: this.#model.manifest,
      modelSha256: this.#model.sha256,
      provider: this.#model.extractor.provider,
      providerNotes: this.#model.providerNotes,
      map: this.#open.map.summary(),
      mode: this.#start.mode,
    };
  }

  /** Records of all references, ascending, each checked. */
  references(): Iterable<Reference> {
    return this.#open.map.references();
  }

  /** Descriptors of references, each checked: [N, D] row-major. */
  descriptors(ids: Uint32Array): Float32Array {
    const { map } = this.#open;
    const rows = new Float32Array(ids.length * map.dimension);
    map.readDescriptors(ids, rows);
    return rows;
  }

  /** What turns evidence into probabilities here. */
  get confidence(): ConfidenceModel {
    return this.#confidenceFor(this.#open);
  }

  /** Confidence from which an answer is accepted here, by preset. */
  get thresholds(): Readonly<Record<Preset, number>> {
    const { temporalFilter, geometricCheck } = this.#parameters;
    const { confidence } = this;
    const kind = temporalFilter === 'none' ? 'single' : 'temporal';
    return ((geometricCheck ? confidence.geometry?.[kind] : undefined) ?? confidence[kind]).thresholds;
  }

  /** Bytes held by the search. */
  memoryUse(): { codeBytes: number; cacheBytes: number } {
    return this.#open.search.memoryUse();
  }

  mutedPlaces(): Promise<readonly PlaceId[]> {
    return Promise.resolve(this.#recognizer.mutedPlaces());
  }

  recognize(image: StampedImage): Promise<Recognition> {
    return this.#tracked(this.#recognizeAndCount(image));
  }

  query(image: StampedImage, k: number): Promise<Recognition> {
    return this.#tracked(this.#recognizer.query(image, k));
  }

  async addPlace(
    image: StampedImage,
    label: string,
    placeId: PlaceId,
  ): Promise<{ referenceId: ReferenceId; placeId: PlaceId }> {
    refuseInLocalization(this.#start.mode, 'adding a place');
    const { map } = this.#open;
    if (placeId !== NO_PLACE && map.references(placeId).next().done === true)
      throw new VprError(
        'ARGUMENT_INVALID',
        `Expected a place of the map or 0 for a new one, got ${placeId} [${map.path}]`,
      );
    return this.#tracked(this.#recognizer.addPlace(label === '' ? image : { ...image, name: label }, placeId));
  }

  async loadMap(path: string): Promise<MapSummary> {
    const opened = await openMap(path, this.#model, mapOptions(this.#start, this.#parameters, false, this.#options));
    let recognizer: PlaceRecognizer;
    try {
      recognizer = this.#assemble(opened);
    } catch (error) {
      await opened.close();
      throw error;
    }
    const previous = this.#open;
    const matches = this.#matches;
    this.#open = opened;
    this.#recognizer = recognizer;
    this.#matches = new MatchRecorder(opened.map);
    // An image that was taken before the swap is answered from the old map.
    await Promise.allSettled(this.#inFlight);
    // From here on the new map is open: what the old one could not take in any more is told, and fails nothing.
    await letGo(previous, matches).catch((error: unknown) => this.#onMapError(error));
    return opened.map.summary();
  }

  saveMap(path?: string): Promise<MapSummary> {
    const { map } = this.#open;
    this.#matches.flush();
    if (path === undefined) map.flush();
    else map.saveAs(path);
    return Promise.resolve(map.summary());
  }

  mapSummary(): Promise<MapSummary> {
    return Promise.resolve(this.#open.map.summary());
  }

  places(): Promise<readonly PlaceSummary[]> {
    return Promise.resolve(this.#open.map.places());
  }

  thumbnail(referenceId: ReferenceId): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#open.map.thumbnail(referenceId));
  }

  reportClosure(referenceId: ReferenceId, queryStampNs: bigint, accepted: boolean): Promise<void> {
    this.#recognizer.reportClosure(referenceId, queryStampNs, accepted);
    return Promise.resolve();
  }

  setParameters(values: Readonly<Record<string, unknown>>): Promise<void> {
    const { mode, mapPath } = this.#start;
    this.#parameters = changeParameters({ ...this.#values, mode, map: mapPath ?? '' }, values);
    this.#values = { ...this.#values, ...values };
    this.#recognizer.setSettings(recognizerSettings(this.#parameters));
    this.#keyframes?.setParameters(this.#parameters);
    return Promise.resolve();
  }

  resetFilter(): Promise<void> {
    this.#recognizer.resetFilter();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    try {
      await letGo(this.#open, this.#matches);
    } finally {
      if (this.#options.model === undefined) await this.#model.extractor.close();
    }
  }

  async #recognizeAndCount(image: StampedImage): Promise<Recognition> {
    const matches = this.#matches;
    const recognition = await this.#recognizer.recognize(image);
    try {
      matches.note(recognition);
    } catch (error) {
      this.#onMapError(error);
    }
    return recognition;
  }

  /** Tells of what the map could not take in; throws it where nobody listens, and what is no fault of the map. */
  #onMapError(error: unknown): void {
    const { onMapError } = this.#options;
    if (!(error instanceof VprError) || onMapError === undefined) throw error;
    onMapError(error);
  }

  #tracked<T>(work: Promise<T>): Promise<T> {
    this.#inFlight.add(work);
    const done = (): boolean => this.#inFlight.delete(work);
    work.then(done, done);
    return work;
  }

  #confidenceFor({ map }: OpenMap): ConfidenceModel {
    return this.#options.confidence ?? confidenceFor(map, this.#start.modelPath, this.#model.sha256);
  }

  #assemble(opened: OpenMap): PlaceRecognizer {
    const { extractor } = this.#model;
    const { session = { name: this.#start.mode, source: 'vpr_node' }, onMapError } = this.#options;
    const keyframes =
      this.#start.mode === 'localization' ? undefined : new MapKeyframes(opened.map, session, this.#parameters);
    const recognizer = new PlaceRecognizer({
      describe: async (image) => {
        const described = await describeImage(image, extractor, opened.encode);
        this.#options.onDescriptor?.(described.descriptor);
        return described;
      },
      map: opened.map,
      search: opened.search,
      confidence: this.#confidenceFor(opened),
      settings: recognizerSettings(this.#parameters),
      cameras: this.#parameters.cameras.map(({ name }) => name),
      geometry: new ThumbnailComparer(
        opened.map,
        new Map(this.#parameters.cameras.map(({ name, focalLength }) => [name, focalLength])),
      ),
      mode: this.#start.mode,
      ...(keyframes === undefined ? {} : { keyframes }),
      ...(onMapError === undefined ? {} : { onMapError }),
      now: () => performance.now(),
    });
    recognizer.onObservation = this.#options.onObservation;
    this.#keyframes = keyframes;
    return recognizer;
  }
}

/** Closes a map, also where the counts that are still pending cannot be written; then throws why. */
async function letGo(open: OpenMap, matches: MatchRecorder): Promise<void> {
  try {
    matches.flush();
  } finally {
    await open.close();
  }
}
