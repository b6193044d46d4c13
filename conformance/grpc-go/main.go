// Command grpcgo makes every kind of call with grpc-go, and writes a line of JSON for each case: what the client has
// seen. It knows the services by the server's reflection alone.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Line is what is told of a case.
type Line struct {
	Case string `json:"case"`
	Seen any    `json:"seen"`
}

func main() {
	target := flag.String("target", "", "host:port of the server")
	flag.Parse()
	conn, err := grpc.NewClient(*target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	files, err := reflectFiles(conn, "sluice.test.v1.Echo")
	if err != nil {
		log.Fatal(err)
	}
	client := &Client{conn: conn, target: *target, files: files}
	out := json.NewEncoder(os.Stdout)
	var lock sync.Mutex
	var running sync.WaitGroup
	for name, run := range cases {
		running.Add(1)
		go func() {
			defer running.Done()
			seen := run(client)
			lock.Lock()
			defer lock.Unlock()
			if err := out.Encode(Line{name, seen}); err != nil {
				log.Fatal(err)
			}
		}()
	}
	running.Wait()
}
