// A recommendation service over HTTP whose model file may be replaced while it serves. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"recore"
)

const drainLimit = 10 * time.Second // for requests in flight when the port closes

type options struct {
	model, address                    string
	port, workers, maxWaiting, linger int
	excludeSeen                       bool
}

func main() {
	var o options
	flag.StringVar(&o.model, "model", "", "model `file`, replaced by rename")
	flag.StringVar(&o.address, "address", "127.0.0.1", "address to listen on")
	flag.IntVar(&o.port, "port", 8080, "port to listen on; 0 = any, see the line on stdout")
	flag.BoolVar(&o.excludeSeen, "exclude-seen", false, "leave out what the user had in training")
	flag.IntVar(&o.workers, "workers", 4*runtime.GOMAXPROCS(0), "requests that rank at once, 1 to 4096")
	flag.IntVar(&o.maxWaiting, "max-waiting", 256, "requests that may wait for a worker; more are answered with 503")
	flag.IntVar(&o.linger, "linger", 1, "`seconds` from SIGTERM until the port closes")
	flag.Parse()
	if o.model == "" || flag.NArg() > 0 || o.workers < 1 || o.workers > 4096 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(o); err != nil {
		slog.Error("service.failed", "error", err)
		os.Exit(1)
	}
}

func run(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := recore.SetLogger(slog.Default()); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(o.address, strconv.Itoa(o.port)))
	if err != nil {
		return err
	}
	s := newService(o)
	go s.models.watch(ctx)
	server := &http.Server{
		Handler:      s,
		ReadTimeout:  10 * time.Second, // includes a body, which is not read
		WriteTimeout: 10 * time.Second,
		IdleTimeout:  2 * time.Minute,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Printf("{\"address\":%q,\"port\":%d}\n", o.address, listener.Addr().(*net.TCPAddr).Port)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		stop() // a second signal ends the process at once
		return s.drain(server, time.Duration(o.linger)*time.Second)
	}
}

// drain lets the clients go: for a while every answer closes its connection and /healthz tells the load balancer, then the
// port closes and requests in flight are finished. Closing at once would cut off requests on the wire.
func (s *service) drain(server *http.Server, linger time.Duration) error {
	slog.Info("drain.begin", "in_flight", s.metrics.inFlight.Load())
	s.draining.Store(true)
	time.Sleep(linger)
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		slog.Warn("drain.cut", "in_flight", s.metrics.inFlight.Load(), "error", err)
	}
	slog.Info("drain.end")
	return nil
}
