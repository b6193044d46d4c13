import type { Session } from "@sluice/hub";
import type { Metadata } from "@sluice/rpc";

/** Who asks; a user with other characters than printable ASCII is percent-encoded, as gRPC does with messages. */
export function metadataOfSession({ id, user }: Session): Metadata {
  if (user === "") return { "sluice-session": id };
  const encoded = user.replace(/[^\x20-\x24\x26-\x7e]+/g, (part) => encodeURIComponent(part));
  return { "sluice-session": id, "sluice-user": encoded };
}
