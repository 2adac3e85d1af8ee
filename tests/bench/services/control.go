package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// control is a single-threaded server that spins for a while and sends an answer, always the same.
func control(args []string) {
	flags := flag.NewFlagSet("control", flag.ExitOnError)
	work := flags.Duration("work", 20*time.Microsecond, "time to spin for each request")
	flags.String("model", "", "")
	flags.String("port", "", "")
	_ = flags.Parse(args)
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	go func() {
		<-terminated
		os.Exit(0)
	}()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"port\":%d}\n", listener.Addr().(*net.TCPAddr).Port)
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close() // never reached, but keeps the file from being closed by the garbage collector
	epoll, err := syscall.EpollCreate1(0)
	if err != nil {
		log.Fatal(err)
	}
	listening := int(file.Fd())
	watch := func(fd int) {
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
		if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
			log.Fatal(err)
		}
	}
	watch(listening)
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n%s", bytes.Repeat([]byte{'x'}, 500))
	metrics := []byte("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 26\r\n\r\nrecore_model_generation 1\n")
	events, request := make([]syscall.EpollEvent, 64), make([]byte, 4096)
	for {
		n, _ := syscall.EpollWait(epoll, events, -1)
		for _, event := range events[:max(n, 0)] {
			fd := int(event.Fd)
			if fd == listening {
				if fd, _, err = syscall.Accept(fd); err == nil {
					_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
					watch(fd)
				}
				continue
			}
			n, _ := syscall.Read(fd, request)
			switch {
			case n <= 0:
				syscall.Close(fd)
			case bytes.HasPrefix(request[:n], []byte("GET /metrics")):
				_, _ = syscall.Write(fd, metrics)
			default:
				for until := time.Now().Add(*work); time.Now().Before(until); {
				}
				_, _ = syscall.Write(fd, answer)
			}
		}
	}
}
