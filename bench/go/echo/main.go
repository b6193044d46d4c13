// The gRPC server behind the gateways that carry bidirectional streams: every message comes back.
package main

import (
	"io"
	"log"
	"net"

	"google.golang.org/grpc"
	"sluice.example/bench/process"
	"sluice.example/bench/shop"
)

type server struct {
	shop.UnimplementedEchoServer
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	backend := grpc.NewServer()
	shop.RegisterEchoServer(backend, &server{})
	go process.Serve(listener)
	log.Fatal(backend.Serve(listener))
}

func (s *server) Converse(stream grpc.BidiStreamingServer[shop.Note, shop.Note]) error {
	for {
		note, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(note); err != nil {
			return err
		}
	}
}
