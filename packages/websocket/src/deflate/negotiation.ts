import { type Extension, formatExtension } from "../handshake/extension.ts";
import type { CompressionOptions } from "./options.ts";
import { sharedPool } from "./zlib-pool.ts";

const NAME = "permessage-deflate";

/** The options that hold where none are given. */
export const defaultCompression: CompressionOptions = Object.freeze({
  threshold: 1024,
  level: 6,
  memoryLevel: 5,
  contextTakeover: true,
  peerContextTakeover: true,
  windowBits: 12,
  peerWindowBits: 12,
  pool: sharedPool,
});

/** What the two sides agreed to: the options with what is true of this connection. */
export type AgreedCompression = CompressionOptions;

/** The given options with the defaults for the rest; undefined for false. Throws a RangeError for a number out of range. */
export function resolveCompression(
  given: boolean | Partial<CompressionOptions> | undefined,
): CompressionOptions | undefined {
  if (given === undefined || given === false) return undefined;
  const options = given === true ? defaultCompression : { ...defaultCompression, ...given };
  checkRange("threshold", options.threshold, 0, Number.MAX_SAFE_INTEGER);
  checkRange("level", options.level, 1, 9);
  checkRange("memoryLevel", options.memoryLevel, 1, 9);
  checkRange("windowBits", options.windowBits, 9, 15);
  checkRange("peerWindowBits", options.peerWindowBits, 9, 15);
  return options;
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`compression.${name} is ${value}: it must be a whole number from ${least} to ${most}`);
}

/** What a client's request offers (RFC 7692 section 7.1). */
export function offerCompression(options: CompressionOptions): string {
  const parameters = new Map<string, string | true>();
  if (!options.peerContextTakeover) parameters.set("server_no_context_takeover", true);
  if (!options.contextTakeover) parameters.set("client_no_context_takeover", true);
  if (options.peerWindowBits < 15) parameters.set("server_max_window_bits", `${options.peerWindowBits}`);
  parameters.set("client_max_window_bits", options.windowBits < 15 ? `${options.windowBits}` : true);
  const wanted = formatExtension({ name: NAME, parameters });
  if (options.peerWindowBits === 15) return wanted;
  // A server that cannot limit its window may take the second offer.
  parameters.delete("server_max_window_bits");
  return `${wanted}, ${formatExtension({ name: NAME, parameters })}`;
}

/** What a server agrees to, and the text that says so. */
export interface ServerAgreement {
  readonly agreed: AgreedCompression;
  readonly answer: string;
}

/** Takes the first offer that can be taken (section 7.1); undefined for none, and then nothing is compressed. */
export function agreeToOffer(
  offers: readonly Extension[],
  options: CompressionOptions,
): ServerAgreement | undefined {
  for (const offer of offers) {
    if (offer.name !== NAME) continue;
    const parameters = readParameters(offer);
    // zlib writes no raw deflate with a window of 8 bits.
    if (parameters === undefined || parameters.serverBits === 8) continue;
    return answerTo(parameters, options);
  }
  return undefined;
}

function answerTo(offer: Parameters, options: CompressionOptions): ServerAgreement {
  const windowBits = Math.min(options.windowBits, offer.serverBits ?? 15);
  const contextTakeover = options.contextTakeover && !offer.serverNoTakeover;
  const peerContextTakeover = options.peerContextTakeover && !offer.clientNoTakeover;
  // Only a client that says so can be asked for a smaller window.
  const peerWindowBits =
    offer.clientBits === undefined ? 15 : Math.min(options.peerWindowBits, offer.clientBits);
  const parameters = new Map<string, string | true>();
  if (!contextTakeover) parameters.set("server_no_context_takeover", true);
  if (!peerContextTakeover) parameters.set("client_no_context_takeover", true);
  if (windowBits < 15) parameters.set("server_max_window_bits", `${windowBits}`);
  if (offer.clientBits !== undefined && peerWindowBits < 15) {
    parameters.set("client_max_window_bits", `${peerWindowBits}`);
  }
  return {
    agreed: { ...options, windowBits, contextTakeover, peerContextTakeover, peerWindowBits },
    answer: formatExtension({ name: NAME, parameters }),
  };
}

/**
 * What a client makes of the server's answer to its offer: the agreement, or a text that says what is wrong with it
 * (section 7.1).
 */
export function checkAnswer(
  answer: readonly Extension[],
  options: CompressionOptions | undefined,
): AgreedCompression | string {
  const [chosen, second] = answer;
  if (chosen === undefined || second !== undefined) return "the server chose more than one extension";
  if (options === undefined || chosen.name !== NAME) {
    return `the server chose the extension ${chosen.name}, which was not offered`;
  }
  const parameters = readParameters(chosen);
  if (parameters === undefined || chosen.parameters.get("client_max_window_bits") === true) {
    return "the server's parameters of permessage-deflate are wrong";
  }
  if (!options.peerContextTakeover && !parameters.serverNoTakeover) {
    return "the server did not agree to server_no_context_takeover";
  }
  if (parameters.clientBits === 8) {
    return "the server asks for a window of 8 bits, which zlib cannot write";
  }
  return {
    ...options,
    contextTakeover: options.contextTakeover && !parameters.clientNoTakeover,
    peerContextTakeover: !parameters.serverNoTakeover,
    windowBits: Math.min(options.windowBits, parameters.clientBits ?? 15),
    peerWindowBits: parameters.serverBits ?? 15,
  };
}

interface Parameters {
  readonly serverNoTakeover: boolean;
  readonly clientNoTakeover: boolean;
  readonly serverBits: number | undefined;
  readonly clientBits: number | undefined;
}

/** The parameters of one entry; undefined where one is unknown or has a wrong value (section 7.1). */
function readParameters({ parameters }: Extension): Parameters | undefined {
  let serverNoTakeover = false;
  let clientNoTakeover = false;
  let serverBits: number | undefined;
  let clientBits: number | undefined;
  for (const [name, value] of parameters) {
    if (name === "server_no_context_takeover" && value === true) serverNoTakeover = true;
    else if (name === "client_no_context_takeover" && value === true) clientNoTakeover = true;
    else if (name === "server_max_window_bits" && isWindowBits(value)) serverBits = Number(value);
    else if (name === "client_max_window_bits" && value === true) clientBits = 15;
    else if (name === "client_max_window_bits" && isWindowBits(value)) clientBits = Number(value);
    else return undefined;
  }
  return { serverNoTakeover, clientNoTakeover, serverBits, clientBits };
}

function isWindowBits(value: string | true): value is string {
  return value !== true && /^(?:[89]|1[0-5])$/.test(value);
}
