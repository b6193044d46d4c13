package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

var background = context.Background()

// seenOf is what a call has given, or how it failed.
func seenOf(reply any, err error) any {
	if err != nil {
		return failure(err)
	}
	return reply
}

// Streamed is what a stream has given before its end.
type Streamed struct {
	Replies []any `json:"replies"`
	End     any   `json:"end,omitempty"`
}

func streamedOf(replies []any, err error) Streamed {
	if err != nil {
		return Streamed{replies, failure(err)}
	}
	return Streamed{Replies: replies}
}

var cases = map[string]func(*Client) any{
	"unary": func(client *Client) any {
		return seenOf(client.unary(background, "Say", `{"text":"hällo 🌊"}`))
	},
	"server streaming": func(client *Client) any {
		return streamedOf(client.stream(background, "Repeat", `{"text":"a","count":3}`))
	},
	"client streaming": func(client *Client) any {
		return streamedOf(client.stream(background, "Collect", `{"text":"a"}`, `{"text":"b"}`, `{}`))
	},
	"bidirectional streaming": converse,
	"metadata":                exchangeMetadata,
	"deadline": func(client *Client) any {
		ctx, cancel := context.WithTimeout(background, 150*time.Millisecond)
		defer cancel()
		return seenOf(client.unary(ctx, "Sleep", `{}`))
	},
	"deadline of the backend": func(client *Client) any {
		ctx, cancel := context.WithTimeout(background, 30*time.Second)
		defer cancel()
		return seenOf(client.unary(ctx, "Metadata", `{}`))
	},
	"cancel": cancelStream,
	"error with details": func(client *Client) any {
		request := `{"status":{"code":5,"message":"no € such: 100%","details":[
			{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"LOST","domain":"test"}]}}`
		return seenOf(client.unary(background, "Fail", request))
	},
	"error after messages": func(client *Client) any {
		request := `{"status":{"code":10,"message":"so far"},"after":2}`
		return streamedOf(client.stream(background, "FailLater", request))
	},
	"gzip": func(client *Client) any {
		text := strings.Repeat("compressible ", 10_000)
		reply, err := client.unary(background, "Say", `{"text":"`+text+`"}`, grpc.UseCompressor(gzip.Name))
		if err != nil {
			return failure(err)
		}
		return fmt.Sprint(reply) == fmt.Sprint(map[string]any{"text": text})
	},
	"large reply": func(client *Client) any {
		reply, err := client.unary(background, "Large", `{"size":3000000}`)
		if err != nil {
			return failure(err)
		}
		return len(reply.(map[string]any)["data"].(string))
	},
	"request over the limit": func(client *Client) any {
		text := strings.Repeat("x", 5<<20)
		return seenOf(client.unary(background, "Say", `{"text":"`+text+`"}`))
	},
	"unknown method": func(client *Client) any {
		err := client.conn.Invoke(background, "/sluice.test.v1.Echo/None", client.request("Say", `{}`), client.reply("Say"))
		return seenOf(nil, err)
	},
	"more calls than streams": manyCalls,
	"keepalive":               keepAlive,
	"reflection v1":           listServices,
	"reflection v1alpha":      listServicesAlpha,
}

// converse says a word only after the word before was answered.
func converse(client *Client) any {
	stream, err := client.open(background, "Converse")
	if err != nil {
		return failure(err)
	}
	var replies []any
	for _, word := range []string{"one", "two", "three"} {
		if err := stream.SendMsg(client.request("Converse", `{"text":"`+word+`"}`)); err != nil {
			return failure(err)
		}
		reply := client.reply("Converse")
		if err := stream.RecvMsg(reply); err != nil {
			return failure(err)
		}
		replies = append(replies, jsonOf(reply))
	}
	if err := stream.CloseSend(); err != nil {
		return failure(err)
	}
	end := stream.RecvMsg(client.reply("Converse"))
	return map[string]any{"replies": replies, "end": end.Error()}
}

func exchangeMetadata(client *Client) any {
	ctx := metadata.AppendToOutgoingContext(background,
		"x-one", "eins", "x-many", "1", "x-many", "2", "x-two-bin", "\xff\xfe\xfd", "authorization", "Bearer abc")
	request := `{"headers":{"x-head":"1","x-head-bin":"AAEC"},"trailers":{"x-trail":"2","x-trail-bin":"AwQF"}}`
	var header, trailer metadata.MD
	reply, err := client.unary(ctx, "Metadata", request, grpc.Header(&header), grpc.Trailer(&trailer))
	if err != nil {
		return failure(err)
	}
	return map[string]any{
		"reply":       reply,
		"x-head":      header.Get("x-head"),
		"x-head-bin":  fmt.Sprintf("%x", header.Get("x-head-bin")),
		"x-trail":     trailer.Get("x-trail"),
		"x-trail-bin": fmt.Sprintf("%x", trailer.Get("x-trail-bin")),
	}
}

func cancelStream(client *Client) any {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	stream, err := client.open(ctx, "Repeat")
	if err != nil {
		return failure(err)
	}
	if err := stream.SendMsg(client.request("Repeat", `{"text":"endless","interval_ms":1}`)); err != nil {
		return failure(err)
	}
	if err := stream.CloseSend(); err != nil {
		return failure(err)
	}
	for heard := 0; ; heard++ {
		if heard == 3 {
			cancel()
		}
		if err := stream.RecvMsg(client.reply("Repeat")); err != nil {
			return failure(err)
		}
	}
}

// manyCalls has more calls open on one connection than the server lets it have streams.
func manyCalls(client *Client) any {
	const calls = 2_500
	var failed sync.Map
	var running sync.WaitGroup
	for range calls {
		running.Add(1)
		go func() {
			defer running.Done()
			if _, err := client.unary(background, "Say", `{"text":"many"}`); err != nil {
				failed.Store(err.Error(), true)
			}
		}()
	}
	running.Wait()
	seen := map[string]any{"calls": calls}
	failed.Range(func(what, _ any) bool {
		seen["failed"] = what
		return true
	})
	return seen
}

// keepAlive pings as often as grpc-go allows, with a stream and without.
func keepAlive(client *Client) any {
	conn, err := grpc.NewClient(client.target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:                10 * time.Second,
			Timeout:             2 * time.Second,
			PermitWithoutStream: true,
		}))
	if err != nil {
		return failure(err)
	}
	defer conn.Close()
	own := &Client{conn: conn, target: client.target, files: client.files}
	if _, err := own.unary(background, "Say", `{}`); err != nil {
		return failure(err)
	}
	ctx, cancel := context.WithTimeout(background, 13*time.Second)
	defer cancel()
	if _, err := own.unary(ctx, "Sleep", `{}`); failure(err).Code != "DeadlineExceeded" {
		return failure(err)
	}
	before := conn.GetState()
	time.Sleep(13 * time.Second)
	reply, err := own.unary(background, "Say", `{"text":"still here"}`)
	return map[string]any{"before": before.String(), "after": conn.GetState().String(), "reply": seenOf(reply, err)}
}
