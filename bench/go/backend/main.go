// The gRPC server behind every gateway under measure.
package main

import (
	"context"
	"log"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"sluice.example/bench/process"
	"sluice.example/bench/shop"
)

type server struct {
	shop.UnimplementedShopServer
	order *shop.Order
}

// The arguments: the order, as JSON in a file.
func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	order := new(shop.Order)
	if err := protojson.Unmarshal(text, order); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	backend := grpc.NewServer()
	shop.RegisterShopServer(backend, &server{order: order})
	go process.Serve(listener)
	log.Fatal(backend.Serve(listener))
}

func (s *server) GetAddress(ctx context.Context, request *shop.GetAddressRequest) (*shop.Address, error) {
	if err := authorized(ctx); err != nil {
		return nil, err
	}
	if !request.Verified {
		return nil, status.Error(codes.InvalidArgument, "verified is not set")
	}
	return &shop.Address{Street: request.Customer, City: "Springfield", PostalCode: "12345", Country: request.Country}, nil
}

func (s *server) CheckAddress(ctx context.Context, request *shop.Address) (*shop.Address, error) {
	return request, authorized(ctx)
}

func (s *server) GetOrder(ctx context.Context, request *shop.GetOrderRequest) (*shop.Order, error) {
	if err := authorized(ctx); err != nil {
		return nil, err
	}
	order := proto.CloneOf(s.order)
	order.Id = request.Id
	order.Note = &request.Note
	order.Scores = request.Scores
	return order, nil
}

func (s *server) CreateOrder(ctx context.Context, request *shop.Order) (*shop.Order, error) {
	return request, authorized(ctx)
}

func (s *server) WatchPrices(request *shop.WatchRequest, stream grpc.ServerStreamingServer[shop.Price]) error {
	if err := authorized(stream.Context()); err != nil {
		return err
	}
	price := &shop.Price{Sku: "SKU-1001", CurrencyCode: "EUR", Time: &timestamppb.Timestamp{Seconds: 1_793_000_000}}
	for price.Sequence < int64(request.Count) {
		price.Sequence++
		price.Amount = 12 + float64(price.Sequence%1000)/4
		if err := stream.Send(price); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) WatchOrders(request *shop.WatchRequest, stream grpc.ServerStreamingServer[shop.Order]) error {
	if err := authorized(stream.Context()); err != nil {
		return err
	}
	order := proto.CloneOf(s.order)
	for order.Id = 1; order.Id <= int64(request.Count); order.Id++ {
		if err := stream.Send(order); err != nil {
			return err
		}
	}
	return nil
}

// A gateway that does not pass on who the client is would have less to do.
func authorized(ctx context.Context) error {
	if values := metadata.ValueFromIncomingContext(ctx, "authorization"); len(values) == 1 && values[0] != "" {
		return nil
	}
	return status.Error(codes.Unauthenticated, "there is no authorization")
}
