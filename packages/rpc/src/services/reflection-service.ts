import {
  create,
  fromBinary,
  toBinary,
  type DescExtension,
  type DescFile,
  type Message,
} from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { Code } from "@sluice/protocol";
import { createStatus } from "../call/status.ts";
import { descriptorBytes } from "../schema/descriptor-bytes.ts";
import { methodFrom, type Schema } from "../schema/schema.ts";
import { ownRegistry } from "../schema/well-known-files.ts";
import type { ServiceMethod } from "./service-backend.ts";

type Question =
  | {
      case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices";
      value: string;
    }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined; value?: undefined };

type Request = Message & { host: string; messageRequest: Question };
type Response = Message & {
  validHost: string;
  originalRequest?: Request;
  messageResponse: { case: string; value: unknown };
};

/**
 * The methods of grpc.reflection.v1.ServerReflection and v1alpha, by path; they tell what `schema` answers at
 * the moment of the question.
 * Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function createReflectionService(
  schema: () => Schema | undefined,
): ReadonlyMap<string, ServiceMethod> {
  return new Map(["v1", "v1alpha"].map((version) => reflectionMethod(version, schema)));
}

function reflectionMethod(
  version: string,
  schema: () => Schema | undefined,
): readonly [path: string, method: ServiceMethod] {
  const [desc] = ownRegistry().getService(`grpc.reflection.${version}.ServerReflection`)?.methods ?? [];
  if (desc === undefined) throw new Error(`the descriptors of reflection ${version} are missing`);
  const input = desc.input as unknown as GenMessage<Request>;
  const output = desc.output as unknown as GenMessage<Response>;
  const method: ServiceMethod = (call) => ({
    message: (bytes) => {
      let request: Request;
      try {
        request = fromBinary(input, bytes);
      } catch {
        call.end(createStatus(Code.INVALID_ARGUMENT, "the request is not a ServerReflectionRequest"));
        return;
      }
      const messageResponse = answerTo(request.messageRequest, schema());
      const response = { validHost: request.host, originalRequest: request, messageResponse };
      call.send(toBinary(output, create(output, response as never)));
    },
    halfClose: () => call.end(),
  });
  return [methodFrom(desc).path, method];
}

function answerTo(question: Question, schema: Schema | undefined): Response["messageResponse"] {
  if (schema === undefined) return errorOf(Code.UNAVAILABLE, "the schema of the backend is not known yet");
  const { registry } = schema;
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: schema.services.map(({ typeName }) => ({ name: typeName })) },
      };
    case "fileByFilename":
      return filesOf(registry.getFile(question.value), `file ${question.value}`);
    case "fileContainingSymbol":
      return filesOf(fileOfSymbol(schema, question.value), `symbol ${question.value}`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const extension = extensionsOf(schema, containingType).find(({ number }) => number === extensionNumber);
      return filesOf(extension?.file, `extension ${extensionNumber} of ${containingType}`);
    }
    case "allExtensionNumbersOfType": {
      if (registry.getMessage(question.value) === undefined) return notFound(`message ${question.value}`);
      const numbers = extensionsOf(schema, question.value).map(({ number }) => number);
      return {
        case: "allExtensionNumbersResponse",
        value: { baseTypeName: question.value, extensionNumber: numbers },
      };
    }
    case undefined:
      return errorOf(Code.INVALID_ARGUMENT, "the question is none that the service knows");
  }
}

// A symbol is a type or a service, or something inside of one: a field, a method, a value.
function fileOfSymbol({ registry }: Schema, symbol: string): DescFile | undefined {
  for (let name = symbol; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
    const desc = registry.get(name);
    if (desc === undefined) continue;
    return name === symbol || hasMember(desc, symbol.slice(name.length + 1)) ? desc.file : undefined;
  }
  return undefined;
}

function hasMember(desc: NonNullable<ReturnType<Schema["registry"]["get"]>>, name: string): boolean {
  switch (desc.kind) {
    case "message":
      return (
        desc.fields.some((field) => field.name === name) || desc.oneofs.some((oneof) => oneof.name === name)
      );
    case "service":
      return desc.methods.some((method) => method.name === name);
    case "enum":
      return desc.values.some((value) => value.name === name);
    case "extension":
      return false;
  }
}

function extensionsOf({ registry }: Schema, typeName: string): DescExtension[] {
  const found: DescExtension[] = [];
  for (const desc of registry) {
    if (desc.kind === "extension" && desc.extendee.typeName === typeName) found.push(desc);
  }
  return found.toSorted((a, b) => a.number - b.number);
}

// The file and all that it imports, so that a client need not ask for each of them.
function filesOf(file: DescFile | undefined, what: string): Response["messageResponse"] {
  if (file === undefined) return notFound(what);
  const files = new Set<DescFile>();
  const visit = (each: DescFile): void => {
    if (files.has(each)) return;
    files.add(each);
    for (const dependency of each.dependencies) visit(dependency);
  };
  visit(file);
  const fileDescriptorProto = [...files].map(({ proto }) => descriptorBytes(proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function notFound(what: string): Response["messageResponse"] {
  return errorOf(Code.NOT_FOUND, `${what} is not known`);
}

function errorOf(errorCode: Code, errorMessage: string): Response["messageResponse"] {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
