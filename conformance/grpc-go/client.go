package main

import (
	"context"
	"encoding/json"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Client makes calls of the service sluice.test.v1.Echo with JSON.
type Client struct {
	conn   *grpc.ClientConn
	target string
	files  *protoregistry.Files
}

// Failure is a call that did not go well.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Details []any  `json:"details,omitempty"`
}

func failure(err error) Failure {
	told := status.Convert(err)
	seen := Failure{Code: told.Code().String(), Message: told.Message()}
	for _, detail := range told.Details() {
		if message, ok := detail.(protoreflect.ProtoMessage); ok {
			seen.Details = append(seen.Details, jsonOf(message))
		}
	}
	return seen
}

func jsonOf(message protoreflect.ProtoMessage) any {
	bytes, err := protojson.Marshal(message)
	if err != nil {
		return err.Error()
	}
	var value any
	if err := json.Unmarshal(bytes, &value); err != nil {
		return err.Error()
	}
	return value
}

func (client *Client) method(name string) protoreflect.MethodDescriptor {
	service, err := client.files.FindDescriptorByName("sluice.test.v1.Echo")
	if err != nil {
		panic(err)
	}
	return service.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(name))
}

func (client *Client) request(name string, text string) *dynamicpb.Message {
	message := dynamicpb.NewMessage(client.method(name).Input())
	if err := protojson.Unmarshal([]byte(text), message); err != nil {
		panic(err)
	}
	return message
}

func (client *Client) reply(name string) *dynamicpb.Message {
	return dynamicpb.NewMessage(client.method(name).Output())
}

const prefix = "/sluice.test.v1.Echo/"

// unary makes a unary call over a connection.
func (client *Client) unary(ctx context.Context, name string, text string, options ...grpc.CallOption) (any, error) {
	reply := client.reply(name)
	err := client.conn.Invoke(ctx, prefix+name, client.request(name, text), reply, options...)
	if err != nil {
		return nil, err
	}
	return jsonOf(reply), nil
}

// open begins a call with a stream in either direction, or in both.
func (client *Client) open(ctx context.Context, name string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	method := client.method(name)
	shape := &grpc.StreamDesc{
		ClientStreams: method.IsStreamingClient(),
		ServerStreams: method.IsStreamingServer(),
	}
	return client.conn.NewStream(ctx, shape, prefix+name, options...)
}

// stream sends messages, half-closes, and reads to the end.
func (client *Client) stream(ctx context.Context, name string, texts ...string) ([]any, error) {
	stream, err := client.open(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		if err := stream.SendMsg(client.request(name, text)); err != nil {
			return nil, err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	var replies []any
	for {
		reply := client.reply(name)
		if err := stream.RecvMsg(reply); err == io.EOF {
			return replies, nil
		} else if err != nil {
			return replies, err
		}
		replies = append(replies, jsonOf(reply))
	}
}
