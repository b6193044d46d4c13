import type * as grpc from "@grpc/grpc-js";
import type { ServiceDefinition } from "@grpc/proto-loader";
import type { Handlers } from "./echo-service.ts";

interface HttpBody {
  content_type: string;
  data: Buffer;
}

interface ListBooksRequest {
  parent: string;
  page_size: number;
  page_token: string;
}

interface DownloadRequest {
  size: number;
  content_type: string;
  chunks: number;
}

interface UploadReply {
  name: string;
  content_type: string;
  size: number;
  chunks: number;
}

/** Methods that answer the bytes of their request, without a look at them. */
const mirrored = [
  "GetBook",
  "CreateBook",
  "UpdateBook",
  "MoveBook",
  "GetFile",
  "PeekBook",
  "PutEverything",
  "GetEverything",
  "PickEverything",
];

function sameBytes(bytes: object): Buffer {
  return Buffer.from(bytes as Uint8Array);
}

/** The definition of the library with plain bytes where a method only mirrors them. */
export function mirrorBytes(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      mirrored.includes(name)
        ? { ...method, requestDeserialize: (bytes: Buffer) => bytes, responseSerialize: sameBytes }
        : method,
    ]),
  );
}

function cut({ size, content_type, chunks }: DownloadRequest): HttpBody[] {
  const whole = Buffer.alloc(size, "sluice");
  const step = Math.max(1, Math.ceil(size / Math.max(1, chunks)));
  const bodies: HttpBody[] = [];
  for (let start = 0; start === 0 || start < size; start += step) {
    bodies.push({
      content_type: content_type || "application/octet-stream",
      data: whole.subarray(start, start + step),
    });
  }
  return bodies;
}

const mirror: grpc.handleUnaryCall<Buffer, Buffer> = (call, reply) => reply(null, call.request);

const listBooks: grpc.handleUnaryCall<ListBooksRequest, object> = (call, reply) => {
  const { parent, page_size, page_token } = call.request;
  reply(null, {
    books: [
      { name: `${parent}/books/1`, title: page_token, pages: page_size },
      { name: `${parent}/books/2` },
    ],
    next_page_token: "next",
  });
};

const deleteBook: grpc.handleUnaryCall<object, object> = (_call, reply) => reply(null, {});

const download: grpc.handleUnaryCall<DownloadRequest, HttpBody> = (call, reply) =>
  reply(null, cut({ ...call.request, chunks: 1 })[0]);

const downloadStream: grpc.handleServerStreamingCall<DownloadRequest, HttpBody> = (call) => {
  for (const body of cut(call.request)) call.write(body);
  call.end();
};

const upload: grpc.handleUnaryCall<{ name: string; body: HttpBody | null }, UploadReply> = (call, reply) => {
  const { name, body } = call.request;
  reply(null, { name, content_type: body?.content_type ?? "", size: body?.data.length ?? 0, chunks: 1 });
};

const uploadStream: grpc.handleClientStreamingCall<HttpBody, UploadReply> = (call, reply) => {
  const answer: UploadReply = { name: "", content_type: "", size: 0, chunks: 0 };
  call.on("data", (body: HttpBody) => {
    answer.content_type ||= body.content_type;
    answer.size += body.data.length;
    answer.chunks++;
  });
  call.on("end", () => reply(null, answer));
};

/** The handlers of `sluice.test.v1.Library`; what they do is said in echo.proto. */
export const libraryHandlers: Handlers = {
  ...Object.fromEntries(mirrored.map((name) => [name, mirror])),
  ListBooks: listBooks,
  DeleteBook: deleteBook,
  Download: download,
  DownloadStream: downloadStream,
  Upload: upload,
  UploadStream: uploadStream,
};
