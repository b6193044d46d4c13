import { JsonFault } from "./json-fault.ts";

/** Which of an object's members are fields, in the order of the fields. */
export interface MemberLayout {
  /** The names of all members, in the order of the object. */
  readonly names: readonly string[];
  /** The indexes of the fields that are there, rising. */
  readonly fields: readonly number[];
  /** Where in the object each of those stands. */
  readonly positions: readonly number[];
}

/** Objects with more members are not worth remembering. */
const maximumMembers = 64;

/**
 * Finds the fields of one message type in JSON objects by the names that are there, which is cheaper than to look
 * for all that could be. Objects tend to be alike, so it remembers the last one of each size.
 */
export class MemberLayouts {
  /** The index of a field, for each name that it can have. */
  readonly #fields: ReadonlyMap<string, number>;
  readonly #strict: boolean;
  readonly #last: (MemberLayout | undefined)[] = [];

  constructor(fields: ReadonlyMap<string, number>, strict: boolean) {
    this.#fields = fields;
    this.#strict = strict;
  }

  /**
   * The layout of an object with these names. Other names than those of fields are ignored, or refused where it is
   * strict, but for the `@type` of an Any where the object is `inAny`. Throws a JsonFault.
   */
  of(names: readonly string[], inAny: boolean): MemberLayout {
    const last = this.#last[names.length];
    if (last !== undefined && areEqual(last.names, names)) return last;
    const layout = this.#create(names, inAny);
    // Names that are no fields are somebody's data, and not to be kept.
    if (layout.fields.length === names.length && names.length <= maximumMembers)
      this.#last[names.length] = layout;
    return layout;
  }

  #create(names: readonly string[], inAny: boolean): MemberLayout {
    const fields: number[] = [];
    const positions: number[] = [];
    let rising = true;
    let last = -1;
    for (let position = 0; position < names.length; position++) {
      const name = names[position] as string;
      const field = this.#fields.get(name);
      if (field === undefined) {
        if (!this.#strict || (inAny && name === "@type")) continue;
        throw new JsonFault(`there is no field ${JSON.stringify(name)}`);
      }
      if (field <= last) rising = false;
      last = field;
      fields.push(field);
      positions.push(position);
    }
    return rising ? { names, fields, positions } : sorted({ names, fields, positions });
  }
}

/** The same with rising fields. One that is there twice, by both of its names, is refused. */
function sorted({ names, fields, positions }: MemberLayout): MemberLayout {
  const order = [...fields.keys()].toSorted((a, b) => (fields[a] as number) - (fields[b] as number));
  const layout = {
    names,
    fields: order.map((at) => fields[at] as number),
    positions: order.map((at) => positions[at] as number),
  };
  for (let at = 1; at < order.length; at++) {
    if (layout.fields[at] !== layout.fields[at - 1]) continue;
    const both = [at - 1, at].map((each) => JSON.stringify(names[layout.positions[each] as number]));
    throw new JsonFault(`${both.join(" and ")} are the same field`);
  }
  return layout;
}

function areEqual(one: readonly string[], other: readonly string[]): boolean {
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
