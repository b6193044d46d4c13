import {
  fromBinary,
  fromJsonString,
  toBinary,
  toJsonString,
  type DescMessage,
  type FileRegistry,
} from "@bufbuild/protobuf";
import { createCodec, parseJson } from "@sluice/rpc";

/** One message type, between the formats of the suite. Each function throws for what is malformed. */
export interface SubjectCodec {
  bytesFromJson(text: string): Uint8Array;
  jsonFromBytes(bytes: Uint8Array): string;
  bytesFromBytes(bytes: Uint8Array): Uint8Array;
  isMessage(bytes: Uint8Array): boolean;
}

/** What is tested, by its name: `sluice` or `protobuf-es`. */
export function createSubject(
  name: string,
  registry: FileRegistry,
): (desc: DescMessage, options: { ignoreUnknown: boolean }) => SubjectCodec {
  return (desc, { ignoreUnknown }) => {
    const reference: SubjectCodec = {
      bytesFromJson: (text) =>
        toBinary(desc, fromJsonString(desc, text, { registry, ignoreUnknownFields: ignoreUnknown })),
      jsonFromBytes: (bytes) => toJsonString(desc, fromBinary(desc, bytes), { registry }),
      bytesFromBytes: (bytes) => toBinary(desc, fromBinary(desc, bytes)),
      isMessage: (bytes) => {
        try {
          fromBinary(desc, bytes);
          return true;
        } catch {
          return false;
        }
      },
    };
    if (name !== "sluice") return reference;
    const codec = createCodec(desc, { registry, strict: !ignoreUnknown });
    return {
      // The gateway passes protobuf on as it is, so those cases say nothing about the codec.
      ...reference,
      bytesFromJson: (text) => codec.bytesFromJson(parseJson(text)),
      jsonFromBytes: (bytes) => codec.jsonFromBytes(bytes),
    };
  };
}
