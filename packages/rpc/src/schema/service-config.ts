import { fromBinary, type DescMessage } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { createCodec } from "../codec/create-codec.ts";
import type { JsonValue } from "../codec/message-codec.ts";
import { RpcError } from "../error.ts";
import { flattenHttpRule, type HttpRuleMessage } from "./http-rules.ts";
import type { HttpRule } from "./method.ts";
import type { Schema } from "./schema.ts";
import { ownRegistry } from "./well-known-files.ts";

/**
 * A schema whose HTTP rules are those of a service configuration, for the methods that it selects; the others
 * keep those of their options. `config` is the parsed YAML or JSON of a `google.api.Service`, of which only
 * `http.rules` is read; of two rules for one method the last counts.
 *
 * Throws RpcError `http_rule_invalid` for what is not such a configuration, and for a selector that selects no
 * method. Source: google/api/http.proto, "gRPC API Configuration".
 */
export function applyServiceConfig(schema: Schema, config: JsonValue): Schema {
  const rules = new Map<string, readonly HttpRule[]>();
  for (const rule of rulesOf(config)) {
    const path = pathOfSelector(rule.selector);
    if (!schema.methods.has(path)) {
      throw invalid(`the selector ${JSON.stringify(rule.selector)} is no method of the schema`);
    }
    rules.set(path, flattenHttpRule(rule));
  }
  const methods = new Map(
    [...schema.methods].map(([path, method]) => [
      path,
      { ...method, rules: rules.get(path) ?? method.rules },
    ]),
  );
  return { ...schema, methods };
}

function rulesOf(config: JsonValue): readonly HttpRuleMessage[] {
  const http = memberOf(config, "http");
  const rules = memberOf(http, "rules");
  if (!Array.isArray(rules)) throw invalid("it has no list http.rules");
  const desc = ownRegistry().getMessage("google.api.HttpRule") as
    | (GenMessage<HttpRuleMessage> & DescMessage)
    | undefined;
  if (desc === undefined) throw new Error("the descriptor of google.api.HttpRule is missing");
  const codec = createCodec(desc, { strict: true });
  return rules.map((rule, index) => {
    try {
      return fromBinary(desc, codec.bytesFromJson(rule));
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      throw invalid(`http.rules[${index}]: ${error.message}`, error);
    }
  });
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function pathOfSelector(selector: string): string {
  const dot = selector.lastIndexOf(".");
  return `/${selector.slice(0, dot)}/${selector.slice(dot + 1)}`;
}

function invalid(what: string, cause?: unknown): RpcError {
  return new RpcError("http_rule_invalid", `the service configuration: ${what}`, cause);
}
