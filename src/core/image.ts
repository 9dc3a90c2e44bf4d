/** Decoded picture: 8-bit RGB, row-major, no padding; data has height * width * 3 bytes. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Brightness, 0...255: [height, width] row-major, no padding. */
export interface GreyImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** sensor_msgs/Image as it came: data has at least height * step bytes (checked by the decoder, not here). */
export interface RawImageMessage {
  readonly kind: 'raw';
  /** sensor_msgs/image_encodings name: rgb8, bgr8, mono8, ... */
  readonly encoding: string;
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next, padding included. */
  readonly step: number;
  readonly isBigEndian: boolean;
  readonly data: Uint8Array;
}

/** sensor_msgs/CompressedImage, or an image file: the bytes say what they are; format is the message's own word. */
export interface CompressedImageMessage {
  readonly kind: 'compressed';
  readonly format: string;
  readonly data: Uint8Array;
}

export type ImageMessage = RawImageMessage | CompressedImageMessage;
