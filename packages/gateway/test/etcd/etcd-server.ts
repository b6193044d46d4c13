import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A real etcd with an empty store. */
export interface EtcdServer {
  /** Where it has gRPC, and REST and WebSockets through its own gateway. */
  readonly address: string;
  close(): Promise<void>;
}

/** The etcd that the environment variable ETCD names, of scripts/setup, or of the system; undefined without any. */
export function findEtcd(): string | undefined {
  const places = [
    process.env["ETCD"],
    fileURLToPath(new URL("../../../../.etcd/usr/bin/etcd", import.meta.url)),
    spawnSync("sh", ["-c", "command -v etcd"], { encoding: "utf8" }).stdout.trim(),
  ];
  return places.find((place) => place !== undefined && existsSync(place));
}

/** Starts it; resolves when it serves. */
export async function startEtcd(binary: string): Promise<EtcdServer> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-etcd-"));
  const [clients, peers] = await Promise.all([freePort(), freePort()]);
  const [url, peerUrl] = [`http://127.0.0.1:${clients}`, `http://127.0.0.1:${peers}`];
  const options = {
    name: "test",
    "data-dir": folder,
    "listen-client-urls": url,
    "advertise-client-urls": url,
    "listen-peer-urls": peerUrl,
    "initial-advertise-peer-urls": peerUrl,
    "initial-cluster": `test=${peerUrl}`,
    logger: "zap",
  };
  const child = spawn(
    binary,
    Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    {
      // Without it, etcd refuses to run where it is not on x86-64.
      env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch },
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const exited = once(child, "exit");
  let said = "";
  const serving = new Promise<void>((resolve) => {
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (said.includes("serving client traffic insecurely")) resolve();
    });
  });
  const gone = exited.then(([code]) => Promise.reject(new Error(`etcd ended with ${code}:\n${said}`)));
  gone.catch(() => undefined);
  await Promise.race([serving, gone]);
  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true });
  };
  return { address: `127.0.0.1:${clients}`, close };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
