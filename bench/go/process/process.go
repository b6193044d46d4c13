// Package process is the control channel of a program under measure.
package process

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"syscall"
)

// Serve tells the port of the listener as a line of JSON on stdout. Then it answers each line on stdin with the CPU
// time of the process so far, in µs, and ends the process when stdin ends.
func Serve(listener net.Listener) {
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			panic(err)
		}
		fmt.Printf("{\"user\":%d,\"system\":%d}\n", micros(usage.Utime), micros(usage.Stime))
	}
	os.Exit(0)
}

func micros(time syscall.Timeval) int64 {
	return int64(time.Sec)*1_000_000 + int64(time.Usec)
}
