// Every platform has them; declared here, because the package's types know no platform. A character is a byte.
declare const atob: (base64: string) => string;
declare const btoa: (bytes: string) => string;

/** Bytes as base64 without padding (RFC 4648 section 4), as gRPC writes binary metadata. */
export function base64FromBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/=+$/, "");
}

/** The bytes of base64, padded or not; undefined where it is none. */
export function bytesFromBase64(text: string): Uint8Array | undefined {
  const plain = text.replace(/={1,2}$/, "");
  // `atob` passes over spaces.
  if (!/^[A-Za-z0-9+/]*$/.test(plain) || plain.length % 4 === 1) return undefined;
  return Uint8Array.from(atob(plain), (character) => character.charCodeAt(0));
}
