import { errorCode, Http2Violation } from "./frame.ts";
import { decodeHuffman } from "./huffman.ts";
import { staticTable, type Field } from "./static-table.ts";

/** The size of the dynamic table: what a peer may use as long as nobody says otherwise, and this client does not. */
const tableBytes = 4_096;

/** What a header counts beside its characters. Source: RFC 7541, section 4.1. */
const entryBytes = 32;

const malformed = (what: string): Http2Violation => new Http2Violation(errorCode.compressionError, what);

/** Decodes the header blocks of one connection (HPACK, RFC 7541), in their order. */
export class HeaderDecoder {
  readonly #maxListBytes: number;
  /** The newest entry last. */
  readonly #table: Field[] = [];
  #tableBytes = 0;
  #tableLimit = tableBytes;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** `maxListBytes` bounds a list of headers, each counted as name, value and 32 more. */
  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /**
   * Names and values in turn; undefined for a list that is too large, whose block is read all the same.
   * Throws Http2Violation for a block that is malformed.
   */
  decode(block: Buffer): readonly string[] | undefined {
    this.#bytes = block;
    this.#at = 0;
    const list: string[] = [];
    let size = 0;
    while (this.#at < block.length) {
      const field = this.#field();
      if (field === undefined) continue;
      size += sizeOf(field);
      if (size <= this.#maxListBytes) list.push(field[0], field[1]);
    }
    return size <= this.#maxListBytes ? list : undefined;
  }

  /** The next header; undefined where the size of the table is changed instead. */
  #field(): Field | undefined {
    const byte = this.#bytes[this.#at] ?? 0;
    if (byte >= 0x80) return this.#entry(this.#integer(7));
    if (byte >= 0x40) {
      const field = this.#literal(6);
      this.#add(field);
      return field;
    }
    if (byte < 0x20) return this.#literal(4);
    const limit = this.#integer(5);
    if (limit > tableBytes)
      throw malformed(`its table of headers has ${limit} bytes, the maximum is ${tableBytes}`);
    this.#tableLimit = limit;
    this.#evict(limit);
    return undefined;
  }

  #literal(prefixBits: number): Field {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#entry(index)[0];
    return [name, this.#string()];
  }

  #entry(index: number): Field {
    const entry =
      index <= staticTable.length
        ? staticTable[index - 1]
        : this.#table[this.#table.length - (index - staticTable.length)];
    if (entry === undefined) throw malformed(`it has no header ${index}`);
    return entry;
  }

  #add(field: Field): void {
    const size = sizeOf(field);
    this.#evict(this.#tableLimit - size);
    if (size > this.#tableLimit) return;
    this.#table.push(field);
    this.#tableBytes += size;
  }

  #evict(limit: number): void {
    let count = 0;
    while (this.#tableBytes > limit && count < this.#table.length) {
      this.#tableBytes -= sizeOf(this.#table[count++] as Field);
    }
    if (count > 0) this.#table.splice(0, count);
  }

  /** An integer behind a prefix of some bits. Source: RFC 7541, section 5.1. */
  #integer(prefixBits: number): number {
    const bytes = this.#bytes;
    const most = (1 << prefixBits) - 1;
    let value = (bytes[this.#at++] ?? 0) & most;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = bytes[this.#at++];
      if (byte === undefined) throw malformed("a block of headers is cut off");
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw malformed("a number in a block of headers is too large");
  }

  #string(): string {
    const isHuffman = (this.#bytes[this.#at] ?? 0) >= 0x80;
    if (this.#at >= this.#bytes.length) throw malformed("a block of headers is cut off");
    const length = this.#integer(7);
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw malformed("a block of headers is cut off");
    return isHuffman
      ? decodeHuffman(this.#bytes, start, this.#at)
      : this.#bytes.toString("latin1", start, this.#at);
  }
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + entryBytes;
}
