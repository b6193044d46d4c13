/**
 * The canonical gRPC status codes.
 * Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
 */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** One of the seventeen canonical codes, 0 to 16. */
export type Code = (typeof Code)[keyof typeof Code];

const names = Object.keys(Code);

/** Whether a number is one of the seventeen canonical codes. */
export function isCode(value: number): value is Code {
  return Number.isInteger(value) && value >= 0 && value < names.length;
}

/** The upper-case name of a code (`NOT_FOUND`), or `CODE_99` for a number that gRPC does not define. */
export function nameOfCode(code: number): string {
  return names[code] ?? `CODE_${code}`;
}

const httpStatuses = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/**
 * The HTTP status that stands for a gRPC code where a call is answered as plain HTTP; 500 for an unknown code.
 * Source: the comments of google/rpc/code.proto.
 */
export function httpStatusFromCode(code: number): number {
  return httpStatuses[code] ?? 500;
}

/**
 * The gRPC code that stands for an HTTP status that came without `grpc-status`, as a proxy in between sends it.
 * Source: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
 */
export function codeFromHttpStatus(status: number): Code {
  switch (status) {
    case 400:
      return Code.INTERNAL;
    case 401:
      return Code.UNAUTHENTICATED;
    case 403:
      return Code.PERMISSION_DENIED;
    case 404:
      return Code.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code.UNAVAILABLE;
    default:
      return Code.UNKNOWN;
  }
}
