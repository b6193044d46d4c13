import { runInTurn } from "../run-in-turn.ts";
import type { JoinAttempt } from "./client.ts";
import { type AnyNamespace, Namespace } from "./namespace.ts";
import { ParentNamespace } from "./parent-namespace.ts";
import type { AnyServer } from "./server.ts";
import type { Untyped } from "./typed-events.ts";

/**
 * Decides by `decide(null, true)` whether a namespace is to be created that a client names and that there is not yet.
 * `auth` is what the client says to it.
 */
export type ParentNspNameMatchFn = (
  name: string,
  auth: Record<string, Untyped>,
  decide: (error: Error | null, allowed: boolean) => void,
) => unknown;

/** Decides on names, and has what namespaces of such names inherit. */
interface Family {
  /** Undefined where a function decides, which is asked for clients only. */
  readonly pattern: RegExp | undefined;
  readonly decide: ParentNspNameMatchFn;
  readonly parent: ParentNamespace;
}

/** The namespaces of a server: those that there are, and those that clients may bring about. */
export class Namespaces {
  readonly byName: Map<string, AnyNamespace> = new Map();
  readonly #server: AnyServer;
  readonly #families: Family[] = [];

  constructor(server: AnyServer) {
    this.#server = server;
  }

  /** The namespace of a name, created if need be: as a child where its name matches a pattern. */
  named(given: string): AnyNamespace {
    const name = given.startsWith("/") ? given : `/${given}`;
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    const family = this.#families.find(({ pattern }) => pattern !== undefined && name.search(pattern) >= 0);
    if (family !== undefined) return this.#createChild(family, name);
    const namespace = new Namespace(this.#server, name);
    this.#add(namespace);
    return namespace;
  }

  /** The parent of the namespaces whose names match a pattern, or that a function allows. */
  matching(match: RegExp | ParentNspNameMatchFn): ParentNamespace {
    const parent = new ParentNamespace(this.#server);
    const isPattern = match instanceof RegExp;
    // A pattern that is global would go on from where it was.
    const decide: ParentNspNameMatchFn = isPattern
      ? (name, _auth, done) => done(null, name.search(match) >= 0)
      : match;
    this.#families.push({ pattern: isPattern ? match : undefined, decide, parent });
    return parent;
  }

  /** Finds the namespace that a client names, or creates it where that is allowed and the client still waits for it. */
  find(
    { name, auth }: JoinAttempt,
    isWaiting: () => boolean,
    found: (namespace: AnyNamespace | undefined) => void,
  ): void {
    const ask = (index: number): void => {
      const known = this.byName.get(name);
      const family = this.#families[index];
      if (known !== undefined || family === undefined) {
        found(known);
        return;
      }
      askFamily(family, name, auth, (isAllowed) => {
        if (!isAllowed) ask(index + 1);
        else found(this.byName.get(name) ?? (isWaiting() ? this.#createChild(family, name) : undefined));
      });
    };
    ask(0);
  }

  #createChild({ parent }: Family, name: string): AnyNamespace {
    const { cleanupEmptyChildNamespaces } = this.#server.opts;
    const remove = (child: AnyNamespace): void => {
      if (this.byName.get(name) !== child) return;
      this.byName.delete(name);
      parent.children.delete(child);
      void child.adapter.close();
    };
    const child = parent.createChild(name, cleanupEmptyChildNamespaces ? remove : undefined);
    this.#add(child);
    return child;
  }

  #add(namespace: AnyNamespace): void {
    this.byName.set(namespace.name, namespace);
    this.#server._onNamespace(namespace);
  }
}

/** Asks a family whether a name is one of its own. One that fails has denied it. */
function askFamily(
  { decide }: Family,
  name: string,
  auth: Record<string, unknown>,
  answered: (isAllowed: boolean) => void,
): void {
  let allowed = false;
  runInTurn(
    [decide],
    (each, next) =>
      each(name, auth, (error, isAllowed) => {
        allowed = isAllowed;
        next(error);
      }),
    (error) => answered(error === undefined && allowed),
  );
}
