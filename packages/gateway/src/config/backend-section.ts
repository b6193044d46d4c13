import { z } from "zod";
import {
  count,
  duration,
  flag,
  oneOf,
  oneOrMore,
  share,
  size,
  switchable,
  text,
  textLike,
} from "./value-types.ts";

/** TLS with a backend; files in PEM. */
export interface BackendTlsSection {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
}

/** Health checking of a backend's addresses; milliseconds. */
export interface HealthSection {
  readonly service: string;
  readonly timeout: number;
}

/** When an address is left out; milliseconds. */
export interface EjectSection {
  readonly failures: number;
  readonly rate: number;
  readonly minCalls: number;
  readonly interval: number;
  readonly base: number;
  readonly max: number;
  readonly maxShare: number;
}

/** When a call is tried again; milliseconds and bytes. */
export interface RetrySection {
  readonly attempts: number;
  readonly methods?: readonly string[] | undefined;
  readonly initial: number;
  readonly max: number;
  readonly buffer: number;
}

/** How a method is shared. */
export interface ShareSection {
  readonly per: readonly string[];
  readonly replay: boolean;
  readonly slow: "close" | "latest";
  readonly waiting: number;
}

/** Waiting between attempts to connect; milliseconds. */
export interface BackoffSection {
  readonly initial: number;
  readonly max: number;
}

/** Pings to a backend; milliseconds. */
export interface KeepaliveSection {
  readonly interval: number;
  readonly timeout: number;
}

/** One backend of a configuration; times in milliseconds, sizes in bytes. */
export interface BackendSection {
  readonly target: readonly string[];
  readonly tls?: BackendTlsSection | undefined;
  readonly authority?: string | undefined;
  readonly descriptor?: readonly string[] | undefined;
  readonly proto?: readonly string[] | undefined;
  readonly protoPath?: readonly string[] | undefined;
  readonly httpRules?: readonly string[] | undefined;
  readonly balance: "round_robin" | "least_requests";
  readonly health?: HealthSection | undefined;
  readonly eject?: EjectSection | undefined;
  readonly retry?: RetrySection | undefined;
  readonly timeout?: number | undefined;
  readonly maxTimeout?: number | undefined;
  readonly maxReply?: number | undefined;
  readonly connectTimeout: number;
  readonly backoff: BackoffSection;
  readonly keepalive: KeepaliveSection;
  readonly connections: number;
  readonly waitingCalls: number;
  readonly share: Readonly<Record<string, ShareSection>>;
}

/** `package.Service/Method`. */
export function methodName(): z.ZodType<string, string> {
  return textLike(/^\/?[A-Za-z_][\w.]*\/[A-Za-z_]\w*$/, "must be a method, as in shop.v1.Orders/Get");
}

const tls: z.ZodType<BackendTlsSection> = z.strictObject({
  ca: text("a file").optional().describe("PEM certificates of the authorities to trust. Default: Node's."),
  cert: text("a file")
    .optional()
    .describe("The PEM certificate, with its chain, to show (mTLS); goes with key."),
  key: text("a file").optional().describe("The PEM private key of cert."),
  serverName: text("a name")
    .optional()
    .describe("The name that the server's certificate must have, and SNI. Default: the host of the target."),
});

const health: z.ZodType<HealthSection> = z.strictObject({
  service: z.string().prefault("").describe("The service that is asked for; empty is the server as a whole."),
  timeout: duration().prefault("10s").describe("How long the first answer may take."),
});

const eject: z.ZodType<EjectSection> = z.strictObject({
  failures: count({ least: 0 })
    .prefault(5)
    .describe("How many calls in a row must go wrong; 0 does not look at that."),
  rate: share().prefault(0.85).describe("The share of an interval's calls that must go wrong."),
  minCalls: count().prefault(50).describe("How many calls an interval must have for rate to count."),
  interval: duration().prefault("10s").describe("How long an interval is."),
  base: duration()
    .prefault("30s")
    .describe("How long an address is out at first; the nth time in a row, n times as long."),
  max: duration().prefault("5m").describe("The longest time that an address is out."),
  maxShare: share().prefault(0.5).describe("The largest share of the addresses that is out at once."),
});

const retry: z.ZodType<RetrySection> = z.strictObject({
  attempts: count({ most: 10 }).prefault(3).describe("How often a call is tried, the first time among it."),
  methods: z
    .array(methodName())
    .optional()
    .describe("The methods that may be tried again, because running them twice does no harm. Default: all."),
  initial: duration().prefault("25ms").describe("The pause before the second attempt; it doubles with each."),
  max: duration().prefault("1s").describe("The longest pause."),
  buffer: size().prefault("64KiB").describe("The most bytes of a request that are kept to send it again."),
});

const shared: z.ZodType<ShareSection> = z.strictObject({
  per: z
    .array(text("the name of a metadatum"))
    .prefault([])
    .describe("Metadata that tells clients apart, such as authorization; the server is told no other."),
  replay: flag().prefault(false).describe("Whether a client that comes later first gets the latest message."),
  slow: oneOf(["close", "latest"])
    .prefault("close")
    .describe(
      "What becomes of a client that reads too slowly: its call ends, or it gets the latest message only.",
    ),
  waiting: size().prefault("1MiB").describe("The most bytes that wait for one client."),
});

const backoff: z.ZodType<BackoffSection> = z.strictObject({
  initial: duration()
    .prefault("100ms")
    .describe("The wait before the second attempt; it grows by 1.6 with each."),
  max: duration().prefault("5s").describe("The longest wait."),
});

const keepalive: z.ZodType<KeepaliveSection> = z.strictObject({
  interval: duration({ least: 0 })
    .prefault("310s")
    .describe(
      "How long a connection with calls is silent until a ping; 0s never. gRPC servers allow one in 5 minutes by default.",
    ),
  timeout: duration().prefault("20s").describe("How long the answer to a ping may take."),
});

/** One backend. */
export const backendSchema: z.ZodType<BackendSection> = z.strictObject(
  {
    target: oneOrMore(text("an address, as in localhost:50051")).describe(
      "The gRPC server: HOST:PORT, several with commas or as a list, dns:///HOST:PORT for all of a name, https://HOST:PORT for TLS, unix:/PATH.",
    ),
    tls: switchable(tls)
      .optional()
      .describe(
        "Speak TLS, also where the address does not say https://: true, or its options. Default: as the address says.",
      ),
    authority: text("a host")
      .optional()
      .describe("The :authority of the calls. Default: host and port of the target."),
    descriptor: oneOrMore(text("a file"))
      .optional()
      .describe(
        "Take the schema from descriptor sets (protoc --include_imports -o FILE). Default: from the server's reflection.",
      ),
    proto: oneOrMore(text("a file"))
      .optional()
      .describe("Take the schema from .proto files, compiled offline."),
    protoPath: oneOrMore(text("a folder")).optional().describe("Where .proto files find their imports."),
    httpRules: oneOrMore(text("a file"))
      .optional()
      .describe("HTTP rules in YAML (google.api.Service), in place of those in the schema."),
    balance: oneOf(["round_robin", "least_requests"])
      .prefault("round_robin")
      .describe("Which of several addresses gets a call."),
    health: switchable(health)
      .optional()
      .describe("Call only addresses of which grpc.health.v1 says that they serve: true, or its options."),
    eject: switchable(eject)
      .optional()
      .describe("Leave out, for a while, addresses whose calls go wrong: true, or its options."),
    retry: switchable(retry)
      .optional()
      .describe(
        "Try a call again that ended UNAVAILABLE before any reply, within a budget: true, or its options.",
      ),
    timeout: duration().optional().describe("As the key of the same name above, for this backend."),
    maxTimeout: duration().optional().describe("As the key of the same name above, for this backend."),
    maxReply: size().optional().describe("The largest message of this server. Default: limits.reply."),
    connectTimeout: duration().prefault("20s").describe("How long a connection may take, TLS among it."),
    backoff: backoff.prefault({}).describe("How long to wait between attempts to connect."),
    keepalive: keepalive.prefault({}).describe("Pings that find out whether a silent connection is alive."),
    connections: count().prefault(100).describe("The most connections to one address."),
    waitingCalls: count().prefault(1_000).describe("The most calls that wait for a connection."),
    share: z
      .record(methodName(), shared)
      .prefault({})
      .describe("Server-streaming methods that are opened once for all clients with the same request."),
  },
  { error: "must be a mapping, as in { target: localhost:50051 }" },
);

/** The name of a backend. */
export const backendName: z.ZodType<string, string> = textLike(
  /^[A-Za-z0-9][\w.-]{0,62}$/,
  "must be a name of letters, digits, - . and _, at most 63",
);
