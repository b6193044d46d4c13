// The gRPC server behind the gateways that carry streams of WebSockets: every message comes back, or goes to all.
package main

import (
	"context"
	"io"
	"log"
	"net"
	"sync"

	"google.golang.org/grpc"
	"sluice.example/bench/process"
	"sluice.example/bench/shop"
)

type server struct {
	shop.UnimplementedEchoServer
	shop.UnimplementedBoardServer
	lock      sync.Mutex
	followers map[chan *shop.Note]struct{}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	backend := grpc.NewServer()
	serving := &server{followers: map[chan *shop.Note]struct{}{}}
	shop.RegisterEchoServer(backend, serving)
	shop.RegisterBoardServer(backend, serving)
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

func (s *server) Publish(_ context.Context, note *shop.Note) (*shop.Published, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for follower := range s.followers {
		follower <- note
	}
	return &shop.Published{Streams: int32(len(s.followers))}, nil
}

func (s *server) Follow(_ *shop.FollowRequest, stream grpc.ServerStreamingServer[shop.Note]) error {
	notes := make(chan *shop.Note, 64)
	notes <- &shop.Note{}
	s.lock.Lock()
	s.followers[notes] = struct{}{}
	s.lock.Unlock()
	defer func() {
		s.lock.Lock()
		delete(s.followers, notes)
		s.lock.Unlock()
	}()
	for {
		select {
		case note := <-notes:
			if err := stream.Send(note); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		}
	}
}
