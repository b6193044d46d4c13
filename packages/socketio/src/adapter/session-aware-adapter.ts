import { Adapter } from "./adapter.ts";

/** An adapter that gives clients that return what they missed. */
export class SessionAwareAdapter extends Adapter {}
