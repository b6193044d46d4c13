import type { DescField, DescMethod } from "@bufbuild/protobuf";
import type { Schema } from "../schema/schema.ts";
import { createBindings, type Binding } from "../transcode/binding.ts";
import type { FieldPath } from "../transcode/field-path.ts";
import { commentOf } from "./comments.ts";
import type { JsonSchema } from "./json-schema.ts";
import { describe, MessageSchemas } from "./message-schemas.ts";
import { openApiPathOf, type OpenApiPath, type PathParameter } from "./path-item.ts";
import { queryFieldsOf } from "./query-parameters.ts";

/** What a document says that the schema does not. */
export interface OpenApiOptions {
  /** Default: the names of the services. */
  readonly title?: string;
  /** Of the API, not of OpenAPI. Default: the beginning of the schema's fingerprint. */
  readonly version?: string;
  /** The URL of the gateway. Default: none, which means that from which the document was loaded. */
  readonly server?: string;
}

/** An OpenAPI document: what `JSON.stringify` can write. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

/** The HTTP methods for which a path item has an operation; a rule with another one has no place in a document. */
const httpMethods = new Set(["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]);

const statusSchema = "google.rpc.Status";

/**
 * The REST side of a schema as an OpenAPI 3.1 document. Streams are NDJSON; comments of the `.proto` files are
 * descriptions. Rules with a custom HTTP method that OpenAPI does not know are left out.
 * Source: https://spec.openapis.org/oas/v3.1.1
 */
export function createOpenApiDocument(schema: Schema, options: OpenApiOptions = {}): OpenApiDocument {
  const schemas = new MessageSchemas();
  const paths: Record<string, Record<string, unknown>> = Object.create(null) as Record<
    string,
    Record<string, unknown>
  >;
  const counts = new Map<string, number>();
  const descs = new Map<string, DescMethod>();
  for (const { typeName, methods } of schema.services) {
    for (const method of methods) descs.set(`/${typeName}/${method.name}`, method);
  }
  for (const binding of createBindings(schema).bindings) {
    if (!httpMethods.has(binding.rule.method)) continue;
    const path = openApiPathOf(binding);
    const item = (paths[path.path] ??= {});
    const key = binding.rule.method.toLowerCase();
    // Two templates may look the same here; the gateway takes the more exact one, as does the document the first.
    if (key in item) continue;
    const count = (counts.get(binding.method.path) ?? 0) + 1;
    counts.set(binding.method.path, count);
    item[key] = operationOf({ binding, path, count, desc: descs.get(binding.method.path) }, schemas);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: options.title ?? schema.services.map(({ typeName }) => typeName).join(", "),
      version: options.version ?? schema.fingerprint.slice(0, 12),
    },
    ...(options.server === undefined ? {} : { servers: [{ url: options.server }] }),
    tags: schema.services.map((service) => ({
      name: service.typeName,
      ...describe(commentOf(service), false),
    })),
    paths,
    components: {
      schemas: { ...schemas.components, [statusSchema]: statusOf() },
      responses: {
        Error: {
          description: "The call failed; the HTTP status is that of the gRPC code.",
          content: { "application/json": { schema: { $ref: `#/components/schemas/${statusSchema}` } } },
        },
      },
    },
  };
}

interface Operation {
  readonly binding: Binding;
  readonly path: OpenApiPath;
  /** Which of the method's bindings it is, from 1. */
  readonly count: number;
  readonly desc: DescMethod | undefined;
}

function operationOf({ binding, path, count, desc }: Operation, schemas: MessageSchemas): unknown {
  const { method } = binding;
  const comment = desc === undefined ? "" : commentOf(desc);
  const [summary = "", ...rest] = comment.split("\n\n");
  const isServerStream = method.kind === "server_streaming" || method.kind === "bidi_streaming";
  return {
    operationId: `${method.service}.${method.name}${count > 1 ? `_${count}` : ""}`,
    tags: [method.service],
    ...(summary === "" ? {} : { summary: summary.replace(/\s+/g, " ") }),
    ...describe(rest.join("\n\n"), desc?.deprecated ?? false),
    parameters: [
      ...path.parameters.map((parameter) => pathParameter(binding, parameter, schemas)),
      ...queryFieldsOf(binding).map((field) => queryParameter(field, schemas)),
    ],
    ...requestBody(binding, schemas),
    responses: {
      "200": {
        description: isServerStream ? "A line for each message, as it comes." : "The reply.",
        content: isServerStream
          ? { "application/x-ndjson": { schema: streamItem(responseSchema(binding, schemas)) } }
          : { "application/json": { schema: responseSchema(binding, schemas) } },
      },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

function pathParameter(binding: Binding, parameter: PathParameter, schemas: MessageSchemas): unknown {
  const field = fieldOf(binding, parameter);
  const template = binding.template.variables[parameter.variable];
  const part =
    template === undefined || parameter.isWhole ? "" : `A part of the field ${template.fieldPath.join(".")}.`;
  const multi = parameter.isMulti ? "May contain slashes." : "";
  const comment = parameter.isWhole && field !== undefined ? commentOf(field) : "";
  return {
    name: parameter.name,
    in: "path",
    required: true,
    ...describe([comment, part, multi].filter((each) => each !== "").join(" "), false),
    schema: parameter.isWhole && field !== undefined ? schemas.ofField(field) : { type: "string" },
  };
}

function fieldOf(binding: Binding, parameter: PathParameter): DescField | undefined {
  return binding.variables[parameter.variable]?.at(-1);
}

function queryParameter(path: FieldPath, schemas: MessageSchemas): unknown {
  const field = path.at(-1) ?? path[0];
  return {
    name: path.map(({ jsonName }) => jsonName).join("."),
    in: "query",
    ...describe(commentOf(field), field.deprecated),
    schema: schemas.ofField(field),
  };
}

function requestBody(binding: Binding, schemas: MessageSchemas): { requestBody?: unknown } {
  if (binding.body === "none") return {};
  const { kind, input } = binding.method;
  const schema = binding.body === "whole" ? schemas.ofMessage(input) : schemas.ofField(binding.body);
  const isStream = kind === "client_streaming" || kind === "bidi_streaming";
  const type = isStream ? "application/x-ndjson" : "application/json";
  return { requestBody: { required: binding.body !== "whole", content: { [type]: { schema } } } };
}

function responseSchema(binding: Binding, schemas: MessageSchemas): JsonSchema {
  const { responseField, method } = binding;
  return responseField === undefined ? schemas.ofMessage(method.output) : schemas.ofField(responseField);
}

function streamItem(result: JsonSchema): JsonSchema {
  return {
    oneOf: [objectOf("result", result), objectOf("error", { $ref: `#/components/schemas/${statusSchema}` })],
  };
}

function objectOf(name: string, schema: JsonSchema): JsonSchema {
  return { type: "object", properties: { [name]: schema }, required: [name] };
}

function statusOf(): JsonSchema {
  return {
    type: "object",
    description: "What went wrong.",
    properties: {
      code: { type: "integer", format: "int32", description: "A gRPC status code." },
      message: { type: "string" },
      details: {
        type: "array",
        items: { type: "object", properties: { "@type": { type: "string" } }, additionalProperties: true },
      },
    },
    required: ["code", "message", "details"],
  };
}
