import type { ImageMessage } from '../core/image.js';
import { NO_PLACE } from '../core/reference.js';
import type { StampedImage } from '../core/StampedImage.js';
import { messageOf, VprError } from '../core/VprError.js';
import type { MapSummary, Recognizer } from '../worker/protocol.js';
import { isFinitePose, normalizeQuaternion } from '../core/pose.js';
import { poseOf, type PoseMessage } from './poseMessage.js';
import { placeMatchMessage } from './resultMessages.js';
import type { RosMessage, RosNode, RosServiceResponse } from './RosApi.js';
import { stampNsOf, type StampMessage } from './stamp.js';

/** What the services need of the node. */
export interface ServiceContext {
  /** Throws a sentence when no model and map are open (unconfigured). */
  recognizer(): Recognizer;
  mapInfo(map: MapSummary): RosMessage;
  /** The map was swapped or has grown. */
  onMap(map: MapSummary, swapped: boolean): void;
  /** The next image of a camera ('' = the first one), taken out of the stream. */
  nextImage(camera: string): Promise<StampedImage>;
  /** Forgets the belief and resolves with the first accepted place, or why there was none. */
  localize(): Promise<{ readonly success: boolean; readonly message: string }>;
  /** Candidates of a query that asks for none in particular. */
  defaultCandidates(): number;
}

interface RawImage {
  readonly header: { readonly stamp: StampMessage; readonly frame_id: string };
  readonly height: number;
  readonly width: number;
  readonly encoding: string;
  readonly is_bigendian: number;
  readonly step: number;
  readonly data: Uint8Array;
}

interface CompressedImage {
  readonly header: { readonly stamp: StampMessage; readonly frame_id: string };
  readonly format: string;
  readonly data: Uint8Array;
}

interface ImageRequest {
  readonly image: RawImage;
  readonly compressed_image: CompressedImage;
}

type Answer = (request: never) => Promise<RosMessage>;

/** The node's services. Every failure is an answer with a sentence and a code; none ends the node. */
export class NodeServices {
  readonly #node: RosNode;
  readonly #context: ServiceContext;
  readonly #services: object[] = [];

  constructor(node: RosNode, context: ServiceContext) {
    this.#node = node;
    this.#context = context;
    this.#serve('vpr_node/srv/LoadMap', '~/load_map', (request: { path: string }) => this.#loadMap(request));
    this.#serve('vpr_node/srv/SaveMap', '~/save_map', (request: { path: string }) => this.#saveMap(request));
    this.#serve('vpr_node/srv/AddPlace', '~/add_place', (request: never) => this.#addPlace(request));
    this.#serve('vpr_node/srv/Query', '~/query', (request: never) => this.#query(request));
    this.#serve('vpr_node/srv/GetMapInfo', '~/get_map_info', () => this.#getMapInfo());
    this.#serve('vpr_node/srv/ReportClosure', '~/report_closure', (request: never) => this.#reportClosure(request));
    this.#serve(
      'std_srvs/srv/Trigger',
      '~/localize',
      () => this.#context.localize().then((answer) => ({ ...answer })),
      {
        withCode: false,
      },
    );
  }

  close(): void {
    for (const service of this.#services) this.#node.destroyService(service);
    this.#services.length = 0;
  }

  #serve(type: string, name: string, answer: Answer, { withCode } = { withCode: true }): void {
    const handle = async (request: never, response: RosServiceResponse): Promise<void> => {
      let reply: RosMessage;
      try {
        reply = await answer(request);
      } catch (error) {
        reply = { success: false, message: messageOf(error) };
        if (withCode) reply['code'] = error instanceof VprError ? error.code : '';
      }
      response.send(reply);
    };
    this.#services.push(this.#node.createService(type, name, {}, handle));
  }

  async #loadMap({ path }: { path: string }): Promise<RosMessage> {
    const recognizer = this.#context.recognizer();
    try {
      if (path === '') throw new VprError('ARGUMENT_INVALID', "Expected a map file for 'path', got ''");
      const map = await recognizer.loadMap(path);
      this.#context.onMap(map, true);
      return { success: true, message: `opened ${map.path}`, code: '', map: this.#context.mapInfo(map) };
    } catch (error) {
      return await this.#mapFailure(recognizer, error);
    }
  }

  async #saveMap({ path }: { path: string }): Promise<RosMessage> {
    const recognizer = this.#context.recognizer();
    try {
      const map = await recognizer.saveMap(path === '' ? undefined : path);
      this.#context.onMap(map, false);
      const message = `${map.references} references in ${path === '' ? map.path : path}`;
      return { success: true, message, code: '', map: this.#context.mapInfo(map) };
    } catch (error) {
      return await this.#mapFailure(recognizer, error);
    }
  }

  /** The answer still says which map is open, with what it holds now; as it was opened where the worker cannot tell. */
  async #mapFailure(recognizer: Recognizer, error: unknown): Promise<RosMessage> {
    const map = await recognizer.mapSummary().catch(() => recognizer.info.map);
    return {
      success: false,
      message: messageOf(error),
      code: error instanceof VprError ? error.code : '',
      map: this.#context.mapInfo(map),
    };
  }

  async #addPlace(
    request: ImageRequest & {
      readonly camera: string;
      readonly label: string;
      readonly place_id: number;
      readonly has_pose: boolean;
      readonly pose: PoseMessage;
    },
  ): Promise<RosMessage> {
    const recognizer = this.#context.recognizer();
    const image = requestImage(request, request.camera || 'request') ?? (await this.#context.nextImage(request.camera));
    const pose = request.has_pose ? requestPose(request.pose) : image.pose;
    const added = await recognizer.addPlace(
      { ...image, ...(pose === undefined ? {} : { pose }) },
      request.label,
      request.place_id,
    );
    this.#context.onMap(await recognizer.mapSummary(), false);
    return {
      success: true,
      message: `reference ${added.referenceId} of place ${added.placeId}`,
      code: '',
      reference_id: added.referenceId,
      place_id: added.placeId,
    };
  }

  async #query(request: ImageRequest & { readonly k: number }): Promise<RosMessage> {
    const recognizer = this.#context.recognizer();
    const image = requestImage(request, 'query');
    if (image === undefined)
      throw new VprError('ARGUMENT_INVALID', "Expected pixels in 'image' or 'compressed_image', got none");
    if (request.k > 1000) throw new VprError('ARGUMENT_INVALID', `Expected 0...1000 for 'k', got ${request.k}`);
    const result = await recognizer.query(image, request.k || this.#context.defaultCandidates());
    const message =
      result.placeId === NO_PLACE
        ? 'no place'
        : `place ${result.placeId}, confidence ${result.confidence.toFixed(3)}${result.accepted ? '' : ', not accepted'}`;
    return { success: true, message, code: '', result: placeMatchMessage(result, recognizer.info, 0) };
  }

  async #getMapInfo(): Promise<RosMessage> {
    const map = await this.#context.recognizer().mapSummary();
    return { success: true, message: '', code: '', map: this.#context.mapInfo(map) };
  }

  async #reportClosure(request: {
    readonly reference_id: number;
    readonly query_stamp: StampMessage;
    readonly accepted: boolean;
  }): Promise<RosMessage> {
    const stampNs = stampNsOf(request.query_stamp);
    await this.#context.recognizer().reportClosure(request.reference_id, stampNs, request.accepted);
    return { success: true, message: '', code: '' };
  }
}

function requestPose(message: PoseMessage): NonNullable<StampedImage['pose']> {
  const pose = poseOf(message);
  const orientation = normalizeQuaternion(pose.orientation);
  if (orientation === undefined || !isFinitePose(pose))
    throw new VprError('ARGUMENT_INVALID', `Expected a finite pose, got ${JSON.stringify(message)}`);
  return { position: pose.position, orientation };
}

/** The request's image, undefined when it has none. */
function requestImage(request: ImageRequest, camera: string): StampedImage | undefined {
  const { image: raw, compressed_image: compressed } = request;
  if (raw.data.length > 0 && compressed.data.length > 0)
    throw new VprError('ARGUMENT_INVALID', "Expected either 'image' or 'compressed_image', got both");
  let image: ImageMessage;
  if (raw.data.length > 0) {
    const { encoding, width, height, step } = raw;
    image = { kind: 'raw', encoding, width, height, step, isBigEndian: raw.is_bigendian !== 0, data: bytes(raw.data) };
  } else if (compressed.data.length > 0) {
    image = { kind: 'compressed', format: compressed.format, data: bytes(compressed.data) };
  } else {
    return undefined;
  }
  const { stamp, frame_id: frameId } = image.kind === 'raw' ? raw.header : compressed.header;
  return { image, camera, frameId, stampNs: stampNsOf(stamp), name: 'service request' };
}

/** A copy in memory of its own: that of the request belongs to rclnodejs. */
function bytes(data: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(data);
}
