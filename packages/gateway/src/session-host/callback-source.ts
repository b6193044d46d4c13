import { createSchema, RpcError } from "@sluice/rpc";
import { file_sluice_session_v1_session } from "../sessions/generated/sluice/session/v1/session_pb.ts";
import type { UpstreamSource } from "../upstream-source.ts";

/**
 * A backend that is called for sessions: it needs no reflection, as the gateway knows the service. What else it has can be
 * called where it tells.
 */
export function callbackSource(source: UpstreamSource): UpstreamSource {
  return {
    ...source,
    load: async (server) => {
      try {
        return await source.load(server);
      } catch (error) {
        if (!(error instanceof RpcError) || error.code !== "reflection_unsupported") throw error;
        return createSchema({ name: source.name, files: [file_sluice_session_v1_session.proto] });
      }
    },
  };
}
