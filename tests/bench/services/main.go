// Puts load on a service of samples/ and prints its peak, its latency when idle and at a share of the peak while its model
// is swapped, failed requests, memory and threads. Started by tools/bench.sh services.
//
//	load --models A.rec,B.rec --users IDS.txt -- COMMAND...
//
// "load control" as the command is a server that only answers: it shows what the machine does to any server.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "control" {
		control(os.Args[2:])
		return
	}
	models := flag.String("models", "", "two model `files` with a comma between, served in turn")
	users := flag.String("users", "", "`file` of user ids, one a line")
	connections := flag.Int("connections", 16, "connections, in the closed and in the open loop")
	seconds := flag.Int("seconds", 60, "length of the run under load; idle, peak and both warm-ups take a quarter each")
	share := flag.Float64("share", 0.7, "of the peak, under load")
	swapEvery := flag.Duration("swap-every", 5*time.Second, "time between two models under load")
	poisson := flag.Bool("poisson", false, "requests come at random instead of evenly")
	flag.Parse()
	if *models == "" || *users == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	log.SetFlags(0)
	requests, err := requestsOf(*users)
	if err != nil {
		log.Fatal(err)
	}
	long := time.Duration(*seconds) * time.Second
	short := long / 4
	s, err := start(flag.Args(), strings.Split(*models, ","), int((short+long) / *swapEvery))
	if err != nil {
		log.Fatal(err)
	}
	defer s.stop()

	closed := run{address: s.address, requests: requests, connections: *connections}
	closed.lasting(short) // the JVM compiles
	peak := closed.lasting(short)
	busy := closed
	busy.poisson, busy.rate, busy.every, busy.each = *poisson, *share*peak.rate(), *swapEvery, s.swap
	busy.lasting(short) // the JVM compiles again, for requests that come singly, and memory settles
	quiet := busy
	quiet.rate, quiet.every = 0.05*peak.rate(), 0
	idle := quiet.lasting(short)
	before, swapped := s.status(), s.swapped
	load := busy.lasting(long)
	time.Sleep(2 * time.Second) // for the last swap
	after := s.status()

	fmt.Printf("%-12s %12s %9s %9s %9s %9s %8s\n", "", "requests/s", "p50 us", "p99 us", "p99.9 us", "max us", "failed")
	for _, row := range []struct {
		name   string
		result result
	}{{"peak", peak}, {"idle", idle}, {"load", load}} {
		r := row.result
		fmt.Printf("%-12s %12.0f %9.0f %9.0f %9.0f %9.0f %8d\n", row.name, r.rate(), r.micros(0.5), r.micros(0.99),
			r.micros(0.999), r.micros(1), r.failed)
	}
	fmt.Printf("%-12s %12s %9.2f %9.2f\n", "load / idle", "", load.micros(0.5)/idle.micros(0.5),
		load.micros(0.99)/idle.micros(0.99))
	a, b, c := idle.typical(false), load.typical(false), load.typical(true)
	fmt.Printf("p99 of a second, median: %.0f us idle, %.0f under load (%.2f), %.0f near a swap (%.2f)\n", a, b, b/a, c, c/a)
	fmt.Printf("swaps        %d of %d; %d open, %d refused\n", after.generation-before.generation, s.swapped-swapped, after.open,
		after.refused)
	fmt.Printf("memory       %.1f MiB, then %.1f\n", before.mebibytes, after.mebibytes)
	fmt.Printf("threads      %d, then %d\n", before.threads, after.threads)
}

// requestsOf is the requests to send, one for each user.
func requestsOf(path string) ([][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var requests [][]byte
	for user := range strings.FieldsSeq(string(text)) {
		path := "/recommend?k=10&user=" + url.QueryEscape(user)
		requests = append(requests, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: load\r\n\r\n", path))
	}
	return requests, nil
}
