import { isIP } from "node:net";
import { publicKeyAlgorithms, secretAlgorithms, secretBytes } from "./algorithms.ts";
import type { IdentityOptions, JwksOptions, JwtOptions } from "./identity-options.ts";
import { placesFrom } from "./token-place.ts";

/** What is wrong with the options. */
export interface OptionProblem {
  /** The path of the option within `identity`, such as `jwt.jwks.url`. */
  readonly option: string;
  /** A sentence that says what is wrong and what to do. It never has a secret in it. */
  readonly message: string;
}

/** The greatest of all limits: what a timer of Node can wait, in milliseconds. */
const greatest = 0x7fff_ffff;
/** Names of headers, cookies and so on: a token of RFC 9110, section 5.6.2. */
const name = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const sources = ["secret", "secretFile", "publicKey", "publicKeyFile", "jwks"] as const;

/** Everything that is wrong with options for identity, as far as it can be said without reading a file. */
export function validateIdentityOptions(options: IdentityOptions): OptionProblem[] {
  const problems = validateJwtOptions(options.jwt);
  const places = placesFrom(options.from);
  if (places.length === 0) {
    problems.push({
      option: "from",
      message: "from is empty; name a place, such as header, or leave it out",
    });
  }
  for (const place of places) {
    if (place.kind === "subprotocol" || place.kind === "message" || name.test(place.name)) continue;
    problems.push({
      option: "from",
      message: `from has ${JSON.stringify(place.name)}, which is no name of a ${place.kind}`,
    });
  }
  if (options.required === false && places.some(({ kind }) => kind === "message")) {
    problems.push({
      option: "required",
      message: "required is false, but a client whose token comes in its first message must send one; choose",
    });
  }
  return problems;
}

/** Everything that is wrong with options for tokens, as far as it can be said without reading a file. */
export function validateJwtOptions(options: JwtOptions): OptionProblem[] {
  const problems: OptionProblem[] = [];
  const problem = (option: string, message: string): void =>
    void problems.push({ option: `jwt.${option}`, message: `jwt.${option} ${message}` });

  const given = sources.filter((source) => options[source] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? "none of them is given" : `${given.join(" and ")} are given`;
    const message = `jwt needs exactly one of ${sources.join(", ")}; ${found}`;
    problems.push({ option: "jwt", message });
  }
  const takesSecret = options.secret !== undefined || options.secretFile !== undefined;
  const fitting: readonly string[] = takesSecret ? secretAlgorithms : publicKeyAlgorithms;
  const unfit = options.algorithms?.find((each) => !fitting.includes(each));
  if (unfit !== undefined) {
    const source = takesSecret ? "a secret" : "a public key";
    problem("algorithms", `has ${unfit}, which is none for ${source}; those are ${fitting.join(", ")}`);
  } else if (options.algorithms?.length === 0) {
    problem("algorithms", "is empty; name one, or leave it out");
  } else if (options.secret !== undefined) {
    const wrong = problemOfSecret(Buffer.byteLength(options.secret), options);
    if (wrong !== undefined) problem("secret", wrong);
  }
  for (const option of ["issuer", "audience"] as const) {
    const value = options[option];
    if (value !== undefined && (value.length === 0 || (Array.isArray(value) && value.includes("")))) {
      problem(option, "is empty; say what it must be, or leave it out");
    }
  }
  if (options.userClaim === "") problem("userClaim", "is empty; name a claim, or leave it out");
  if (!isLimit(options.clockToleranceMs, 0))
    problem("clockToleranceMs", `must be a whole number from 0 to ${greatest}`);
  if (!isLimit(options.maxTokenBytes, 1))
    problem("maxTokenBytes", `must be a whole number from 1 to ${greatest}`);
  if (options.jwks !== undefined) {
    const jwks = typeof options.jwks === "string" ? { url: options.jwks } : options.jwks;
    const wrong = problemOfUrl(jwks);
    if (wrong !== undefined) problem(typeof options.jwks === "string" ? "jwks" : "jwks.url", wrong);
    for (const limit of ["refreshMs", "cooldownMs", "timeoutMs", "maxBytes"] as const) {
      if (!isLimit(jwks[limit], 1)) problem(`jwks.${limit}`, `must be a whole number from 1 to ${greatest}`);
    }
  }
  return problems;
}

/** Why a secret of so many bytes will not do for the algorithms, as the rest of a sentence; undefined where it will. */
export function problemOfSecret(bytes: number, { algorithms }: JwtOptions): string | undefined {
  const wanted = secretAlgorithms.filter((each) => algorithms?.includes(each) ?? each === "HS256");
  const short = wanted.find((each) => bytes < secretBytes[each]);
  if (short === undefined) return undefined;
  return (
    `has ${bytes} bytes, and ${short} needs ${secretBytes[short]} at least (RFC 7518, section 3.2); ` +
    `make one with: openssl rand -hex ${secretBytes[short]}`
  );
}

function problemOfUrl({ url: text, insecure }: JwksOptions): string | undefined {
  if (!URL.canParse(text)) return "is not a URL";
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return "has a user or a password, which are not sent";
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:") return `has the scheme ${url.protocol}, and must have https:`;
  if (insecure === true || isLoopback(url.hostname)) return undefined;
  return "is http: to another machine, where anybody on the way could put in keys; use https:, or set insecure";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || (isIP(host) === 4 && host.startsWith("127."));
}

/** Whether a number is one that a timer or a size can be; absent ones are. */
function isLimit(value: number | undefined, least: number): boolean {
  return value === undefined || (Number.isInteger(value) && value >= least && value <= greatest);
}
