import { compressionGzip, createConnectTransport } from "@connectrpc/connect-node";
import { describeDialect } from "./rpc-suite.ts";

for (const httpVersion of ["1.1", "2"] as const) {
  for (const useBinaryFormat of [true, false]) {
    const format = useBinaryFormat ? "protobuf" : "JSON";
    describeDialect(`Connect with ${format} over HTTP/${httpVersion}`, {
      isDuplex: httpVersion === "2",
      createTransport: (options) =>
        createConnectTransport({ ...options, httpVersion, useBinaryFormat, writeMaxBytes: 8 * 1024 * 1024 }),
    });
  }
}

describeDialect("Connect with gzip over HTTP/2", {
  isDuplex: true,
  createTransport: (options) =>
    createConnectTransport({
      ...options,
      httpVersion: "2",
      sendCompression: compressionGzip,
      acceptCompression: [compressionGzip],
      compressMinBytes: 0,
      writeMaxBytes: 8 * 1024 * 1024,
    }),
});
