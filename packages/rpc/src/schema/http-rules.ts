import { getExtension, hasExtension, type Message } from "@bufbuild/protobuf";
import type { GenExtension } from "@bufbuild/protobuf/codegenv2";
import type { MethodOptions } from "@bufbuild/protobuf/wkt";
import type { HttpRule } from "./method.ts";
import { ownRegistry } from "./well-known-files.ts";

type Pattern =
  | { case: "get" | "put" | "post" | "delete" | "patch"; value: string }
  | { case: "custom"; value: { kind: string; path: string } }
  | { case: undefined; value?: undefined };

/** A `google.api.HttpRule` as protobuf-es has it. */
export type HttpRuleMessage = Message<"google.api.HttpRule"> & {
  selector: string;
  pattern: Pattern;
  body: string;
  responseBody: string;
  additionalBindings: HttpRuleMessage[];
};

function patternOf(pattern: Pattern): { method: string; template: string } {
  if (pattern.case === undefined) return { method: "", template: "" };
  if (pattern.case === "custom") {
    return { method: pattern.value.kind.toUpperCase(), template: pattern.value.path };
  }
  return { method: pattern.case.toUpperCase(), template: pattern.value };
}

/** A rule and its additional bindings, one after the other. A rule without a pattern has an empty method and template. */
export function flattenHttpRule(rule: HttpRuleMessage): HttpRule[] {
  const { body, responseBody } = rule;
  return [
    { ...patternOf(rule.pattern), body, responseBody },
    ...rule.additionalBindings.flatMap(flattenHttpRule),
  ];
}

/**
 * The HTTP rules among the options of a method, the additional bindings after the rule that has them.
 * A rule without a pattern has an empty method and template. Read by the extension's number with our own
 * descriptor of it, so the schema need not contain google/api/annotations.proto.
 * Throws what protobuf-es throws where the bytes are not a rule.
 */
export function httpRulesOf(options: MethodOptions | undefined): readonly HttpRule[] {
  const http = ownRegistry().getExtension("google.api.http") as
    | GenExtension<MethodOptions, HttpRuleMessage>
    | undefined;
  if (http === undefined || options === undefined || !hasExtension(options, http)) return [];
  return flattenHttpRule(getExtension(options, http));
}
