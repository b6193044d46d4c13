/**
 * Metadata of a call, in both directions: lower-case keys, values as they stand on the wire.
 *
 * A value of a key that ends in `-bin` is base64 text, because every wire that carries it wants it so; no
 * dialect and no backend decodes it on the way. A key with several values has an array, in order.
 * Keys that the wire itself owns (`:path`, `te`, `content-type`, `grpc-*` of the framing) are not metadata.
 */
export type Metadata = Readonly<Record<string, string | readonly string[]>>;

/** Metadata without any key; shared, because it cannot change. */
export const noMetadata: Metadata = Object.freeze(Object.create(null) as Record<string, string>);
