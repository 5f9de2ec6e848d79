// SPDX-License-Identifier: Apache-2.0

// Floor does the same work as the operator in the least way there is: it sends the objects by server-side apply over 16
// HTTP/1.1 connections, namespaces first, reads nothing before, keeps nothing, and waits until every Deployment is ready by
// the operator's rule. It prints one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"davit.dev/test/bench/internal/api"
)

type deployment struct {
	Metadata struct {
		Name       string `json:"name"`
		Namespace  string `json:"namespace"`
		Generation int64  `json:"generation"`
	} `json:"metadata"`
	Spec struct {
		Replicas *int64 `json:"replicas"`
	} `json:"spec"`
	Status struct {
		ObservedGeneration int64           `json:"observedGeneration"`
		Replicas           int64           `json:"replicas"`
		Updated            int64           `json:"updatedReplicas"`
		Ready              int64           `json:"readyReplicas"`
		Available          int64           `json:"availableReplicas"`
		Conditions         []api.Condition `json:"conditions"`
	} `json:"status"`
}

// ready is the operator's rule for Deployments (pkg/kube/readiness_workloads.c).
func (d *deployment) ready() bool {
	want := int64(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := &d.Status
	progressing := api.Find(s.Conditions, "Progressing")
	return s.ObservedGeneration > 0 && s.ObservedGeneration >= d.Metadata.Generation && s.Replicas == want && s.Updated >= want &&
		s.Available >= s.Updated && s.Ready >= want && progressing.Status == "True" && progressing.Reason == "NewReplicaSetAvailable" &&
		api.Find(s.Conditions, "Available").Status == "True"
}

func main() {
	config := flag.String("kubeconfig", "", "kubeconfig in JSON")
	objects := flag.String("objects", "", "file of requests, one a line")
	limit := flag.Duration("limit", 10*time.Minute, "how long it may take")
	flag.Parse()
	if err := run(*config, *objects, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(config, file string, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), limit, fmt.Errorf("not finished within %v", limit))
	defer cancel()
	client, err := api.Load(config, "bench-floor")
	if err != nil {
		return err
	}
	requests, err := api.ReadRequests(file)
	if err != nil {
		return err
	}
	var namespaces, others []api.Request
	deployments := 0
	for _, r := range requests {
		if strings.HasPrefix(r.Path, "/api/v1/namespaces/") && strings.Count(r.Path, "/") == 4 {
			namespaces = append(namespaces, r)
			continue
		}
		others = append(others, r)
		if strings.Contains(r.Path, "/deployments/") {
			deployments++
		}
	}
	if err := client.Warm(ctx); err != nil {
		return err
	}
	opened, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- watch(ctx, client, deployments, opened) }()
	select {
	case <-opened:
	case err := <-ended:
		return err
	}

	before, began := client.Sent(), time.Now()
	if err := client.SendAll(ctx, namespaces, api.Succeeded); err != nil {
		return err
	}
	afterNamespaces := time.Since(began)
	if err := client.SendAll(ctx, others, api.Succeeded); err != nil {
		return err
	}
	lastWrite := time.Since(began)
	sent := client.Sent() - before
	if err := <-ended; err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"namespaces_s": api.Seconds(afterNamespaces), "last_write_s": api.Seconds(lastWrite), "all_ready_s": api.Seconds(time.Since(began)),
		"requests": sent, "deployments": deployments,
	})
}

// watch returns when so many Deployments are ready.
func watch(ctx context.Context, client *api.Client, count int, opened chan<- struct{}) error {
	if count == 0 {
		close(opened)
		return nil
	}
	ready := map[string]bool{}
	return client.Watch(ctx, "/apis/apps/v1/deployments", func() { close(opened) }, func(object json.RawMessage) bool {
		var d deployment
		if json.Unmarshal(object, &d) == nil && d.ready() {
			ready[d.Metadata.Namespace+"/"+d.Metadata.Name] = true
		}
		return len(ready) >= count
	})
}
