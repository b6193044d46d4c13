// grpc-websocket-proxy over grpc-gateway, as its README has it.
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/tmc/grpc-websocket-proxy/wsproxy"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"sluice.example/bench/process"
	"sluice.example/bench/shop"
)

// The arguments: the address of the backend.
func main() {
	mux := runtime.NewServeMux()
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if err := shop.RegisterEchoHandlerFromEndpoint(context.Background(), mux, os.Args[1], options); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go process.Serve(listener)
	log.Fatal(http.Serve(listener, wsproxy.WebsocketProxy(mux)))
}
