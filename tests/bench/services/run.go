package main

import (
	"bytes"
	"log"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
)

const timeout = 10 * time.Second // a request that takes longer has failed

// run sends requests over a few connections. With a rate the loop is open: each request has a time at which it is meant to
// be sent, whatever became of those before it, and its latency counts from then. Without one each connection asks again
// when it has its answer. One thread does everything and never sleeps, so that it is not late itself.
type run struct {
	address     string
	requests    [][]byte
	connections int
	rate        float64 // requests a second; 0 = closed loop
	poisson     bool
	every       time.Duration // how often to call each; 0 = never
	each        func()

	random  *rand.Rand
	epoll   int
	idle    []*connection // longest idle first
	busy    map[int32]*connection
	sent    int
	result  result
	started time.Time
}

type connection struct {
	fd     int32
	wanted time.Duration // when the request was meant to be sent, from the start
	buffer [64 << 10]byte
	n      int
}

type result struct {
	latencies []time.Duration // sorted
	failed    int
	took      time.Duration
	seconds   []float64       // p99 of each second, in microseconds
	calls     []time.Duration // when each was called, from the start
}

func (r *result) rate() float64 { return float64(len(r.latencies)) / r.took.Seconds() }

func (r *result) micros(quantile float64) float64 { return micros(r.latencies, quantile) }

// typical is the median over seconds of their p99: over those from one second before a call to two after it, or the others.
func (r *result) typical(called bool) float64 {
	var chosen []float64
	for i, p99 := range r.seconds {
		second := time.Duration(i) * time.Second
		near := slices.ContainsFunc(r.calls, func(at time.Duration) bool {
			return second >= at-time.Second && second < at+2*time.Second
		})
		if near == called {
			chosen = append(chosen, p99)
		}
	}
	if len(chosen) == 0 {
		return 0
	}
	slices.Sort(chosen)
	return chosen[len(chosen)/2]
}

func micros(sorted []time.Duration, quantile float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := min(int(quantile*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[i].Nanoseconds()) / 1e3
}

func (r run) lasting(length time.Duration) result {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r.random, r.busy, r.idle, r.result = rand.New(rand.NewPCG(1, 2)), map[int32]*connection{}, nil, result{}
	r.result.latencies = make([]time.Duration, 0, 1<<20)
	var err error
	if r.epoll, err = syscall.EpollCreate1(0); err != nil {
		log.Fatal(err)
	}
	defer syscall.Close(r.epoll)
	for range r.connections {
		r.connect()
	}
	r.started = time.Now()
	events := make([]syscall.EpollEvent, r.connections)
	next, nextCall := time.Duration(0), r.every // when the next request is meant to be sent
	var marks []int                             // how many answers there were at the end of each second
	for {
		now := time.Since(r.started)
		if r.rate == 0 {
			next = now
		}
		if next >= length && len(r.busy) == 0 || now > length+timeout {
			break
		}
		if now >= time.Duration(len(marks)+1)*time.Second {
			marks = append(marks, len(r.result.latencies))
		}
		for len(r.idle) > 0 && next <= now && next < length {
			r.send(next)
			next += r.interval()
		}
		if r.every > 0 && now >= nextCall && now < length {
			r.each()
			r.result.calls = append(r.result.calls, now)
			nextCall += r.every
		}
		n, _ := syscall.EpollWait(r.epoll, events, 0)
		for _, event := range events[:max(n, 0)] {
			r.receive(event.Fd)
		}
	}
	r.result.took = max(time.Since(r.started), length)
	for ; r.rate > 0 && next < length; next += r.interval() {
		r.result.failed++ // never sent
	}
	for fd := range r.busy {
		r.result.failed++
		syscall.Close(int(fd))
	}
	for _, c := range r.idle {
		syscall.Close(int(c.fd))
	}
	for i, begin := 0, 0; i < len(marks); begin, i = marks[i], i+1 {
		second := slices.Sorted(slices.Values(r.result.latencies[begin:marks[i]]))
		r.result.seconds = append(r.result.seconds, micros(second, 0.99))
	}
	slices.Sort(r.result.latencies)
	return r.result
}

func (r *run) interval() time.Duration {
	if r.rate == 0 {
		return 0
	}
	seconds := 1 / r.rate
	if r.poisson {
		seconds *= r.random.ExpFloat64()
	}
	return time.Duration(seconds * 1e9)
}

// connect adds an idle connection.
func (r *run) connect() {
	dialled, err := net.Dial("tcp", r.address) // without delay, as Go does
	if err != nil {
		log.Fatal(err)
	}
	file, err := dialled.(*net.TCPConn).File()
	if err != nil {
		log.Fatal(err)
	}
	fd, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		log.Fatal(err)
	}
	file.Close()
	dialled.Close()
	c := &connection{fd: int32(fd)}
	if err := syscall.SetNonblock(fd, true); err != nil {
		log.Fatal(err)
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: c.fd}
	if err := syscall.EpollCtl(r.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		log.Fatal(err)
	}
	r.idle = append(r.idle, c)
}

func (r *run) send(wanted time.Duration) {
	c := r.idle[0]
	r.idle = append(r.idle[:0], r.idle[1:]...)
	c.wanted, c.n = wanted, 0
	r.busy[c.fd] = c
	request := r.requests[r.sent%len(r.requests)]
	r.sent++
	if n, err := syscall.Write(int(c.fd), request); err != nil || n != len(request) {
		r.fail(c)
	}
}

func (r *run) receive(fd int32) {
	c := r.busy[fd]
	if c == nil { // closed while idle
		r.idle = slices.DeleteFunc(r.idle, func(idle *connection) bool { return idle.fd == fd })
		syscall.Close(int(fd))
		r.connect()
		return
	}
	n, err := syscall.Read(int(fd), c.buffer[c.n:])
	if err == syscall.EAGAIN {
		return
	}
	if n <= 0 {
		r.fail(c)
		return
	}
	c.n += n
	whole, ok := answered(c.buffer[:c.n])
	switch {
	case !ok:
		r.fail(c)
	case whole:
		r.result.latencies = append(r.result.latencies, time.Since(r.started)-c.wanted)
		delete(r.busy, fd)
		r.idle = append(r.idle, c)
	}
}

func (r *run) fail(c *connection) {
	r.result.failed++
	delete(r.busy, c.fd)
	syscall.Close(int(c.fd))
	r.connect()
}

var endOfHead = []byte("\r\n\r\n")

// answered reports whether an answer has arrived in full; it is ok if it is a 200 with a length.
func answered(answer []byte) (whole, ok bool) {
	head := bytes.Index(answer, endOfHead)
	if head < 0 {
		return false, true
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")) {
		return true, false
	}
	for line := range bytes.SplitSeq(answer[:head], []byte("\r\n")) {
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("content-length")) {
			n, err := strconv.Atoi(string(value))
			return len(answer) >= head+len(endOfHead)+n, err == nil
		}
	}
	return true, false
}
