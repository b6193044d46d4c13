/** How messages stand on a wire. */
export type MessageFormat = "proto" | "json";

/** The type and subtype of a `content-type`, in lower case and without parameters; empty where there is none. */
export function mediaType(contentType: string | undefined): string {
  const end = contentType?.indexOf(";") ?? -1;
  const type = end < 0 ? contentType : contentType?.slice(0, end);
  return type?.trim().toLowerCase() ?? "";
}

/**
 * The format of a media type that is `prefix` with a format behind it (`application/grpc+proto`) or, where
 * `isOptional`, without (then it is `proto`); undefined for a format that is not known.
 */
export function formatOf(type: string, prefix: string, isOptional: boolean): MessageFormat | undefined {
  const format = type.slice(prefix.length);
  if (format === "+proto" || (format === "" && isOptional)) return "proto";
  return format === "+json" ? "json" : undefined;
}
