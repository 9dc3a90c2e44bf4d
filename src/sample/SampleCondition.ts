import type { Colour } from './Canvas.js';

/** Light, weather and season of a traverse. Light is relative: 1 is a white wall that fills the sensor. */
export interface SampleCondition {
  readonly name: string;
  /** Direction towards the sun: radians counter-clockwise from +x, and tangent of its height. */
  readonly sunAzimuth: number;
  readonly sunTangent: number;
  readonly sun: readonly [number, number, number];
  readonly ambient: readonly [number, number, number];
  readonly skyTop: Colour;
  readonly skyHorizon: Colour;
  /** 0 clear ... 1 overcast. */
  readonly clouds: number;
  /** How strongly windows, signs and lamps shine, 0...1. */
  readonly lamps: number;
  /** Metres at which haze hides two thirds. */
  readonly hazeM: number;
  readonly leaves: Colour;
  /** 0 none ... 1 all ground white. */
  readonly snow: number;
  /** Standard deviation of the sensor noise, grey values. */
  readonly noise: number;
}

const LEAVES: Colour = [74, 108, 48];

/** Sample-world conditions by name. */
export const SAMPLE_CONDITIONS = {
  day: {
    name: 'day',
    sunAzimuth: 0.9,
    sunTangent: 1.1,
    sun: [0.75, 0.7, 0.6],
    ambient: [0.42, 0.46, 0.54],
    skyTop: [92, 142, 208],
    skyHorizon: [190, 212, 232],
    clouds: 0.35,
    lamps: 0,
    hazeM: 260,
    leaves: LEAVES,
    snow: 0,
    noise: 2,
  },
  morning: {
    name: 'morning',
    sunAzimuth: 0.25,
    sunTangent: 0.45,
    sun: [0.75, 0.58, 0.38],
    ambient: [0.34, 0.38, 0.46],
    skyTop: [120, 158, 208],
    skyHorizon: [236, 214, 180],
    clouds: 0.2,
    lamps: 0.1,
    hazeM: 120,
    leaves: LEAVES,
    snow: 0,
    noise: 3,
  },
  overcast: {
    name: 'overcast',
    sunAzimuth: 1.6,
    sunTangent: 2,
    sun: [0.06, 0.06, 0.06],
    ambient: [0.62, 0.64, 0.66],
    skyTop: [170, 174, 180],
    skyHorizon: [206, 208, 210],
    clouds: 1,
    lamps: 0.15,
    hazeM: 140,
    leaves: LEAVES,
    snow: 0,
    noise: 3,
  },
  dusk: {
    name: 'dusk',
    sunAzimuth: 3.5,
    sunTangent: 0.3,
    sun: [0.34, 0.2, 0.11],
    ambient: [0.2, 0.21, 0.29],
    skyTop: [58, 66, 112],
    skyHorizon: [222, 146, 98],
    clouds: 0.5,
    lamps: 0.4,
    hazeM: 170,
    leaves: [62, 84, 44],
    snow: 0,
    noise: 5,
  },
  night: {
    name: 'night',
    sunAzimuth: 2.2,
    sunTangent: 1,
    sun: [0.02, 0.02, 0.03],
    ambient: [0.075, 0.075, 0.1],
    skyTop: [10, 12, 24],
    skyHorizon: [44, 40, 44],
    clouds: 0.6,
    lamps: 1,
    hazeM: 160,
    leaves: [58, 76, 42],
    snow: 0,
    noise: 8,
  },
  winter: {
    name: 'winter',
    sunAzimuth: 4.4,
    sunTangent: 0.5,
    sun: [0.4, 0.38, 0.36],
    ambient: [0.5, 0.53, 0.6],
    skyTop: [150, 170, 196],
    skyHorizon: [214, 220, 228],
    clouds: 0.7,
    lamps: 0.2,
    hazeM: 130,
    leaves: [112, 98, 84],
    snow: 0.85,
    noise: 3,
  },
} as const satisfies Record<string, SampleCondition>;

export type SampleConditionName = keyof typeof SAMPLE_CONDITIONS;
