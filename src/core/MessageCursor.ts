/** std_msgs/Header. */
export interface MessageHeader {
  readonly stampNs: bigint;
  readonly frameId: string;
}

/** Reads the primitives of one serialised message in order; `what` names the field in error sentences. */
export interface MessageCursor {
  uint8(what: string): number;
  uint16(what: string): number;
  uint32(what: string): number;
  float64(what: string): number;
  string(what: string): string;
  /** A view (no copy) of a uint8 sequence. */
  octets(what: string): Uint8Array;
  header(): MessageHeader;
}
