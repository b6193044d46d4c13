/** The most bytes of the first message of a client, which is its headers. */
export const maxHeaderBytes: number = 64 * 1024;

const validBlock = /^[\x20-\x7e\t\r\n]*$/;
const validLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/;

/**
 * Names and values in turn, of a block of lines `Name: value`, as a client of grpc-websockets begins with it; undefined
 * for what is none. Lines end with CR LF, or LF alone.
 */
export function parseHeaderBlock(bytes: Uint8Array): string[] | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  if (!validBlock.test(text)) return undefined;
  const raw: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line === "") continue;
    const found = validLine.exec(line);
    if (found === null) return undefined;
    const [, name = "", value = ""] = found;
    raw.push(name, value.trim());
  }
  return raw;
}

/** The headers by name in lower case; of a name that stands several times, the values as an array. */
export function headersFromBlock(raw: readonly string[]): Record<string, string | string[]> {
  const headers = Object.create(null) as Record<string, string | string[]>;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] as string).toLowerCase();
    const value = raw[at + 1] as string;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
