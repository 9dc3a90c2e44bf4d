/** Universal Transverse Mercator on WGS84: metres east and north in a zone 6 degrees wide. */
export interface UtmPoint {
  readonly eastingM: number;
  readonly northingM: number;
}

/** What metres of a drive are counted in; a drive that leaves it stays in it, or it would jump. */
export interface UtmFrame {
  /** 1...60. */
  readonly zone: number;
  /** Metres north are counted from 10,000 km south of the equator. */
  readonly isSouthern: boolean;
}

const SEMI_MAJOR_M = 6_378_137;
const FLATTENING = 1 / 298.257223563;
const SCALE = 0.9996;
const FALSE_EASTING_M = 500_000;
const FALSE_NORTHING_SOUTH_M = 10_000_000;
const RADIANS = Math.PI / 180;

/** Zone of a longitude, degrees; the exceptions around Norway and Svalbard are left out, as most tools for robots do. */
export function utmZoneOf(longitude: number): number {
  return Math.min(60, Math.floor((longitude + 180) / 6) + 1);
}

export function utmFrameOf(latitude: number, longitude: number): UtmFrame {
  return { zone: utmZoneOf(longitude), isSouthern: latitude < 0 };
}

/**
 * Latitude and longitude (degrees, WGS84) to UTM by Krueger's series to the fourth order of the third flattening: well
 * under a millimetre inside a zone. frame: another than the point's own keeps a drive across a border or the equator in one.
 * Latitude within +-84, or the projection is undefined: the caller checks.
 */
export function utmFromGeodetic(latitude: number, longitude: number, frame: UtmFrame): UtmPoint {
  const n = FLATTENING / (2 - FLATTENING);
  const n2 = n * n;
  const n3 = n2 * n;
  const n4 = n3 * n;
  const radius = (SEMI_MAJOR_M / (1 + n)) * (1 + n2 / 4 + n4 / 64);
  const alphas = [
    n / 2 - (2 / 3) * n2 + (5 / 16) * n3 + (41 / 180) * n4,
    (13 / 48) * n2 - (3 / 5) * n3 + (557 / 1440) * n4,
    (61 / 240) * n3 - (103 / 140) * n4,
    (49561 / 161280) * n4,
  ];
  const sine = Math.sin(latitude * RADIANS);
  const eccentricity = (2 * Math.sqrt(n)) / (1 + n);
  const t = Math.sinh(Math.atanh(sine) - eccentricity * Math.atanh(eccentricity * sine));
  const longitudeOffset = (longitude - (frame.zone * 6 - 183)) * RADIANS;
  const xi = Math.atan2(t, Math.cos(longitudeOffset));
  const eta = Math.atanh(Math.sin(longitudeOffset) / Math.sqrt(1 + t * t));
  let east = eta;
  let north = xi;
  alphas.forEach((alpha, i) => {
    const j = 2 * (i + 1);
    east += alpha * Math.cos(j * xi) * Math.sinh(j * eta);
    north += alpha * Math.sin(j * xi) * Math.cosh(j * eta);
  });
  return {
    eastingM: FALSE_EASTING_M + SCALE * radius * east,
    northingM: (frame.isSouthern ? FALSE_NORTHING_SOUTH_M : 0) + SCALE * radius * north,
  };
}
