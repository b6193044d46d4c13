import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";

/** A file of the package socket.io-client, as it is and compressed. */
export interface ClientFile {
  /** The package's version. */
  readonly version: string;
  readonly identity: Buffer;
  readonly br: Buffer;
  readonly gzip: Buffer;
}

/** Names of the files for browsers, and of their maps. */
const names = /^socket\.io(?:\.msgpack|\.esm)?(?:\.min)?\.js(?:\.map)?$/;

/** What was read, by name. */
const files = new Map<string, Promise<ClientFile | undefined>>();

/** Whether a file of this name may be one of the client's. */
export function isClientFile(name: string): boolean {
  return names.test(name);
}

/** One of the client's files; undefined where there is none of the name. Rejects where the package is not installed. */
export function readClientFile(name: string): Promise<ClientFile | undefined> {
  const known = files.get(name);
  if (known !== undefined) return known;
  const file = read(name);
  files.set(name, file);
  // The package may be installed yet.
  file.catch(() => files.delete(name));
  return file;
}

async function read(name: string): Promise<ClientFile | undefined> {
  const description = findPackage();
  const { version } = JSON.parse(await readFile(description, "utf8")) as { version: string };
  let identity: Buffer;
  try {
    identity = await readFile(join(dirname(description), "dist", name));
  } catch {
    return undefined;
  }
  const [br, zipped] = await Promise.all([promisify(brotliCompress)(identity), promisify(gzip)(identity)]);
  return { version, identity, br, gzip: zipped };
}

/** The package beside this one, or the application's. */
function findPackage(): string {
  const wanted = "socket.io-client/package.json";
  try {
    return createRequire(import.meta.url).resolve(wanted);
  } catch {
    return createRequire(join(process.cwd(), "package.json")).resolve(wanted);
  }
}
