// SPDX-License-Identifier: Apache-2.0

// Packages creates PackageManifests over 16 HTTP/1.1 connections and waits until all of them are Ready. It prints one line of
// JSON; its times count from before the first POST.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"davit.dev/test/bench/internal/api"
)

type packageManifest struct {
	Metadata struct {
		Name       string `json:"name"`
		Generation int64  `json:"generation"`
	} `json:"metadata"`
	Status struct {
		ObservedGeneration int64           `json:"observedGeneration"`
		Conditions         []api.Condition `json:"conditions"`
	} `json:"status"`
}

// progress is what the watch has seen.
type progress struct {
	wanted map[string]bool
	ready  map[string]bool
	last   map[string]string // of those not ready: what they say
	began  atomic.Int64      // nanoseconds
	parts  map[string]float64
}

// shares are the moments that are told of: when so many hundredths were Ready.
var shares = []int{10, 25, 50, 75, 90}

func (p *progress) changed(object json.RawMessage) bool {
	var pm packageManifest
	if json.Unmarshal(object, &pm) != nil || !p.wanted[pm.Metadata.Name] || p.ready[pm.Metadata.Name] {
		return false
	}
	condition := api.Find(pm.Status.Conditions, "Ready")
	if condition.Status != "True" || pm.Status.ObservedGeneration != pm.Metadata.Generation {
		p.last[pm.Metadata.Name] = condition.Reason + ": " + condition.Message
		return false
	}
	p.ready[pm.Metadata.Name] = true
	delete(p.last, pm.Metadata.Name)
	for _, share := range shares {
		key := fmt.Sprintf("%d%%", share)
		if _, told := p.parts[key]; !told && len(p.ready)*100 >= len(p.wanted)*share {
			p.parts[key] = api.Seconds(time.Duration(time.Now().UnixNano() - p.began.Load()))
		}
	}
	return len(p.ready) == len(p.wanted)
}

// missing names some that are not ready, and what they say.
func (p *progress) missing() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d of %d are Ready", len(p.ready), len(p.wanted))
	told := 0
	for name := range p.wanted {
		if told < 5 && !p.ready[name] {
			told++
			fmt.Fprintf(&text, "; %s: %s", name, p.last[name])
		}
	}
	return text.String()
}

func main() {
	config := flag.String("kubeconfig", "", "kubeconfig in JSON")
	packages := flag.String("packages", "", "file of requests, one a line")
	limit := flag.Duration("limit", 10*time.Minute, "how long it may take")
	flag.Parse()
	if err := run(*config, *packages, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
}

func run(config, file string, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), limit, fmt.Errorf("not all Ready within %v", limit))
	defer cancel()
	client, err := api.Load(config, "bench-packages")
	if err != nil {
		return err
	}
	requests, err := api.ReadRequests(file)
	if err != nil {
		return err
	}
	if len(requests) == 0 {
		return fmt.Errorf("%s is empty", file)
	}
	p := &progress{wanted: map[string]bool{}, ready: map[string]bool{}, last: map[string]string{}, parts: map[string]float64{}}
	for _, r := range requests {
		var pm packageManifest
		if err := json.Unmarshal(r.Body, &pm); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		p.wanted[pm.Metadata.Name] = true
	}
	if err := client.Warm(ctx); err != nil {
		return err
	}
	opened, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- client.Watch(ctx, requests[0].Path, func() { close(opened) }, p.changed) }()
	select {
	case <-opened:
	case err := <-ended:
		return err
	}

	began := time.Now()
	p.began.Store(began.UnixNano())
	var existed atomic.Int64
	err = client.SendAll(ctx, requests, func(r api.Request, code int, body []byte) error {
		// The operator may have made it already, for another that depends on it.
		if code == http.StatusConflict {
			existed.Add(1)
			return nil
		}
		return api.Succeeded(r, code, body)
	})
	posted := time.Since(began)
	if err != nil {
		cancel()
		<-ended
		return err
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("%w: %s", err, p.missing())
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"packages": len(requests), "posted_s": api.Seconds(posted), "all_ready_s": api.Seconds(time.Since(began)), "ready_at_s": p.parts,
		"existed": existed.Load(), "began_unix_us": began.UnixMicro(), "ready_unix_us": time.Now().UnixMicro(),
	})
}
