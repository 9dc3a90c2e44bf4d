/** builtin_interfaces/Time as rclnodejs gives and takes it. */
export interface StampMessage {
  readonly sec: number;
  readonly nanosec: number;
}

const NS_PER_S = 1_000_000_000n;

export function stampMessage(stampNs: bigint): StampMessage {
  // Floor, so that nanosec is never negative; sec is an int32.
  let sec = stampNs / NS_PER_S;
  if (stampNs < 0n && sec * NS_PER_S !== stampNs) sec--;
  return { sec: Number(sec), nanosec: Number(stampNs - sec * NS_PER_S) };
}

export function stampNsOf({ sec, nanosec }: StampMessage): bigint {
  return BigInt(sec) * NS_PER_S + BigInt(nanosec);
}
