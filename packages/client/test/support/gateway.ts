import { createLogger, Gateway, type GatewayOptions } from "@sluice/gateway";
import { compileProtos, createHttp2Backend, type Schema } from "@sluice/rpc";
import { type EchoServer, startEchoServer } from "@sluice/testkit";

/** A gateway in this process, before a gRPC server. */
export interface TestGateway {
  readonly gateway: Gateway;
  readonly http: string;
  readonly ws: string;
  readonly port: number;
  /** Ends it, when its calls have ended or after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/** Starts a gateway before the gRPC server at `target`, whose services are those of `protoPath`. */
export async function startGateway(
  target: string,
  schema: Schema,
  options: Partial<GatewayOptions> & { readonly port?: number } = {},
): Promise<TestGateway> {
  const gateway = new Gateway({
    upstreams: [
      { name: target, backend: createHttp2Backend(target), loadSchema: () => Promise.resolve(schema) },
    ],
    log: createLogger("silent"),
    ...options,
  });
  const { port } = await gateway.start("127.0.0.1", options.port ?? 0);
  const address = `127.0.0.1:${port}`;
  return {
    gateway,
    http: `http://${address}`,
    ws: `ws://${address}`,
    port,
    close: (graceMs = 0) => gateway.close(graceMs),
  };
}

/** A gateway before the echo server of the testkit, both closed by `close`. */
export async function startEchoGateway(
  options: Partial<GatewayOptions> = {},
): Promise<TestGateway & { readonly echo: EchoServer; readonly schema: Schema }> {
  const echo = await startEchoServer();
  const schema = await compileProtos([echo.protoPath], { importPaths: echo.importPaths });
  const gateway = await startGateway(echo.address, schema, options);
  const close = async (graceMs?: number): Promise<void> => {
    await gateway.close(graceMs);
    await echo.close();
  };
  return { ...gateway, echo, schema, close };
}
