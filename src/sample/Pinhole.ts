import { cosine, sine } from './trigonometry.js';

/** Where a camera stands: metres, height above the ground, heading of the optical axis counter-clockwise from +x. */
export interface CameraView {
  readonly x: number;
  readonly y: number;
  readonly heightM: number;
  readonly heading: number;
  /** Tangent of the upward tilt; small, the picture is only shifted. */
  readonly pitch: number;
}

export interface CameraSize {
  readonly width: number;
  readonly height: number;
  /** Tangent of half the horizontal field of view; 0.7 is 70 degrees. */
  readonly halfWidthTangent: number;
}

export const SAMPLE_CAMERA: CameraSize = { width: 320, height: 240, halfWidthTangent: 0.7 };

/** The pinhole of one picture, worked out once. */
export interface Pinhole extends CameraView {
  readonly focal: number;
  readonly centreX: number;
  /** Row of the horizon. */
  readonly horizon: number;
  /** Ground direction of each column's ray at depth 1, metres east and north. */
  readonly rayEast: Float64Array;
  readonly rayNorth: Float64Array;
}

/** The pinhole of a camera of that size at that view. */
export function pinholeOf(view: CameraView, size: CameraSize): Pinhole {
  const { width, height, halfWidthTangent } = size;
  const focal = width / 2 / halfWidthTangent;
  const east = cosine(view.heading);
  const north = sine(view.heading);
  const rayEast = new Float64Array(width);
  const rayNorth = new Float64Array(width);
  for (let column = 0; column < width; column++) {
    const right = (column + 0.5 - width / 2) / focal;
    rayEast[column] = east + north * right;
    rayNorth[column] = north - east * right;
  }
  // The horizon lies a bit below the middle: streets are more interesting above it.
  const horizon = height * 0.56 + view.pitch * focal;
  return { ...view, focal, centreX: width / 2, horizon, rayEast, rayNorth };
}
