import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import type * as grpc from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { echoProtoPath, loadDefinition, protoFolder, serviceOf, sharedProtoFolder } from "./definition.ts";

interface ReflectionRequest {
  message_request: string;
  file_by_filename?: string;
  file_containing_symbol?: string;
}

interface ReflectionResponse {
  original_request: ReflectionRequest;
  file_descriptor_response?: { file_descriptor_proto: Uint8Array[] };
  list_services_response?: { service: { name: string }[] };
  error_response?: { error_code: number; error_message: string };
}

let compiled: Map<string, FileDescriptorProto> | undefined;

/** The descriptors of echo.proto and all that it imports, by file name, as protoc makes them. */
function descriptors(): Map<string, FileDescriptorProto> {
  if (compiled !== undefined) return compiled;
  const compiler = dirname(createRequire(import.meta.url).resolve("protoc/package.json"));
  const folder = mkdtempSync(join(tmpdir(), "sluice-testkit-"));
  const output = join(folder, "echo.binpb");
  try {
    execFileSync(process.execPath, [
      join(compiler, "protoc.cjs"),
      ...[protoFolder, sharedProtoFolder, join(compiler, "include")].map((path) => `-I${path}`),
      "--include_imports",
      `--descriptor_set_out=${output}`,
      echoProtoPath,
    ]);
    const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(output));
    compiled = new Map(file.map((each) => [each.name, each]));
  } finally {
    rmSync(folder, { recursive: true });
  }
  return compiled;
}

function declares(file: FileDescriptorProto, symbol: string): boolean {
  const prefix = file.package === "" ? "" : `${file.package}.`;
  const names = [...file.messageType, ...file.enumType, ...file.service, ...file.extension].map(
    (each) => prefix + each.name,
  );
  return names.some((name) => symbol === name || symbol.startsWith(`${name}.`));
}

function answer(services: readonly string[], request: ReflectionRequest): ReflectionResponse {
  const response: ReflectionResponse = { original_request: request };
  let file: FileDescriptorProto | undefined;
  switch (request.message_request) {
    case "list_services":
      return { ...response, list_services_response: { service: services.map((name) => ({ name })) } };
    case "file_by_filename":
      file = descriptors().get(request.file_by_filename ?? "");
      break;
    case "file_containing_symbol":
      file = [...descriptors().values()].find((each) => declares(each, request.file_containing_symbol ?? ""));
      break;
    default:
      return {
        ...response,
        error_response: { error_code: status.UNIMPLEMENTED, error_message: "not implemented" },
      };
  }
  if (file === undefined) {
    return { ...response, error_response: { error_code: status.NOT_FOUND, error_message: "not found" } };
  }
  const bytes = toBinary(FileDescriptorProtoSchema, file);
  return { ...response, file_descriptor_response: { file_descriptor_proto: [bytes] } };
}

/**
 * Adds server reflection that answers true descriptors, one file an answer, as the servers of other languages do
 * (@grpc/reflection does not).
 */
export function addReflection(
  server: grpc.Server,
  version: "v1" | "v1alpha",
  services: readonly string[],
): void {
  const name = `grpc.reflection.${version}.ServerReflection`;
  const file = join(sharedProtoFolder, "grpc", "reflection", version, "reflection.proto");
  const all = [...services, name];
  const info: grpc.handleBidiStreamingCall<ReflectionRequest, ReflectionResponse> = (call) => {
    call.on("data", (request: ReflectionRequest) => call.write(answer(all, request)));
    call.on("end", () => call.end());
  };
  server.addService(serviceOf(loadDefinition(file), name), { ServerReflectionInfo: info });
}
