import { compressionGzip, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describeDialect } from "./rpc-suite.ts";

for (const httpVersion of ["1.1", "2"] as const) {
  for (const useBinaryFormat of [true, false]) {
    const format = useBinaryFormat ? "protobuf" : "JSON";
    describeDialect(`gRPC-Web with ${format} over HTTP/${httpVersion}`, {
      isDuplex: httpVersion === "2",
      createTransport: (options) =>
        createGrpcWebTransport({ ...options, httpVersion, useBinaryFormat, writeMaxBytes: 8 * 1024 * 1024 }),
    });
  }
}

describeDialect("gRPC-Web with gzip over HTTP/1.1", {
  isDuplex: false,
  createTransport: (options) =>
    createGrpcWebTransport({
      ...options,
      httpVersion: "1.1",
      sendCompression: compressionGzip,
      acceptCompression: [compressionGzip],
      compressMinBytes: 0,
      writeMaxBytes: 8 * 1024 * 1024,
    }),
});
