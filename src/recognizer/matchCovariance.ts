export interface CovarianceInputs {
  /** Distance between neighbouring references, metres. */
  readonly spacingM: number;
  /** P(the place is right), 0...1. */
  readonly confidence: number;
  readonly neighbourhoodM: number;
  readonly positionFloorM: number;
  readonly angleFloorDeg: number;
  /** The robot may have stood there in any direction. */
  readonly headingUnknown?: boolean;
}

/** Of an angle that is uniform over the circle, rad^2. */
const ANY_HEADING = Math.PI ** 2 / 3;
/** Height and tilt of a wheeled base change less than its position. */
const VERTICAL_PART = 0.5;

/**
 * Covariance of "the robot is where the reference was taken": 6x6 row-major over [x, y, z, roll, pitch, yaw], m^2, rad^2.
 * Nothing was measured, so: the floor, half the map's spacing (the robot stands somewhere between two references), and,
 * for the part of the probability that is doubt, the size of the neighbourhood. Diagonal: no correlation is known.
 */
export function matchCovariance(inputs: CovarianceInputs): Float64Array {
  const { spacingM, confidence, neighbourhoodM, positionFloorM, angleFloorDeg, headingUnknown = false } = inputs;
  const doubt = 1 - confidence;
  const position = positionFloorM ** 2 + (spacingM / 2) ** 2 + doubt * neighbourhoodM ** 2;
  const angle = ((angleFloorDeg * Math.PI) / 180) ** 2 + doubt * (Math.PI / 4) ** 2;
  const covariance = new Float64Array(36);
  const diagonal = [
    position,
    position,
    VERTICAL_PART ** 2 * position,
    angle / 4,
    angle / 4,
    headingUnknown ? ANY_HEADING : angle,
  ];
  diagonal.forEach((variance, i) => (covariance[i * 7] = variance));
  return covariance;
}
