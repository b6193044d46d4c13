package main

import (
	"context"
	"sort"

	"google.golang.org/grpc"
	v1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	v1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// reflectFiles asks for the file of a symbol, and for all that it imports.
func reflectFiles(conn *grpc.ClientConn, symbol string) (*protoregistry.Files, error) {
	stream, err := v1.NewServerReflectionClient(conn).ServerReflectionInfo(context.Background())
	if err != nil {
		return nil, err
	}
	found := map[string]*descriptorpb.FileDescriptorProto{}
	ask := func(request *v1.ServerReflectionRequest) error {
		if err := stream.Send(request); err != nil {
			return err
		}
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, bytes := range answer.GetFileDescriptorResponse().GetFileDescriptorProto() {
			file := &descriptorpb.FileDescriptorProto{}
			if err := proto.Unmarshal(bytes, file); err != nil {
				return err
			}
			found[file.GetName()] = file
		}
		return nil
	}
	err = ask(&v1.ServerReflectionRequest{
		MessageRequest: &v1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol},
	})
	for missing := missingFile(found); err == nil && missing != ""; missing = missingFile(found) {
		err = ask(&v1.ServerReflectionRequest{
			MessageRequest: &v1.ServerReflectionRequest_FileByFilename{FileByFilename: missing},
		})
	}
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	for _, file := range found {
		set.File = append(set.File, file)
	}
	return protodesc.NewFiles(set)
}

func missingFile(found map[string]*descriptorpb.FileDescriptorProto) string {
	for _, file := range found {
		for _, name := range file.GetDependency() {
			if found[name] == nil {
				return name
			}
		}
	}
	return ""
}

func listServices(client *Client) any {
	stream, err := v1.NewServerReflectionClient(client.conn).ServerReflectionInfo(context.Background())
	if err != nil {
		return failure(err)
	}
	request := &v1.ServerReflectionRequest{MessageRequest: &v1.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(request); err != nil {
		return failure(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return failure(err)
	}
	var names []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	sort.Strings(names)
	return names
}

func listServicesAlpha(client *Client) any {
	stream, err := v1alpha.NewServerReflectionClient(client.conn).ServerReflectionInfo(context.Background())
	if err != nil {
		return failure(err)
	}
	request := &v1alpha.ServerReflectionRequest{MessageRequest: &v1alpha.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(request); err != nil {
		return failure(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return failure(err)
	}
	var names []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	sort.Strings(names)
	return names
}
