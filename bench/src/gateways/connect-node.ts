/** A router of Connect that passes each call on over a gRPC transport: both ends are @connectrpc/connect-node. */
import { createServer } from "node:http";
import type { DescService, Message } from "@bufbuild/protobuf";
import { createClient, type CallOptions, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { listen } from "./listen.ts";
import { loadShop, shopServiceOf } from "./shop-service.ts";

/** What generated types would say of each method. */
type ShopClient = Readonly<
  Record<string, (request: Message, options: CallOptions) => Promise<Message> | AsyncIterable<Message>>
>;

/** Starts the gateway. Resolves to its port. */
export function startConnectNode(backend: string, descriptors: string): Promise<number> {
  const service = shopServiceOf(loadShop(descriptors));
  const transport = createGrpcTransport({ baseUrl: `http://${backend}` });
  const client = createClient(service, transport) as unknown as ShopClient;
  const implementation = Object.fromEntries(
    service.methods.map(({ localName }) => [
      localName,
      (request: Message, context: HandlerContext) =>
        client[localName]?.(request, { headers: headersOf(context), signal: context.signal }),
    ]),
  ) as unknown as Partial<ServiceImpl<DescService>>;
  const adapter = connectNodeAdapter({ routes: (router) => router.service(service, implementation) });
  return listen(createServer(adapter));
}

function headersOf({ requestHeader }: HandlerContext): Record<string, string> {
  const authorization = requestHeader.get("authorization");
  return authorization === null ? {} : { authorization };
}
