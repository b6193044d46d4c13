/** The codes of gRPC, each with its number, and the HTTP status that says the same. */
const codes: ReadonlyMap<string, readonly [number: number, httpStatus: number]> = new Map([
  ["CANCELLED", [1, 499]],
  ["UNKNOWN", [2, 500]],
  ["INVALID_ARGUMENT", [3, 400]],
  ["DEADLINE_EXCEEDED", [4, 504]],
  ["NOT_FOUND", [5, 404]],
  ["ALREADY_EXISTS", [6, 409]],
  ["PERMISSION_DENIED", [7, 403]],
  ["RESOURCE_EXHAUSTED", [8, 429]],
  ["FAILED_PRECONDITION", [9, 400]],
  ["ABORTED", [10, 409]],
  ["OUT_OF_RANGE", [11, 400]],
  ["UNIMPLEMENTED", [12, 501]],
  ["INTERNAL", [13, 500]],
  ["UNAVAILABLE", [14, 503]],
  ["DATA_LOSS", [15, 500]],
  ["UNAUTHENTICATED", [16, 401]],
]);

/** The number of a gRPC code; that of UNKNOWN for another name. */
export function numberOfCode(name: string): number {
  return codes.get(name)?.[0] ?? 2;
}

/** The HTTP status of a gRPC code; 500 for another name. */
export function httpStatusOfCode(name: string): number {
  return codes.get(name)?.[1] ?? 500;
}
