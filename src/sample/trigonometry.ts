/**
 * Sine and cosine from additions and multiplications alone. Math.sin may differ in the last bit from one build of the
 * engine to the next; pixels and poses of the sample world must not. Error below 1e-11 for |angle| < 1000 rad.
 */
export function sine(angle: number): number {
  const quarter = Math.round(angle / (Math.PI / 2));
  const x = angle - quarter * (Math.PI / 2);
  switch (quarter & 3) {
    case 0:
      return sineSeries(x);
    case 1:
      return cosineSeries(x);
    case 2:
      return -sineSeries(x);
    default:
      return -cosineSeries(x);
  }
}

export function cosine(angle: number): number {
  return sine(angle + Math.PI / 2);
}

// Taylor series on [-pi/4, pi/4]: the first term left out is below 4e-13.
function sineSeries(x: number): number {
  const y = x * x;
  return x * (1 - (y / 6) * (1 - (y / 20) * (1 - (y / 42) * (1 - (y / 72) * (1 - y / 110)))));
}

function cosineSeries(x: number): number {
  const y = x * x;
  return 1 - (y / 2) * (1 - (y / 12) * (1 - (y / 30) * (1 - (y / 56) * (1 - (y / 90) * (1 - y / 132)))));
}
