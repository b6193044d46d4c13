// grpcwebproxy with WebSockets: its gRPC proxy and its grpcweb package, put together as its own main does, without
// the log and the metrics that it has by default.
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/improbable-eng/grpc-web/go/grpcweb"
	"github.com/mwitkow/grpc-proxy/proxy"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"sluice.example/bench/process"
)

// The arguments: the address of the backend.
func main() {
	backend, err := grpc.NewClient(
		os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithCodec(proxy.Codec()),
	)
	if err != nil {
		log.Fatal(err)
	}
	director := func(ctx context.Context, _ string) (context.Context, *grpc.ClientConn, error) {
		incoming, _ := metadata.FromIncomingContext(ctx)
		outgoing := incoming.Copy()
		delete(outgoing, "user-agent")
		delete(outgoing, "connection")
		return metadata.NewOutgoingContext(ctx, outgoing), backend, nil
	}
	server := grpc.NewServer(
		grpc.CustomCodec(proxy.Codec()),
		grpc.UnknownServiceHandler(proxy.TransparentHandler(director)),
	)
	wrapped := grpcweb.WrapServer(
		server,
		grpcweb.WithCorsForRegisteredEndpointsOnly(false),
		grpcweb.WithWebsockets(true),
		grpcweb.WithWebsocketOriginFunc(func(*http.Request) bool { return true }),
	)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go process.Serve(listener)
	log.Fatal(http.Serve(listener, wrapped))
}
