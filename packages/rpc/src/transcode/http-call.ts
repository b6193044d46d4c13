import type { JsonObject, JsonValue } from "../codec/message-codec.ts";
import { RpcError } from "../error.ts";
import type { HttpRule, Method } from "../schema/method.ts";
import { defaultRule } from "./binding.ts";
import { isObject } from "./field-path.ts";
import { parsePathTemplate, type TemplateVariable } from "./path-template.ts";

/** A call as an HTTP request, as a client makes it. */
export interface HttpCall {
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly target: string;
  /** JSON text; undefined where the rule has no body. */
  readonly body: string | undefined;
}

/** The rule by which a client calls a method: its first, or the one of methods that have none. */
export function ruleForClient(method: Method): HttpRule {
  const rule = method.rules[0] ?? defaultRule(method);
  return rule.method === "*" ? { ...rule, method: "POST" } : rule;
}

/**
 * The HTTP request for a message: what the path has variables for goes there, then what the rule has a body for,
 * and all that is left into the query. Throws RpcError `json_invalid` where the path lacks a value.
 */
export function httpCallOf(method: Method, message: JsonObject): HttpCall {
  const rule = ruleForClient(method);
  const template = parsePathTemplate(rule.template);
  const rest = structuredClone(message);
  const values = template.variables.map((variable) => takeValue(rest, variable, method));
  const segments: string[] = [];
  for (let index = 0; index < template.segments.length; index++) {
    const at = template.variables.findIndex(({ start }) => start === index);
    const variable = template.variables[at];
    const segment = template.segments[index];
    if (variable !== undefined) {
      const value = values[at] ?? "";
      segments.push(
        variable.multi ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value),
      );
      index = variable.end - 1;
    } else {
      segments.push(segment?.kind === "literal" ? encodeURIComponent(segment.text) : "-");
    }
  }
  const path = `/${segments.join("/")}${template.verb === "" ? "" : `:${template.verb}`}`;
  if (rule.body === "*") return { method: rule.method, target: path, body: JSON.stringify(rest) };
  const body = rule.body === "" ? undefined : JSON.stringify(takeField(rest, rule.body, method) ?? {});
  const query = new URLSearchParams();
  addToQuery(query, "", rest);
  return { method: rule.method, target: query.size === 0 ? path : `${path}?${query.toString()}`, body };
}

/**
 * Where a stream of messages is sent: the method and the path, with the values that the first message has for
 * its variables; the messages are sent whole. Throws RpcError `json_invalid` where the path lacks a value.
 */
export function streamTargetOf(
  method: Method,
  first: JsonObject,
): { readonly method: string; readonly target: string } {
  const call = httpCallOf(method, first);
  return { method: call.method, target: call.target.replace(/\?.*$/, "") };
}

/** Whether the path of a method needs values of a message. */
export function needsMessage(method: Method): boolean {
  return parsePathTemplate(ruleForClient(method).template).variables.length > 0;
}

function takeValue(message: JsonObject, { fieldPath }: TemplateVariable, method: Method): string {
  let object = message;
  let desc: Method["input"] | undefined = method.input;
  for (const [index, name] of fieldPath.entries()) {
    const field: Method["input"]["fields"][number] | undefined = desc?.fields.find(
      (each) => each.name === name,
    );
    const key = [field?.jsonName ?? name, name].find((each) => Object.hasOwn(object, each)) ?? name;
    const value: JsonValue | undefined = object[key];
    if (index === fieldPath.length - 1) {
      delete object[key];
      if (typeof value === "object" || value === undefined) {
        throw new RpcError(
          "json_invalid",
          `${method.path} needs a value for ${fieldPath.join(".")}, which its URL has`,
        );
      }
      return String(value);
    }
    if (!isObject(value)) break;
    object = value;
    desc = field?.message;
  }
  throw new RpcError(
    "json_invalid",
    `${method.path} needs a value for ${fieldPath.join(".")}, which its URL has`,
  );
}

function takeField(message: JsonObject, name: string, method: Method): JsonValue | undefined {
  const field = method.input.fields.find((each) => each.name === name);
  const key = [field?.jsonName ?? name, name].find((each) => Object.hasOwn(message, each));
  if (key === undefined) return undefined;
  const value = message[key];
  delete message[key];
  return value;
}

function addToQuery(query: URLSearchParams, prefix: string, object: JsonObject): void {
  for (const [name, value] of Object.entries(object)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (isObject(each)) addToQuery(query, `${prefix}${name}.`, each);
      else if (each !== null)
        query.append(prefix + name, typeof each === "string" ? each : JSON.stringify(each));
    }
  }
}
