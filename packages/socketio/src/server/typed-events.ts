import { EventEmitter } from "node:events";

// What users give as maps of events is whatever compiles against the package socket.io, and that is `any` where
// nothing is given. This is the one file that says so; the words below are what the others use.

/** What untyped code of an application may do anything with: `socket.data`, `handshake.auth`, an error's `data`. */
// oxlint-disable-next-line typescript/no-explicit-any -- It is what users compile against who give no type.
export type Untyped = any;

/** A function that takes whatever it is given. */
export type AnyListener = (...args: Untyped[]) => void;

/** The names of events, each with the type of its listener. An interface of an application is one. */
export interface EventsMap {
  [event: string]: Untyped;
}

/** The events where no map is given: of any name, with any arguments. */
export interface DefaultEventsMap {
  [event: string]: AnyListener;
}

/** The names in a map. */
export type EventNames<Map extends EventsMap> = keyof Map & (string | symbol);

/** The arguments of an event. */
export type EventParams<Map extends EventsMap, Name extends EventNames<Map>> = Parameters<Map[Name]>;

/** Whether a type is `any`: nothing else lets a 0 be a part of a 1. */
type IsAny<Type> = 0 extends 1 & Type ? true : false;

/** A function of any kind. */
type AnyFunction = (...args: Untyped[]) => Untyped;

/** The last of some types; with an optional or a rest parameter at the end, what that may be. */
export type Last<Tuple extends readonly unknown[]> = Tuple extends readonly [infer Only]
  ? Only
  : Tuple extends readonly [unknown, ...infer Rest]
    ? Last<Rest>
    : Tuple extends readonly (infer Each)[]
      ? Each
      : never;

/** All of some types but the last. */
export type AllButLast<Tuple extends readonly unknown[]> = Tuple extends [...infer Start, unknown]
  ? Start
  : Untyped[];

/** Whether a map says nothing of an event, so that it may be used in all ways. */
type IsUntyped<Map extends EventsMap, Name extends EventNames<Map>> = IsAny<
  Last<Parameters<Map[Name]>> | Map[Name]
>;

/** Whether the last argument of an event is a function, for the answer. */
type AsksForAnswer<Listener extends AnyFunction> =
  Parameters<Listener> extends never[]
    ? false
    : Last<Parameters<Listener>> extends AnyFunction
      ? true
      : false;

/** The names of the events whose last argument is a function for the answer. */
export type EventNamesWithAck<Map extends EventsMap, Name extends EventNames<Map> = EventNames<Map>> =
  IsUntyped<Map, Name> extends true
    ? Name
    : Name extends EventNames<Map>
      ? AsksForAnswer<Map[Name]> extends true
        ? Name
        : never
      : never;

/** The names of the events that ask for no answer. */
export type EventNamesWithoutAck<Map extends EventsMap, Name extends EventNames<Map> = EventNames<Map>> =
  IsUntyped<Map, Name> extends true
    ? Name
    : Name extends EventNames<Map>
      ? AsksForAnswer<Map[Name]> extends true
        ? never
        : Name
      : never;

/** The arguments of what may not be a function. */
type ParametersOfAny<Type> = Type extends (...args: infer Args) => Untyped ? Args : never;

/** The names of the events whose function for the answer begins with an error. */
export type EventNamesWithError<
  Map extends EventsMap,
  Name extends EventNamesWithAck<Map> = EventNamesWithAck<Map>,
> =
  IsUntyped<Map, Name> extends true
    ? Name
    : Name extends EventNames<Map>
      ? ParametersOfAny<Last<Parameters<Map[Name]>>>[0] extends Error
        ? Name
        : never
      : never;

/** A map without the events that ask for answers. */
export type RemoveAcknowledgements<Map extends EventsMap> = {
  [Name in EventNamesWithoutAck<Map>]: Map[Name];
};

/** What is an answer's value: its first argument that is no error. */
export type FirstNonErrorTuple<Tuple extends readonly unknown[]> = Tuple[0] extends Error
  ? Tuple[1]
  : Tuple[0];

/** What a promise of an answer resolves to, of the function for the answer. */
export type FirstNonErrorArg<Answer> = Answer extends (...args: infer Args) => Untyped
  ? FirstNonErrorTuple<Args>
  : Untyped;

/** Arguments with an error before those of each function for an answer: it may not come in time. */
type WithTimeoutError<Args extends readonly unknown[]> = {
  [Index in keyof Args]: Args[Index] extends (...args: infer Answer) => infer Result
    ? Answer[0] extends Error
      ? Args[Index]
      : (err: Error, ...args: Answer) => Result
    : Args[Index];
};

/** Arrays of each of some types. */
export type MultiplyArray<Tuple extends readonly unknown[]> = {
  [Index in keyof Tuple]: Tuple[Index][];
};

/** The first of some types as a tuple of one, which keeps its name. */
type OnlyFirst<Tuple extends readonly unknown[]> = Tuple extends [unknown, ...infer Rest]
  ? Tuple extends [...infer First, ...Rest]
    ? First
    : never
  : never;

/** Arguments whose functions for answers get those of many clients: an array, behind an error where there is one. */
type WithManyAnswers<Args extends readonly unknown[]> = {
  [Index in keyof Args]: Args[Index] extends (...args: infer Answer) => infer Result
    ? Answer extends [Error]
      ? (err: Error) => Result
      : Answer extends [Error, ...infer Values]
        ? (err: Error, ...args: OnlyFirst<MultiplyArray<Values>>) => Result
        : Answer extends []
          ? () => Result
          : (...args: OnlyFirst<MultiplyArray<Answer>>) => Result
    : Args[Index];
};

/** A map as who emits with a timeout sees it: functions for answers begin with an error. */
export type DecorateAcknowledgements<Map> = {
  [Name in keyof Map]: Map[Name] extends (...args: infer Args) => infer Result
    ? (...args: WithTimeoutError<Args>) => Result
    : Map[Name];
};

/** A map as who emits to many sees it: answers are arrays. */
export type DecorateAcknowledgementsWithMultipleResponses<Map> = {
  [Name in keyof Map]: Map[Name] extends (...args: infer Args) => infer Result
    ? (...args: WithManyAnswers<Args>) => Result
    : Map[Name];
};

/** A map as who emits to many with a timeout sees it: an error, and arrays. */
export type DecorateAcknowledgementsWithTimeoutAndMultipleResponses<Map> = {
  [Name in keyof Map]: Map[Name] extends (...args: infer Args) => infer Result
    ? (...args: WithManyAnswers<WithTimeoutError<Args>>) => Result
    : Map[Name];
};

/** The names in either of two maps: this package's own events, and those of the application. */
export type ReservedOrUserEventNames<Reserved extends EventsMap, User extends EventsMap> =
  | EventNames<Reserved>
  | EventNames<User>;

/** The listener of an event of either map; this package's own go first. */
export type ReservedOrUserListener<
  Reserved extends EventsMap,
  User extends EventsMap,
  Name extends ReservedOrUserEventNames<Reserved, User>,
> = OrUntypedListener<
  Name extends EventNames<Reserved> ? Reserved[Name] : Name extends EventNames<User> ? User[Name] : never
>;

/** Without it, listeners of maps that are themselves type parameters could have no type at all. */
type OrUntypedListener<Type> = [Type] extends [never] ? (...args: Untyped[]) => void | Promise<void> : Type;

/** What emits the events of a map, and has no listeners. */
export interface TypedEventBroadcaster<EmitEvents extends EventsMap> {
  /** Emits an event. */
  emit<Name extends EventNames<EmitEvents>>(ev: Name, ...args: EventParams<EmitEvents, Name>): boolean;
}

/** An EventEmitter whose events have types: those listened to, those emitted, and this package's own. */
export abstract class StrictEventEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap = {},
>
  extends EventEmitter
  implements TypedEventBroadcaster<EmitEvents>
{
  /** Calls a listener with each event of a name. */
  override on<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Name,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    return super.on(ev, listener);
  }

  /** Calls a listener with the next event of a name. */
  override once<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Name,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Name>,
  ): this {
    return super.once(ev, listener);
  }

  /** Emits an event. */
  override emit<Name extends EventNames<EmitEvents>>(
    ev: Name,
    ...args: EventParams<EmitEvents, Name>
  ): boolean {
    return super.emit(ev, ...(args as unknown[]));
  }

  /** The listeners of an event. */
  override listeners<Name extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Name,
  ): ReservedOrUserListener<ReservedEvents, ListenEvents, Name>[] {
    return super.listeners(event) as ReservedOrUserListener<ReservedEvents, ListenEvents, Name>[];
  }

  /** Calls the listeners of one of this package's own events. */
  protected emitReserved<Name extends EventNames<ReservedEvents>>(
    ev: Name,
    ...args: EventParams<ReservedEvents, Name>
  ): boolean {
    return super.emit(ev, ...(args as unknown[]));
  }

  /** Calls the listeners of an event whose type is not known. */
  protected emitUntyped(ev: string, ...args: unknown[]): boolean {
    return super.emit(ev, ...args);
  }
}
