/**
 * The program that the suite tests: reads requests from standard input and answers them on standard output, each a
 * message after its length in four bytes, little-endian. Source: conformance/conformance.proto.
 */
import { readFileSync, readSync, writeSync } from "node:fs";
import {
  createFileRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
  type JsonObject,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createSubject } from "./subject.ts";

const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(process.env["MESSAGES"] ?? "messages.binpb")),
);
const subject = createSubject(process.env["SUBJECT"] ?? "sluice", registry);

function messageType(name: string): DescMessage {
  const desc = registry.getMessage(name);
  if (desc === undefined) throw new Error(`the suite has no message ${name}`);
  return desc;
}

/** A conformance.ConformanceRequest as JSON. */
interface Request {
  readonly protobufPayload?: string;
  readonly jsonPayload?: string;
  readonly requestedOutputFormat?: string;
  readonly messageType?: string;
  readonly testCategory?: string;
}

/** How many cases the codec has a part in: those with JSON on a side. */
let withJson = 0;

/** Answers a request: with a conformance.ConformanceResponse as JSON. */
function answer(request: Request): JsonObject {
  const { protobufPayload, jsonPayload, requestedOutputFormat: format } = request;
  if (request.messageType === "conformance.FailureSet") return { protobufPayload: "" };
  if ((format !== "PROTOBUF" && format !== "JSON") || (protobufPayload ?? jsonPayload) === undefined) {
    return { skipped: "neither protobuf nor JSON" };
  }
  const codec = subject(messageType(request.messageType ?? ""), {
    ignoreUnknown: request.testCategory === "JSON_IGNORE_UNKNOWN_PARSING_TEST",
  });
  if (jsonPayload !== undefined || format === "JSON") withJson++;
  let bytes: Uint8Array;
  try {
    bytes =
      jsonPayload === undefined
        ? Buffer.from(protobufPayload ?? "", "base64")
        : codec.bytesFromJson(jsonPayload);
    if (jsonPayload === undefined && format === "PROTOBUF") bytes = codec.bytesFromBytes(bytes);
  } catch (error) {
    return { parseError: String(error) };
  }
  if (format === "PROTOBUF") return { protobufPayload: Buffer.from(bytes).toString("base64") };
  try {
    return { jsonPayload: codec.jsonFromBytes(bytes) };
  } catch (error) {
    // One step does both, so the suite has to be told which of them it was that failed.
    return codec.isMessage(bytes) ? { serializeError: String(error) } : { parseError: String(error) };
  }
}

function read(size: number): Buffer | undefined {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size;) {
    const got = readSync(0, bytes, at, size - at, null);
    if (got === 0) return undefined;
    at += got;
  }
  return bytes;
}

const requestType = messageType("conformance.ConformanceRequest");
const responseType = messageType("conformance.ConformanceResponse");
for (let length = read(4); length !== undefined; length = read(4)) {
  const bytes = read(length.readUInt32LE());
  if (bytes === undefined) break;
  const request = toJson(requestType, fromBinary(requestType, bytes)) as Request;
  const response = Buffer.from(toBinary(responseType, fromJson(responseType, answer(request))));
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(response.length);
  writeSync(1, Buffer.concat([prefix, response]));
}
console.error(`${withJson} cases with JSON`);
