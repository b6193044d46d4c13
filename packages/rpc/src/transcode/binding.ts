import type { DescField } from "@bufbuild/protobuf";
import { RpcError } from "../error.ts";
import type { HttpRule, Method } from "../schema/method.ts";
import type { Schema } from "../schema/schema.ts";
import { resolveFieldPath, type FieldPath } from "./field-path.ts";
import { takesText } from "./field-text.ts";
import { parsePathTemplate, type PathTemplate } from "./path-template.ts";

/** An HTTP rule, checked against its method and resolved to the fields that it names. */
export interface Binding {
  readonly method: Method;
  readonly rule: HttpRule;
  readonly template: PathTemplate;
  /** The fields that the variables of the template fill, in its order. */
  readonly variables: readonly FieldPath[];
  /** Where a body goes: the whole message, one field of it, or nowhere. */
  readonly body: "whole" | "none" | DescField;
  /** The field of the response that is its body; undefined for the whole message. */
  readonly responseField: DescField | undefined;
}

/** The bindings of a schema, and the rules that cannot be one, each as RpcError `http_rule_invalid`. */
export interface Bindings {
  readonly bindings: readonly Binding[];
  readonly problems: readonly RpcError[];
}

/**
 * Makes the bindings of all methods of a schema, in its order. A method without an HTTP rule is bound to
 * `POST /<package.Service>/<Method>` with the whole message as body.
 */
export function createBindings(schema: Schema): Bindings {
  const bindings: Binding[] = [];
  const problems: RpcError[] = [];
  for (const method of schema.methods.values()) {
    const rules = method.rules.length > 0 ? method.rules : [defaultRule(method)];
    for (const rule of rules) {
      try {
        bindings.push(createBinding(method, rule));
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        problems.push(error);
      }
    }
  }
  return { bindings, problems };
}

/** The rule of a method that declares none. */
export function defaultRule(method: Method): HttpRule {
  return { method: "POST", template: method.path, body: "*", responseBody: "" };
}

function createBinding(method: Method, rule: HttpRule): Binding {
  const fail = (what: string): never => {
    throw new RpcError("http_rule_invalid", `${method.path}: ${rule.method} ${rule.template}: ${what}`);
  };
  const template = parseTemplate(rule, fail);
  const variables = template.variables.map(({ fieldPath }) => {
    const name = fieldPath.join(".");
    const path = resolveFieldPath(method.input, fieldPath);
    if (path === undefined) return fail(`${method.input.typeName} has no field ${name}`);
    const leaf = path[path.length - 1] ?? path[0];
    if (leaf.fieldKind === "list" || !takesText(leaf)) {
      return fail(`field ${name} is repeated or a message, so it cannot be a variable`);
    }
    return path;
  });
  return {
    method,
    rule,
    template,
    variables,
    body: bodyOf(method, rule, fail),
    responseField: rule.responseBody === "" ? undefined : fieldOf(method.output, rule.responseBody, fail),
  };
}

function parseTemplate(rule: HttpRule, fail: (what: string) => never): PathTemplate {
  try {
    return parsePathTemplate(rule.template);
  } catch (error) {
    if (error instanceof RpcError) return fail(error.message);
    throw error;
  }
}

function bodyOf(method: Method, rule: HttpRule, fail: (what: string) => never): Binding["body"] {
  if (rule.body === "") return "none";
  if (rule.body === "*") return "whole";
  return fieldOf(method.input, rule.body, fail);
}

function fieldOf(message: Method["input"], name: string, fail: (what: string) => never): DescField {
  return (
    message.fields.find((field) => field.name === name) ?? fail(`${message.typeName} has no field ${name}`)
  );
}
