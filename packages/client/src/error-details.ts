/** One detail of an error: a protobuf message of any type. */
export interface ErrorDetail {
  /** The full name of the message's type: `google.rpc.ErrorInfo`. */
  readonly type: string;
  /** The message as protobuf bytes. */
  readonly value: Uint8Array;
}

/** What stands in a protobuf message: the numbers of fields, and the bytes of those that have some. */
type Fields = readonly (readonly [number: number, bytes: Uint8Array])[];

/** Reads the length-delimited fields of a protobuf message; what is damaged ends it. */
function fieldsOf(bytes: Uint8Array): Fields {
  const fields: [number, Uint8Array][] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; at < bytes.length && shift < 70; shift += 7) {
      const byte = bytes[at++] as number;
      // Multiplied, because numbers of fields and lengths may not fit into 31 bits.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    at = bytes.length + 1;
    return 0;
  };
  while (at < bytes.length) {
    const tag = varint();
    const type = tag % 8;
    if (type === 0) varint();
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else if (type !== 2) return fields;
    else {
      const length = varint();
      if (at + length > bytes.length) return fields;
      fields.push([Math.floor(tag / 8), bytes.subarray(at, (at += length))]);
    }
  }
  return fields;
}

/**
 * The details in a serialized `google.rpc.Status`, as `grpc-status-details-bin` has it. What is damaged is left out.
 * Source: google/rpc/status.proto (details: 3), google/protobuf/any.proto (type_url: 1, value: 2).
 */
export function detailsFromStatus(bytes: Uint8Array): ErrorDetail[] {
  return fieldsOf(bytes)
    .filter(([number]) => number === 3)
    .map(([, any]) => {
      const fields = new Map(fieldsOf(any));
      const url = new TextDecoder().decode(fields.get(1));
      return { type: url.slice(url.lastIndexOf("/") + 1), value: fields.get(2) ?? new Uint8Array() };
    });
}
