import { errorCode, Http2Violation } from "./frame.ts";

/** The length in bits of the code of each byte, and of the end of string behind them. Source: RFC 7541, appendix B. */
const codeLengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const endOfString = 256;
const longest = 30;

/** The code is canonical: codes of one length follow each other, in the order of their symbols. */
const countOfLength = new Uint16Array(longest + 1);
for (const length of codeLengths) countOfLength[length] = (countOfLength[length] ?? 0) + 1;
const symbols = [...codeLengths.keys()].toSorted(
  (one, other) => (codeLengths[one] ?? 0) - (codeLengths[other] ?? 0) || one - other,
);

const malformed = (): Http2Violation =>
  new Http2Violation(errorCode.compressionError, "a header is not encoded in Huffman's code");

/** Decodes a string of HPACK, each byte to a character. Throws Http2Violation for what is no such code. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string {
  let text = "";
  let code = 0;
  let length = 0;
  /** The first code of the current length, and where its symbols begin. */
  let first = 0;
  let index = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    for (let bit = 7; bit >= 0; bit--) {
      code |= (byte >> bit) & 1;
      if (++length > longest) throw malformed();
      const count = countOfLength[length] ?? 0;
      if (code - first < count) {
        const symbol = symbols[index + code - first] ?? endOfString;
        if (symbol === endOfString) throw malformed();
        text += String.fromCharCode(symbol);
        code = length = first = index = 0;
        continue;
      }
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
  }
  // What fills the last byte is the beginning of the end of string: fewer than eight ones.
  if (length > 7 || code >> 1 !== (1 << length) - 1) throw malformed();
  return text;
}
