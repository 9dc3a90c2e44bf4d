import type { NodeParameters } from '../config/parseParameters.js';
import type { Descriptor } from '../core/descriptor.js';
import type { PlaceId, ReferenceId } from '../core/reference.js';
import type { StampedImage } from '../core/StampedImage.js';
import { encodeThumbnail } from '../image/encodeThumbnail.js';
import type { PlaceMap } from '../map/PlaceMap.js';
import { MapBuilder } from '../mapping/MapBuilder.js';
import type { DescribedQuery, KeyframeStore } from '../recognizer/PlaceRecognizer.js';
import { mapBuilderOptions } from './mapBuilderOptions.js';

/** Grows the open map by the images of this run: each key frame is committed before the next image is looked at. */
export class MapKeyframes implements KeyframeStore {
  readonly #builder: MapBuilder;
  #thumbnailPx: number;

  constructor(map: PlaceMap, session: { readonly name: string; readonly source: string }, parameters: NodeParameters) {
    this.#thumbnailPx = parameters.thumbnailPx;
    this.#builder = new MapBuilder(map, session, mapBuilderOptions(parameters, 1));
  }

  /** The rules for new references, which are dynamic. */
  setParameters(parameters: NodeParameters): void {
    this.#thumbnailPx = parameters.thumbnailPx;
    this.#builder.setRules(mapBuilderOptions(parameters, 1));
  }

  isKeyframe(image: StampedImage, descriptor: Descriptor): boolean {
    const { camera, stampNs, pose } = image;
    return this.#builder.isKeyframe({ camera, stampNs, descriptor, ...(pose === undefined ? {} : { pose }) });
  }

  async add(
    image: StampedImage,
    query: DescribedQuery,
    placeId: PlaceId,
  ): Promise<{ referenceId: ReferenceId; placeId: PlaceId }> {
    const thumbnail = this.#thumbnailPx === 0 ? undefined : await encodeThumbnail(query.pixels, this.#thumbnailPx);
    const [built] = this.#builder.add(
      {
        camera: image.camera,
        stampNs: image.stampNs,
        name: image.name,
        descriptor: query.descriptor,
        code: query.code,
        ...(image.pose === undefined ? {} : { pose: image.pose }),
        ...(thumbnail === undefined ? {} : { thumbnail }),
      },
      placeId,
    );
    if (built === undefined) throw new Error('Expected a reference for each key frame with batches of 1');
    return { referenceId: built.referenceId, placeId: built.placeId };
  }
}
