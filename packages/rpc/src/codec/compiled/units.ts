import type { DescExtension, DescMessage, Registry } from "@bufbuild/protobuf";
import type { JsonOptions } from "../message-codec.ts";
import type { Field } from "./field.ts";
import { readSource, readWrapperSource } from "./read-source.ts";
import { Scope } from "./scope.ts";
import type { ReadMessage, Unit, WriteMessage } from "./unit.ts";
import { wellKnownType, wrappedField } from "./well-known.ts";
import { writeSource, writeWrapperSource } from "./write-source.ts";

/** The units of all message types that one set of options has met. Each is generated when it is first used. */
export class Units {
  readonly #units = new WeakMap<DescMessage, Unit>();
  readonly #extensions = new Map<string, DescExtension[]>();
  readonly #options: Required<JsonOptions>;
  readonly #registry: Registry;

  constructor(registry: Registry, options: JsonOptions) {
    this.#registry = registry;
    this.#options = {
      strict: options.strict ?? false,
      emitDefaults: options.emitDefaults ?? false,
      enumsAsNumbers: options.enumsAsNumbers ?? false,
      protoFieldNames: options.protoFieldNames ?? false,
    };
    for (const each of registry) {
      if (each.kind !== "extension") continue;
      const { typeName } = each.extendee;
      this.#extensions.set(typeName, [...(this.#extensions.get(typeName) ?? []), each]);
    }
  }

  readonly unitOf = (desc: DescMessage): Unit => {
    let unit = this.#units.get(desc);
    if (unit === undefined) this.#units.set(desc, (unit = this.#createUnit(desc)));
    return unit;
  };

  readonly #find = (typeName: string): Unit | undefined => {
    const desc = this.#registry.getMessage(typeName);
    return desc === undefined ? undefined : this.unitOf(desc);
  };

  #createUnit(desc: DescMessage): Unit {
    const wellKnown = wellKnownType(desc.typeName, this.#find);
    if (wellKnown !== undefined) return { custom: true, ...wellKnown };
    const unit: Unit = {
      custom: wrappedField(desc) !== undefined,
      write: (json, writer, depth, inAny) => {
        unit.write = this.#generateWrite(desc);
        unit.write(json, writer, depth, inAny);
      },
      read: (reader, end, depth, more, head) => {
        unit.read = this.#generateRead(desc);
        return unit.read(reader, end, depth, more, head);
      },
    };
    return unit;
  }

  #generateWrite(desc: DescMessage): WriteMessage {
    const scope = new Scope();
    const options = { ...this.#options, scope, unitOf: this.unitOf };
    const wrapped = wrappedField(desc);
    const source =
      wrapped === undefined
        ? writeSource(this.#fieldsOf(desc), options)
        : writeWrapperSource(wrapped, options);
    return scope.run(source) as WriteMessage;
  }

  #generateRead(desc: DescMessage): ReadMessage {
    const scope = new Scope();
    const options = { ...this.#options, scope, unitOf: this.unitOf };
    const wrapped = wrappedField(desc);
    const source =
      wrapped === undefined ? readSource(this.#fieldsOf(desc), options) : readWrapperSource(wrapped, options);
    return scope.run(source) as ReadMessage;
  }

  /** The fields by number, and after them the extensions by number. */
  #fieldsOf(desc: DescMessage): Field[] {
    const extensions = this.#extensions.get(desc.typeName) ?? [];
    return [...desc.fields.toSorted(byNumber), ...extensions.toSorted(byNumber)];
  }
}

function byNumber(a: Field, b: Field): number {
  return a.number - b.number;
}
