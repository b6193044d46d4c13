import { compressionGzip, createGrpcTransport } from "@connectrpc/connect-node";
import { describeDialect } from "./rpc-suite.ts";

const writeMaxBytes = 8 * 1024 * 1024;

for (const useBinaryFormat of [true, false]) {
  describeDialect(`gRPC with ${useBinaryFormat ? "protobuf" : "JSON"}`, {
    isDuplex: true,
    createTransport: (options) => createGrpcTransport({ ...options, useBinaryFormat, writeMaxBytes }),
  });
}

describeDialect("gRPC with gzip", {
  isDuplex: true,
  createTransport: (options) =>
    createGrpcTransport({
      ...options,
      sendCompression: compressionGzip,
      acceptCompression: [compressionGzip],
      compressMinBytes: 0,
      writeMaxBytes,
    }),
});
